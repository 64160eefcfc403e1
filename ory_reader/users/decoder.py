"""Pages of identities in, users out: the second view of the same page.

Joins the decoder of identities, the check of their traits and the compiled derivations; what each of these
does is in a module of its own. Knows nothing of HTTP, nor of where identity schemas come from.
"""

from __future__ import annotations

import logging
from itertools import repeat
from typing import TYPE_CHECKING, Any

import msgspec
import simplejson

from ory_reader.lossless_json import without_nul
from ory_reader.records.changes import CHANGED_AT, canonical
from ory_reader.records.decoder import LONE_SURROGATE, RecordDecoder, SlowRow
from ory_reader.records.identity_decoder import IdentityDecoder, Outgoing
from ory_reader.records.projection import WHOLE, Projection, project
from ory_reader.traits.conformer import Conformer
from ory_reader.traits.decoder_types import Wanted, is_text, wants_of_many
from ory_reader.users.compiler import FIELDS, compiled_user
from ory_reader.users.factors import CODE, WEBAUTHN
from ory_reader.users.mapping import user_mapping_of
from ory_reader.users.model import Identity, IdentityWithMetadata

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from ory_reader.config.settings import Settings
    from ory_reader.traits.conformer import Misfit
    from ory_reader.traits.shapes import Shape
    from ory_reader.users.last_logins import LastLogins
    from ory_reader.users.mapping import UserMapping

logger = logging.getLogger("tap-ory")

METADATA = ("metadata_public", "metadata_admin")
TEXTS = ("external_id", "schema_id", "state", "state_changed_at", "created_at", "updated_at", "organization_id")
ADDRESSES = ("verifiable_addresses", "recovery_addresses")
NOTHING = Wanted()
#: Of sessions: when, and at which level.
LAST_LOGIN = ("last_login", "last_aal")


def user_mappings_of(shapes: Mapping[str, Shape], settings: Settings) -> dict[str | None, UserMapping]:
    """Return what each identity schema means, by its id; under None what the others do."""
    known: list[str | None] = [*shapes, *(name for name in settings.user_fields if name not in shapes)]
    return {
        schema_id: user_mapping_of(schema_id, None if schema_id is None else shapes.get(schema_id), settings)
        for schema_id in known
    }


class UserDecoder(RecordDecoder):
    """Turns pages of identities into users."""

    _refuses_nul = True

    def __init__(  # noqa: PLR0913 - what is wanted, and what is known of the project
        self,
        schema: Mapping[str, Any],
        mask: Mapping[tuple[str, ...], bool],
        *,
        shapes: Mapping[str, Shape],
        settings: Settings,
        warned: set[str],
        tells_credentials: Callable[[], bool] = lambda: False,
        last_logins: LastLogins | None = None,
    ) -> None:
        """`shapes` are those of the identity schemas' traits; `warned` the paths that need no further warning.

        `tells_credentials` is asked where no identity of a page has any: whether the server would tell them.
        `last_logins` are what sessions tell, if they were read.
        """
        super().__init__(Projection(fields={"id": WHOLE}))
        fields = project(schema, mask, private=("profile",)).fields or {}
        selected = {name: field for name, field in fields.items() if name in FIELDS}
        meanings = user_mappings_of(shapes, settings)
        paths = {path for meaning in meanings.values() for path in meaning.paths()}
        flags = {path for meaning in meanings.values() for path, _ in meaning.service_flags}
        wanted = Wanted.from_paths(paths, flags)
        place = ("properties", "profile", "properties", METADATA[0])
        self._adds_metadata = settings.profile_metadata and "profile" in selected and mask[place]
        needs_metadata = self._adds_metadata or not wanted.members.keys().isdisjoint(METADATA)
        self._kind = IdentityWithMetadata if needs_metadata else Identity
        self._decoder = msgspec.json.Decoder(list[self._kind])  # type: ignore[name-defined]
        self._one = msgspec.json.Decoder(self._kind)
        self._prepare_traits(schema, selected, wanted, warned)
        self._metadata = {
            name: Conformer({}, wanted.members[name], name=name) for name in METADATA if name in wanted.members
        }
        # Stamped on what is made, so neither read nor derived.
        stamps = [(name, Any, msgspec.UNSET) for name in (CHANGED_AT, *LAST_LOGIN) if name in fields]
        self._last_logins = last_logins
        declared = schema.get("properties", {})
        kinds = [(name, str | None if is_text(declared.get(name, {})) else Any) for name in selected]
        user = msgspec.defstruct("User", [*kinds, *stamps], gc=False)
        self._derivations = _Derivations(meanings, wanted, user, settings)
        self._reads_credentials = bool(settings.credential_metadata)
        self._tells_credentials = tells_credentials

    def stamped(self, row: Any, name: str, value: str | None) -> Any:
        """Return `row` with a value for a field that the server does not send, if the field is selected."""
        if name in row.__struct_fields__:
            setattr(row, name, value)
        return row

    def decode_texts(self, texts: Collection[str]) -> None:
        """Leave it as it is: a user's texts are decoded."""

    def share(self, decoders: Iterable[object]) -> None:
        """Where identities go out as well, one look at traits serves both."""
        for each in decoders:
            if isinstance(each, IdentityDecoder):
                each.take_over(self._traits)

    def moved_at(self, row: Any) -> str | None:
        """When the user signed in, which moves no clock of the identity; canonical."""
        return canonical(getattr(row, LAST_LOGIN[0], None)) if self._last_logins else None

    def _tell_last_logins(self, users: list[Any], logins: LastLogins) -> None:
        told = [name for name in LAST_LOGIN if users and name in users[0].__struct_fields__]
        places = [(name, LAST_LOGIN.index(name)) for name in told]
        for user, login in zip(users, logins.of([user.id for user in users]), strict=True):
            for name, place in places:
                setattr(user, name, login[place] if login else None)

    def _prepare_traits(
        self, schema: Mapping[str, Any], selected: Mapping[str, Projection], wanted: Wanted, warned: set[str]
    ) -> None:
        """One look at traits serves both sides, what they mean and whether they fit.

        Not where they do not leave as a whole, nor where what is wanted of them leaves as text.
        """
        traits = wanted.members.get("traits", NOTHING)
        self._outgoing: Outgoing | None = None
        profile = selected.get("profile")
        declared = schema["properties"]["profile"] if profile else {}
        if profile and (not profile.is_whole or wants_of_many(declared, traits)):
            self._outgoing = Outgoing(declared, profile, name="traits", warned=warned)
            declared = {}
        self._traits = Conformer(declared, traits, name="traits", warned=warned)

    def _decode(self, body: bytes) -> list[Any]:
        rows = super()._decode(body)
        if isinstance(rows[0] if rows else None, SlowRow):
            rows = [self._one.decode(row.record) for row in rows]
        elif "\0" in "".join([row.external_id or "" for row in rows]):
            return self._decode(without_nul(body))
        if self._reads_credentials:
            self._complete_credentials(rows)
        profiles = [row.traits for row in rows]
        traits, misfits = self._traits.read(profiles)
        odd = frozenset(self._traits.odd)
        is_odd = [n in odd for n in range(len(rows))] if odd else repeat(False)  # noqa: FBT003 - it is one
        if self._outgoing:
            profiles, misfits = self._outgoing.read(profiles)
        elif misfits:
            profiles = [misfits[n].value if n in misfits else raw for n, raw in enumerate(profiles)]
        if self._adds_metadata:
            profiles = [
                with_metadata(profile, row.metadata_public) for profile, row in zip(profiles, rows, strict=True)
            ]
        derivations = self._derivations
        users = [
            derivations[row.schema_id][odd](row, part, public, admin, profile, apart)
            for odd, row, part, public, admin, profile, apart in zip(
                is_odd,
                rows,
                traits,
                self._read_metadata("metadata_public", rows),
                self._read_metadata("metadata_admin", rows),
                profiles,
                _apart(misfits, len(rows)),
                strict=False,  # what repeats has no end
            )
        ]
        if self._last_logins:
            self._tell_last_logins(users, self._last_logins)
        return users

    def _passing(self, body: bytes, rows: list[Any]) -> bytes:
        """Of what anybody can write only traits leave as they came; addresses are taken out of them."""
        whole = self._reads_credentials or self._metadata or self._adds_metadata
        return body if whole else b",".join([row.traits for row in rows])

    def _complete_credentials(self, rows: list[Any]) -> None:
        """Servers leave the key out for who has no credentials, and those that tell none for everybody."""
        without = [row for row in rows if row.credentials is msgspec.UNSET]
        if without:
            told = len(without) < len(rows) or self._tells_credentials()
            for row in without:
                row.credentials = {} if told else None

    def _read_metadata(self, name: str, rows: list[Any]) -> Iterable[Any]:
        if name not in self._metadata:
            return repeat(None)
        return self._metadata[name].read([getattr(row, name) for row in rows])[0]

    def _raw(self, row: dict[str, Any]) -> msgspec.Raw:
        text = simplejson.dumps(_readable(row), use_decimal=True, ensure_ascii=False, separators=(",", ":"))
        return msgspec.Raw(LONE_SURROGATE.sub("\ufffd", text).encode())


class _Derivations(dict[str | None, Any]):
    """The compiled derivations by schema id, made for the first identity that needs them: for usual traits and odd."""

    def __init__(
        self, meanings: Mapping[str | None, UserMapping], wanted: Wanted, user: Any, settings: Settings
    ) -> None:
        super().__init__()
        self._meanings = meanings
        self._wanted = wanted
        self._user = user
        self._settings = settings

    def __missing__(self, schema_id: str | None) -> Any:
        meaning = self._meanings.get(schema_id)
        if meaning is None:
            logger.info("Identity schema %s is not known; its users are read by well-known names.", schema_id)
            meaning = user_mapping_of(schema_id, None, self._settings)
        self[schema_id] = compiled_user(meaning, self._wanted, self._user, self._settings)
        return self[schema_id]


def with_metadata(profile: msgspec.Raw, metadata: msgspec.Raw) -> msgspec.Raw:
    """A profile with metadata_public as one more member, unless either is no object or a trait has the name."""
    text, added = bytes(profile).strip(), bytes(metadata).strip()
    if text[:1] != b"{" or added[:1] != b"{":
        return profile
    if METADATA[0].encode() in text and METADATA[0] in msgspec.json.decode(text, type=dict[str, msgspec.Raw]):
        return profile
    comma = b"," if text[1:-1].strip() else b""
    return msgspec.Raw(b'%b%b"%b":%b}' % (text[:-1], comma, METADATA[0].encode(), added))


def _apart(misfits: Mapping[int, Misfit], rows: int) -> Iterable[msgspec.Raw | None]:
    return [misfits[n].apart if n in misfits else None for n in range(rows)] if misfits else repeat(None)


def _readable(row: Mapping[str, Any]) -> dict[str, Any]:
    """An identity of any JSON types as one that the decoder takes: what is of another type is left out."""
    readable = {name: row[name] for name in ("id", "traits", *METADATA) if name in row}
    readable.update((name, row[name]) for name in TEXTS if isinstance(row.get(name), str))
    readable.update((name, [*map(_address, row[name])]) for name in ADDRESSES if isinstance(row.get(name), list))
    if "credentials" in row:
        readable["credentials"] = _credentials(row["credentials"])
    return readable


def _address(address: Any) -> dict[str, Any]:
    kinds = {"value": str, "verified": bool, "via": str}
    given = address if isinstance(address, dict) else {}
    return {name: given[name] for name, kind in kinds.items() if isinstance(given.get(name), kind)}


def _credentials(credentials: Any) -> dict[str, Any] | None:
    if not isinstance(credentials, dict):
        return None
    return {kind: _credential(kind, each) for kind, each in credentials.items() if isinstance(each, dict)}


def _credential(kind: str, credential: Mapping[str, Any]) -> dict[str, Any]:
    """Of a config only which keys it holds and where codes are sent."""
    identifiers, config = credential.get("identifiers"), credential.get("config")
    return {
        "identifiers": [each for each in identifiers if isinstance(each, str)] if isinstance(identifiers, list) else [],
        "config": _config(config) if kind in {WEBAUTHN, CODE} and isinstance(config, dict) else None,
    }


def _config(config: Mapping[str, Any]) -> dict[str, Any]:
    keys, addresses, address_type = (config.get(name) for name in ("credentials", "addresses", "address_type"))
    return {
        # What says nothing of itself asks for a password first, as the server takes it.
        "credentials": [
            {"is_passwordless": key.get("is_passwordless") not in (None, False)}
            for key in (keys if isinstance(keys, list) else ())
            if isinstance(key, dict)
        ],
        "addresses": [
            {"address": each["address"]}
            for each in (addresses if isinstance(addresses, list) else ())
            if isinstance(each, dict) and isinstance(each.get("address"), str)
        ],
        "address_type": address_type if isinstance(address_type, str) else None,
    }
