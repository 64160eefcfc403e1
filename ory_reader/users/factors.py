"""What an identity's credentials say of a user: second factors, and accounts of other providers.

What counts is what Ory Kratos itself counts into `identities.available_aal`, as read in its source (v1.3.1 and
the main branch of 2026-07) and seen in a running server's database. Knows the credentials that the Admin API
lists; nothing of traits, Singer or HTTP.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from ory_reader.config.declaration import EXACT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ory_reader.config.settings import Settings

WEBAUTHN, CODE, DEVICE = "webauthn", "code", "deviceauthn"
#: These are listed only for those who have set them up.
SET_UP = ("totp", "lookup_secret")
SOCIAL = ("oidc", "saml")
#: Types that are a first factor only, or none at all. Any other could be a second one.
NO_SECOND_FACTOR = frozenset(
    {*SOCIAL, CODE, "password", "passkey", "profile", "identifier_first", "link_recovery", "code_recovery"}
)
#: An account of an OpenID provider, PROVIDER:SUBJECT. Both may hold colons: what follows the last one is the
#: subject, but for the kinds of subject that are known to hold some (URIs, and users that Keycloak federates).
ACCOUNT = re.compile(r"(.+?):(?:(?:https?|urn|did):.*|f:[0-9a-f]{8}-[0-9a-f-]{27}:.*|[^:]*)", re.DOTALL)


class Key(msgspec.Struct, gc=False):
    """A security key, of which nothing else is kept."""

    is_passwordless: bool | None = None


class CodeAddress(msgspec.Struct, gc=False):
    """Where a code is sent."""

    address: str | None = None


class Config(msgspec.Struct, gc=False):
    """What is read of a credential's config: security keys, and in its two forms where codes are sent."""

    credentials: list[Key] | None = None
    addresses: list[CodeAddress] | None = None
    address_type: str | None = None


class Credential(msgspec.Struct, gc=False):
    """What is kept of a credential; the config comes for the types of `Settings.told_configs` only."""

    identifiers: list[str | None] | None = None
    config: Config | None = None


#: The credentials of an identity by type, whatever types a server has.
Credentials = dict[str, Credential | None]


def second_factors(credentials: Credentials, *, exact: bool, code: bool) -> list[str] | None:
    """The second factors that are known to be set up; None where there is none and one cannot be ruled out."""
    methods = [kind for kind in SET_UP if credentials.get(kind)]
    if exact and _has_second_key(credentials.get(WEBAUTHN)):
        methods.append(WEBAUTHN)
    if code and _has_address(credentials.get(CODE)):
        methods.append(CODE)
    device = credentials.get(DEVICE)
    if device and device.identifiers:
        # The credential stays when the last device is removed; its identifiers do not.
        methods.append(DEVICE)
    if methods:
        return methods
    for kind, credential in credentials.items():
        if credential and kind not in NO_SECOND_FACTOR and not (exact and kind == WEBAUTHN):
            return None
    return methods


def _has_second_key(credential: Credential | None) -> bool:
    """Whether there is a key that is asked for after a password; one that stands alone is a first factor."""
    keys = credential.config.credentials if credential and credential.config else None
    return any(not key.is_passwordless for key in keys or ())


def _has_address(credential: Credential | None) -> bool:
    config = credential.config if credential else None
    return bool(config and (config.address_type or any(each.address for each in config.addresses or ())))


def sso_providers(credentials: Credentials) -> tuple[bool, list[str]]:
    """Whether an identity is linked to another provider's account, and to which providers'."""
    linked = [(kind, value) for kind in SOCIAL for value in _identifiers(credentials.get(kind)) if value]
    providers = [_provider(kind, value) for kind, value in linked if ":" in value]
    return bool(linked), list(dict.fromkeys(providers))


def _identifiers(credential: Credential | None) -> list[str | None]:
    return (credential.identifiers if credential else None) or []


def _provider(kind: str, account: str) -> str:
    match = ACCOUNT.fullmatch(account) if kind == "oidc" else None
    return match[1] if match else account.partition(":")[0]


def explanation(settings: Settings) -> Iterator[str]:
    """Say in a sentence each what counts as a second factor under these settings, and why."""
    if not settings.credential_metadata:
        yield "Second factors are not read: mfa_enabled is null. Set credential_metadata to true or exact."
        return
    yield "Second factors: totp and lookup_secret, as Ory lists them only for those who have set them up."
    if settings.credential_metadata == EXACT:
        yield "webauthn, if a key has is_passwordless false; any other is a first factor (credential_metadata exact)."
    else:
        yield (
            "webauthn cannot be told from what is only listed: without another second factor mfa_enabled is null "
            "(credential_metadata true; exact reads it)."
        )
    if settings.code_mfa_enabled:
        yield "code, if the credential has an address (code_mfa_enabled true)."
    else:
        yield "Not code: set code_mfa_enabled if Kratos has selfservice.methods.code.mfa_enabled."
    yield "deviceauthn, if it has a device. A type that is not known makes mfa_enabled null."
    yield "Not password, oidc, saml and passkey: they are first factors."
