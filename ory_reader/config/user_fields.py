"""The settings `user_fields` and `account_types`: what a project says itself about its users.

Knows which fields of a user may be overridden and what a JSON pointer (RFC 6901) is; nothing of identity
schemas, records or HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ory_reader.errors import refuse
from ory_reader.json_pointer import USABLE_NAME, parts_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: The fields of a user that come out of an identity's own data, and may come from elsewhere in it.
FIELDS = (
    "email",
    "phone_numbers",
    "username",
    "login",
    "display_name",
    "first_name",
    "last_name",
    "employee_id",
    "account_type",
)
ACCOUNT_TYPES = ("human", "service", "system")
#: What a pointer may begin with: the parts of an identity that a project fills itself.
ROOTS = ("traits", "metadata_public", "metadata_admin", "external_id")
MAX_SEGMENTS = 8

#: The segments of a pointer, without escapes.
Pointer = tuple[str, ...]


def parse_user_fields(given: Mapping[Any, Any]) -> dict[str | None, dict[str, Pointer]]:
    """Return the pointers by field, by schema id; those for all schemas are under None.

    `given` maps a field to a pointer into the identity (`{"email": "/traits/contact/mail"}`), or a schema id to
    such a mapping for its identities alone (`{"staff": {"username": "/traits/nick"}}`).

    Raises:
        SettingsError: if a field is none that can be overridden, or a pointer cannot be one.
    """
    rules: dict[str | None, dict[str, Pointer]] = {None: {}}
    for name, value in given.items():
        if isinstance(value, dict):
            rules[name] = {field: _pointer(field, pointer) for field, pointer in value.items()}
        else:
            rules[None][name] = _pointer(name, value)
    return rules


def _pointer(field: str, value: Any) -> Pointer:
    if field not in FIELDS:
        refuse("user_fields", f"names {field!r}, which is no field of a user", f"use one of {', '.join(FIELDS)}")
    if not isinstance(value, str) or not value.startswith("/"):
        refuse("user_fields", f"gives {field} no JSON pointer", f'write it like "/traits/{field}"')
    segments = parts_of(value)
    if segments[0] not in ROOTS:
        roots = ", ".join(f"/{root}" for root in ROOTS)
        refuse("user_fields", f"looks for {field} in /{segments[0]}", f"begin the pointer with one of {roots}")
    if (len(segments) > 1) is (segments[0] == "external_id"):
        refuse("user_fields", f"points for {field} at no value", "name a member of it, or /external_id")
    if len(segments) > MAX_SEGMENTS or not all(map(USABLE_NAME.fullmatch, segments)):
        refuse("user_fields", f"gives {field} a pointer that cannot be followed", "use up to 8 plain names")
    return segments


def parse_account_types(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the account type by schema id.

    Raises:
        SettingsError: if one is not human, service or system.
    """
    for value in given.values():
        if value not in ACCOUNT_TYPES:
            refuse("account_types", "holds something else than account types", f"use {', '.join(ACCOUNT_TYPES)}")
    return dict(given)
