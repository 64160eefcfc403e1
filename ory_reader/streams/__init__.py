"""The streams: what there is to be read, by its name, and how pages become records of it.

A shell makes its own streams of these, in its protocol's words. Knows nothing of how records are written.
"""

from __future__ import annotations

from ory_reader.resources.access import KEYS
from ory_reader.resources.consents import CONSENTS
from ory_reader.resources.identity_schemas import IDENTITY_SCHEMAS, IdentitySchemasRead
from ory_reader.resources.oauth2_clients import OAUTH2_CLIENTS
from ory_reader.resources.organizations import ORGANIZATIONS
from ory_reader.resources.permission_namespaces import PERMISSION_NAMESPACES
from ory_reader.resources.relation_tuples import RELATION_TUPLES, TupleRead
from ory_reader.resources.trust_issuers import TRUST_ISSUERS
from ory_reader.streams.access import AccessStream
from ory_reader.streams.consents import Consents
from ory_reader.streams.identity_views import IdentityView
from ory_reader.streams.organizations import Organizations
from ory_reader.streams.relation_tuples import RelationTuples
from ory_reader.streams.sessions import SessionStream
from ory_reader.streams.stream import SCHEMAS, Stream

__all__ = ["SCHEMAS", "STREAMS", "Stream"]

#: Lists that are streams as they are.
PLAIN = (OAUTH2_CLIENTS, PERMISSION_NAMESPACES, TRUST_ISSUERS)
_LISTS: dict[str, Stream] = {
    stream.name: stream
    for stream in (
        IdentityView("identities", selected_by_default=True),
        IdentityView("users", traits_field="profile", made_of_schemas=True),
        SessionStream(),
        Stream("identity_schemas", IDENTITY_SCHEMAS, reader=IdentitySchemasRead),
        Organizations("organizations", ORGANIZATIONS),
        RelationTuples("relation_tuples", RELATION_TUPLES, reader=TupleRead),
        *(Stream(each.name, each) for each in PLAIN),
        Consents("consents", CONSENTS),
    )
}
STREAMS: dict[str, Stream] = {**_LISTS, **{name: AccessStream(name, made_of=_LISTS) for name in KEYS}}
