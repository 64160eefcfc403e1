"""C1's protobuf messages: a user as a `Resource` with its `UserTrait`, and the resource type `user`.

The trait's status, profile and created_at are old readers' and the resource's new readers' places for the same
values: both are written, alike. Knows nothing of SQLite or Singer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_c1 import c1_pb2 as pb
from target_c1.profile import encode_struct
from target_c1.values import count_texts

if TYPE_CHECKING:
    from target_c1.users import User
    from target_c1.values import Moment

USER_TYPE = "user"
TRAIT_USER = 1
TYPE_URL = "type.googleapis.com/c1.connector.v2."
USER_TRAIT_URL = TYPE_URL + "UserTrait"
SKIP_URL = TYPE_URL + "SkipEntitlementsAndGrants"


def encode_resource_type(display_name: str, description: str = "") -> bytes:
    """Return the `ResourceType` of users, which has neither entitlements nor grants."""
    return pb.ResourceType(
        id=USER_TYPE,
        display_name=display_name,
        description=description,
        traits=[TRAIT_USER],
        annotations=[{"type_url": SKIP_URL}],
    ).SerializeToString()


def encode_resource(user: User, changed: dict[str, int] | None = None) -> bytes:
    """Return the `Resource` of a user; what of its profile becomes text is counted in `changed`, by reason.

    The status is written even if it is unspecified: the trait's is required.
    """
    texts: list[Any] = []
    profile = encode_struct(user.profile, 0, texts)
    if texts and changed is not None:
        count_texts(changed, texts)
    status = pb.Status(status=user.status, details=user.status_details)
    created_at = _timestamp(user.created_at)
    trait = pb.UserTrait(
        emails=[{"address": address, "is_primary": n == 0} for n, address in enumerate(user.emails)],
        status=status,
        profile=profile,
        account_type=user.account_type,
        login=user.login,
        login_aliases=user.login_aliases,
        created_at=created_at,
        last_login=_timestamp(user.last_login),
        mfa_status=None if user.mfa_enabled is None else {"mfa_enabled": user.mfa_enabled},
        sso_status=None if user.sso_enabled is None else {"sso_enabled": user.sso_enabled},
        structured_name=_name(user.first_name, user.last_name),
        employee_ids=user.employee_ids,
    )
    return pb.Resource(
        id={"resource_type": USER_TYPE, "resource": user.id},
        display_name=user.display_name,
        annotations=[{"type_url": USER_TRAIT_URL, "value": trait.SerializeToString()}],
        profile=profile,
        status=status,
        created_at=created_at,
    ).SerializeToString()


def _timestamp(moment: Moment | None) -> dict[str, int] | None:
    return {"seconds": moment[0], "nanos": moment[1]} if moment else None


def _name(first: str | None, last: str | None) -> dict[str, str | None] | None:
    return {"given_name": first, "family_name": last} if first or last else None
