"""No list of Ory's: who may do what is made of several lists, and comes in pages of three streams."""

from __future__ import annotations

from ory_reader.config.services import KRATOS
from ory_reader.pagination.paginators import KEYSET
from ory_reader.resources.identities import IDENTITIES
from ory_reader.resources.resource import Resource

#: The streams, in the order in which they are written: what one names was there before.
KEYS = {
    "access_resources": ("resource_type", "id"),
    "access_entitlements": ("id",),
    "access_grants": ("id",),
}
#: No list of Ory's: what is made of several. Its requests are those of identities, and of other lists by their own.
ACCESS = Resource(
    name="access",
    service=KRATOS,
    path=IDENTITIES.path,
    paginators=(KEYSET,),
    bucket=IDENTITIES.bucket,
    key=("id",),
)


def head_of(name: str) -> bytes:
    """What a page of the stream begins with."""
    return name.encode() + b"\n"
