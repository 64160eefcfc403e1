"""How the Admin API differs between the servers that the sandbox can stand in for.

Only data: what a server of that manner does differently. How it does it is said where it is done.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Manner:
    """The traits of one family of servers.

    Attributes:
        name: The name on the command line.
        keyset: Pages follow the last id, in ascending order, rather than an offset in descending order.
        page_size_limit: The server silently serves no more rows than this a page; None is no limit.
        network: Ory Network: one port for the admin and the public role, API keys and rate limits.
        external_id: Identities may have an ``external_id``.
        organization_id: Identities have an ``organization_id``, null where unset.
        phone: What the ``via`` of a verifiable telephone number is called.
        sign_in_code: Identity schemas may name a trait as the identifier of the ``code`` method.
        credential_types: What ``include_credential`` takes.
    """

    name: str
    keyset: bool
    page_size_limit: int | None
    network: bool
    external_id: bool
    organization_id: bool
    phone: str
    sign_in_code: bool
    credential_types: frozenset[str]


_TYPES_1_0 = frozenset(
    {"password", "oidc", "totp", "lookup_secret", "webauthn", "link_recovery", "code_recovery"},
)
_TYPES_1_3 = _TYPES_1_0 | {"code", "passkey"}

MANNERS = {
    manner.name: manner
    for manner in (
        Manner(
            name="v1.0",
            keyset=False,
            page_size_limit=1000,
            network=False,
            external_id=False,
            organization_id=False,
            phone="phone",
            sign_in_code=False,
            credential_types=_TYPES_1_0,
        ),
        Manner(
            name="v1.3",
            keyset=True,
            page_size_limit=None,
            network=False,
            external_id=False,
            organization_id=True,
            phone="sms",
            sign_in_code=True,
            credential_types=_TYPES_1_3,
        ),
        Manner(
            name="network",
            keyset=True,
            page_size_limit=500,
            network=True,
            external_id=True,
            organization_id=True,
            phone="sms",
            sign_in_code=True,
            credential_types=_TYPES_1_3 | {"saml"},
        ),
    )
}
