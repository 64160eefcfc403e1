"""C1's protobuf messages: a user as a `Resource` with its `UserTrait`, and the resource type `user`.

Field numbers and limits are those of package c1.connector.v2. The trait's status, profile and created_at are old
readers' and the resource's new readers' places for the same values: both are written, alike.
Knows nothing of SQLite or Singer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_c1.values import count_texts
from target_c1.wire import Heads, delimited, encode_struct, encode_timestamp, encode_varint, length, size_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_c1.users import User

USER_TYPE = "user"
TRAIT_USER = 1
TYPE_URL = "type.googleapis.com/c1.connector.v2."
USER_TRAIT_URL = TYPE_URL + "UserTrait"
SKIP_URL = TYPE_URL + "SkipEntitlementsAndGrants"

#: The end of an address that is the primary one.
PRIMARY = b"\x10\x01"
_RESOURCE_ID_HEAD = delimited(b"\x0a", USER_TYPE.encode()) + b"\x12"
_ANY_HEAD = delimited(b"\x0a", USER_TRAIT_URL.encode()) + b"\x12"
#: Each status with its length in front, each account type as field 5; the first of both, unspecified, is left out.
STATUSES = [b"\x00", b"\x02\x08\x01", b"\x02\x08\x02", b"\x02\x08\x03"]
ACCOUNT_TYPES = [b"", b"\x28\x01", b"\x28\x02", b"\x28\x03"]


def encode_resource_type(display_name: str, description: str = "") -> bytes:
    """Return the `ResourceType` of users, which has neither entitlements nor grants."""
    return (
        delimited(b"\x0a", USER_TYPE.encode())
        + delimited(b"\x12", display_name.encode())
        + delimited(b"\x1a", encode_varint(TRAIT_USER))
        + delimited(b"\x22", delimited(b"\x0a", SKIP_URL.encode()))
        + (delimited(b"\x2a", description.encode()) if description else b"")
    )


def encode_resource(user: User, changed: dict[str, int] | None = None) -> bytes:
    """Return the `Resource` of a user; what of its profile becomes text is counted in `changed`, by reason."""
    texts: list[Any] = []
    profile = encode_struct(user.profile, 0, texts)
    if texts and changed is not None:
        count_texts(changed, texts)
    profile_size = length(profile)
    status = _encode_status(user)
    created_at = encode_timestamp(user.created_at) if user.created_at else None
    before, after = _trait_before_profile(user, status), _trait_after_profile(user, created_at)
    trait_size = len(before) + len(profile_size) + len(profile) + len(after)
    name, identifier = user.display_name.encode(), user.id.encode()
    # One join, because a profile is long: each further level of messages would copy it once more.
    return b"".join(
        (
            ID[len(identifier)],
            identifier,
            b"\x1a",
            length(name),
            name,
            TRAIT[trait_size],
            before,
            profile_size,
            profile,
            after,
            b"\x4a",
            profile_size,
            profile,
            b"\x5a",
            status,
            delimited(b"\x62", created_at) if created_at is not None else b"",
        )
    )


def encode_emails(addresses: Iterable[str]) -> bytes:
    """Return the trait's field 1, once for each address; the first one is the primary one."""
    out = b""
    for address in addresses:
        data = address.encode()
        out += delimited(b"\x0a", delimited(b"\x0a", data)) if out else PRIMARY_EMAIL[len(data)] + data + PRIMARY
    return out


def _before_primary_email(size: int) -> bytes:
    inner = b"\x0a" + size_of(size)
    return b"\x0a" + size_of(len(inner) + size + len(PRIMARY)) + inner


def _before_id(size: int) -> bytes:
    inner = _RESOURCE_ID_HEAD + size_of(size)
    return b"\x0a" + size_of(len(inner) + size) + inner


def _before_trait(size: int) -> bytes:
    inner = _ANY_HEAD + size_of(size)
    return b"\x22" + size_of(len(inner) + size) + inner


PRIMARY_EMAIL = Heads(_before_primary_email)
#: What stands before the bytes of a user's id and of its trait in a `Resource`, and of a primary address in the trait.
ID, TRAIT = Heads(_before_id), Heads(_before_trait, 1 << 11)


def _encode_status(user: User) -> bytes:
    """Return the status with its length in front; it is written even if unspecified: the trait's is required."""
    if not user.status_details:
        return STATUSES[user.status]
    return delimited(b"", STATUSES[user.status][1:] + delimited(b"\x12", user.status_details.encode()))


def _trait_before_profile(user: User, status: bytes) -> bytes:
    """Return the trait's fields 1 and 2, and the key of 3."""
    return encode_emails(user.emails) + b"\x12" + status + b"\x1a"


def _trait_after_profile(user: User, created_at: bytes | None) -> bytes:
    """Return the trait's fields from 5 on."""
    out = ACCOUNT_TYPES[user.account_type]
    if user.login:
        out += delimited(b"\x32", user.login.encode())
    for alias in user.login_aliases:
        out += delimited(b"\x3a", alias.encode())
    if created_at is not None:
        out += delimited(b"\x42", created_at)
    if user.last_login:
        out += delimited(b"\x4a", encode_timestamp(user.last_login))
    if user.mfa_enabled is not None:
        out += b"\x52\x02\x08\x01" if user.mfa_enabled else b"\x52\x00"
    if user.sso_enabled is not None:
        out += b"\x5a\x02\x08\x01" if user.sso_enabled else b"\x5a\x00"
    if user.first_name or user.last_name:
        given = delimited(b"\x0a", user.first_name.encode()) if user.first_name else b""
        family = delimited(b"\x12", user.last_name.encode()) if user.last_name else b""
        out += delimited(b"\x62", given + family)
    for number in user.employee_ids:
        out += delimited(b"\x6a", number.encode())
    return out
