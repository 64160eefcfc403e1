"""C1's protobuf messages, decoded again: what `--inspect` and readers in Python need of a resource and its type.

The counterpart of `messages`. Knows nothing of SQLite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_c1.messages import USER_TRAIT_URL
from target_c1.users import STATUS_NAMES
from target_c1.wire import as_bytes, as_text, decode_fields, decode_struct

if TYPE_CHECKING:
    from target_c1.values import Moment

Fields = dict[int, list["int | bytes"]]


@dataclass(frozen=True)
class DecodedType:
    """A `ResourceType`; `annotations` are the types' URLs."""

    id: str
    display_name: str
    description: str
    traits: list[int]
    annotations: list[str]


@dataclass(frozen=True)
class DecodedUser:
    """A `Resource` with its `UserTrait`; `emails` are (address, is primary).

    `twice` has the name of each value that both messages carry, the resource's, and the trait's.
    """

    resource_type: str
    id: str
    display_name: str
    description: str
    status: int
    status_details: str
    profile: dict[str, Any]
    created_at: Moment | None
    emails: list[tuple[str, bool]]
    account_type: int
    login: str
    login_aliases: list[str]
    last_login: Moment | None
    mfa_enabled: bool | None
    sso_enabled: bool | None
    first_name: str
    last_name: str
    employee_ids: list[str]
    twice: list[tuple[str, object, object]]


def decode_resource_type(data: bytes) -> DecodedType:
    """Return the message `data`.

    Raises:
        ValueError: if it is none.
    """
    fields = _group(data)
    return DecodedType(
        id=_text(fields, 1),
        display_name=_text(fields, 2),
        description=_text(fields, 5),
        # Packed: each trait is a varint of one byte.
        traits=[trait for packed in fields.get(3, []) for trait in ([packed] if isinstance(packed, int) else packed)],
        annotations=[_text(_group(as_bytes(each)), 1) for each in fields.get(4, [])],
    )


def decode_resource(data: bytes) -> DecodedUser:
    """Return the message `data`.

    Raises:
        ValueError: if it is none, or has no user trait.
    """
    fields = _group(data)
    trait = _user_trait(fields)
    resource_id, status, name = _message(fields, 1), _message(fields, 11), _message(trait, 12)
    profile_data, trait_profile_data = _bytes(fields, 9), _bytes(trait, 3)
    profile = decode_struct(profile_data)
    number = _number(status, 1)
    if number >= len(STATUS_NAMES):
        msg = f"status {number} is none of C1's"
        raise ValueError(msg)
    return DecodedUser(
        resource_type=_text(resource_id, 1),
        id=_text(resource_id, 2),
        display_name=_text(fields, 3),
        description=_text(fields, 5),
        status=number,
        status_details=_text(status, 2),
        profile=profile,
        created_at=_moment(fields, 12),
        emails=[_email(as_bytes(each)) for each in trait.get(1, [])],
        account_type=_number(trait, 5),
        login=_text(trait, 6),
        login_aliases=_texts(trait, 7),
        last_login=_moment(trait, 9),
        mfa_enabled=_flag(trait, 10),
        sso_enabled=_flag(trait, 11),
        first_name=_text(name, 1),
        last_name=_text(name, 2),
        employee_ids=_texts(trait, 13),
        twice=[
            ("status", _bytes(fields, 11), _bytes(trait, 2)),
            ("profile", profile, profile if trait_profile_data == profile_data else decode_struct(trait_profile_data)),
            ("created_at", _moment(fields, 12), _moment(trait, 8)),
        ],
    )


def _user_trait(fields: Fields) -> Fields:
    for each in fields.get(4, []):
        annotation = _group(as_bytes(each))
        if _text(annotation, 1) == USER_TRAIT_URL:
            return _group(_bytes(annotation, 2))
    msg = "it has no user trait"
    raise ValueError(msg)


def _group(data: bytes) -> Fields:
    fields: Fields = {}
    for number, value in decode_fields(data):
        fields.setdefault(number, []).append(value)
    return fields


def _bytes(fields: Fields, number: int) -> bytes:
    return as_bytes(fields[number][-1]) if number in fields else b""


def _message(fields: Fields, number: int) -> Fields:
    return _group(_bytes(fields, number))


def _text(fields: Fields, number: int) -> str:
    return _bytes(fields, number).decode()


def _texts(fields: Fields, number: int) -> list[str]:
    return [as_text(each) for each in fields.get(number, [])]


def _number(fields: Fields, number: int) -> int:
    value = fields.get(number, [0])[-1]
    if not isinstance(value, int):
        msg = f"field {number} is no number"
        raise ValueError(msg)  # noqa: TRY004 - one error for whatever is no message
    return value


def _flag(fields: Fields, number: int) -> bool | None:
    return bool(_number(_message(fields, number), 1)) if number in fields else None


def _email(data: bytes) -> tuple[str, bool]:
    fields = _group(data)
    return _text(fields, 1), bool(_number(fields, 2))


def _moment(fields: Fields, number: int) -> Moment | None:
    if number not in fields:
        return None
    timestamp = _message(fields, number)
    seconds = _number(timestamp, 1)
    return seconds - (1 << 64) if seconds >> 63 else seconds, _number(timestamp, 2)
