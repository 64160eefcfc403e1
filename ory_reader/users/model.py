"""The parts of a user: what of an identity is read for it, and how the fields with several sources are made.

Plain functions and structs that the compiled derivation calls where its straight line does not reach. Knows
identities as the Admin API gives them and users as the stream has them; nothing of JSON text, Singer or HTTP.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from ory_reader.traits.decoder_types import plain_number
from ory_reader.users.factors import Credentials  # noqa: TC001 - a decoder is made of it
from ory_reader.users.well_known_names import ACCOUNT_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

NULL = msgspec.Raw(b"null")
#: Blanks that Python does not take for such, and those that have no width: around a blank, or at the ends, nobody
#: sees them. Elsewhere they are a part of the name.
BLANKS, ZERO_WIDTH = "\u2800\u3164\uffa0", "\u180e\u200b\u2060\ufeff"
INVISIBLE = re.compile(rf"[{ZERO_WIDTH}]*[\s{BLANKS}][\s{BLANKS}{ZERO_WIDTH}]*")
#: No elements: shared, as nothing changes it.
NONE: list[Any] = []
#: How Ory calls a text message: sms, up to Kratos v1.0 phone.
BY_PHONE = frozenset({"sms", "phone"})
#: Credentials whose identifiers are what a person types in. Those of `passkey` are handles, of `totp` ids.
SIGN_IN = ("password", "code", "webauthn")


class Address(msgspec.Struct, gc=False):
    """A verifiable or recovery address of an identity."""

    value: str | None = None
    verified: bool | None = None
    via: str | None = None


class Identity(msgspec.Struct, gc=False):
    """What is read of an identity."""

    id: str
    external_id: str | None = None
    #: UNSET where the server tells none of this identity, None where what it tells cannot be read.
    credentials: Credentials | msgspec.UnsetType | None = msgspec.UNSET
    schema_id: str | None = None
    state: str | None = None
    state_changed_at: str | None = None
    traits: msgspec.Raw = NULL
    verifiable_addresses: list[Address] | None = None
    recovery_addresses: list[Address] | None = None
    created_at: str | None = None
    updated_at: str | None = None
    organization_id: str | None = None


class IdentityWithMetadata(Identity, gc=False):
    """Likewise, where a setting takes fields from metadata."""

    metadata_public: msgspec.Raw = NULL
    metadata_admin: msgspec.Raw = NULL


class Email(msgspec.Struct, gc=False):
    """One of a user's e-mail addresses; `verified` is None where Ory does not verify it."""

    address: str
    primary: bool
    verified: bool | None


def text(value: Any) -> str | None:
    """A scalar as text; None for everything else, truth values included."""
    return value if value.__class__ is str else plain_number(value)


def dig(value: Any, chain: Sequence[tuple[type, str]]) -> str | None:
    """The text at the end of a chain of members, or None where it breaks off."""
    for struct, attribute in chain:
        if value.__class__ is not struct:
            return None
        value = getattr(value, attribute)
    return text(value)


def emails(own: Iterable[str | None], verifiable: list[Address] | None, recovery: list[Address] | None) -> list[Email]:
    """The addresses in the traits, then those that Ory verifies or recovers by; without doubles, first is primary."""
    found: dict[str, Email] = {}
    for value in own:
        if value and "@" in value and (key := (value := value.strip()).lower()) not in found:
            found[key] = Email(value, not found, None)
    for address in verifiable or ():
        if (value := address.value) and "@" in value and address.via not in BY_PHONE:
            if (key := value.lower()) not in found:
                found[key] = Email(value, not found, None)
            found[key].verified = address.verified
    for address in recovery or ():
        if (value := address.value) and "@" in value and (key := value.lower()) not in found:
            found[key] = Email(value, not found, None)
    return list(found.values())


def phones(own: Iterable[str | None], verifiable: list[Address] | None) -> list[str]:
    """The numbers in the traits, then those that Ory verifies; the same digits are the same number."""
    found = [stripped for value in own if value and (stripped := value.strip())]
    for address in verifiable or ():
        if address.via in BY_PHONE and address.value and address.value not in found:
            found.append(address.value)
    if len(found) > 1:
        numbers: dict[str, str] = {}
        for value in found:
            numbers.setdefault(re.sub(r"\D", "", value), value)
        found = list(numbers.values())
    return found


def aliases(login: str | None, own: Iterable[str | None], credentials: Credentials | None) -> list[str]:
    """What else a user signs in with: identifiers in the traits, and in credentials where they are read."""
    found: dict[str, str] = {}
    for value in chain(own, *_listed(credentials)) if credentials else own:
        if value and (stripped := value.strip()):
            found.setdefault(stripped.lower(), stripped)
    if login:
        found.pop(login.lower(), None)
    return list(found.values())


def _listed(credentials: Credentials) -> Iterator[Iterable[str | None]]:
    """The identifiers that somebody types in."""
    for kind in SIGN_IN:
        credential = credentials.get(kind)
        if credential and credential.identifiers:
            yield credential.identifiers


def account_type(said: Iterable[str | None], *, is_service: bool, otherwise: str) -> str:
    """The first word of traits that is known, else what a flag says."""
    words = (ACCOUNT_WORDS.get(re.sub(r"[^a-z]", "", each.lower())) for each in said if each)
    return next(filter(None, words), "service" if is_service else otherwise)


def tidy(name: str | None) -> str | None:
    """A name without padding, and with one blank where there are several, of whatever kind; None if nothing is left."""
    if name and name.isascii():
        return " ".join(name.split()) or None
    return " ".join(INVISIBLE.sub(" ", name).split()).strip(ZERO_WIDTH) or None if name else None


def status_of(state: str | None, changed_at: str | None) -> tuple[str | None, str | None]:
    """The status and its details for any state but active; a state that is not known is none of ours."""
    if state == "inactive":
        return "disabled", f"inactive in Ory since {changed_at}" if changed_at else "inactive in Ory"
    return None, f"state {state} in Ory" if state else None
