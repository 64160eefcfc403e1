"""What a table says in the words of the tap's records, so that the two can be compared. Uses nothing of what it checks.

A record is compared with its nulls left out, as a column does not tell null from absent. Numbers are compared as
numbers, to their last digit.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def exact(text: str | bytes) -> Any:
    """Decoded JSON whose numbers are told from texts, and equal only if they are the same number."""
    return json.loads(text, parse_float=_number, parse_int=_number)


def _number(text: str) -> tuple[str, Any]:
    with suppress(ArithmeticError):
        number = Decimal(text)
        if abs(number.adjusted()) < 100_000:
            return ("number", number)
    return ("number", text)


def microseconds(time: str) -> int:
    """A time as the tap gives it, as whole microseconds since 1970, those that began by then."""
    body, zone = (time[:-1], "+00:00") if time[-1] in "Zz" else (time[:-6], time[-6:])
    seconds, _, fraction = body.partition(".")
    since = datetime.fromisoformat(seconds + zone) - EPOCH
    return (since.days * 86400 + since.seconds) * 10**6 + int(f"{fraction:0<6}"[:6])


def plain(value: Any) -> Any:
    """A decoded value without nulls in objects."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items() if member is not None}
    return [plain(item) for item in value] if isinstance(value, list) else value


def of_record(value: Any, schema: Mapping[str, Any], *, nested: bool) -> Any:  # noqa: PLR0911 - a case a line
    """A value of a record in the words of a column: undeclared members of declared objects are not there."""
    types = declared(schema)
    if value is None:
        return None
    if types == {"string"} and schema.get("format") == "date-time":
        return microseconds(value)
    if types == {"string"} and not isinstance(value, str):
        # Text that is declared for what is none holds its JSON.
        return value if isinstance(value, tuple) and value[0] == "json" else ("json", value)
    if nested and isinstance(value, dict) and schema.get("properties"):
        members = schema["properties"]
        return {name: of_record(value.get(name), members[name], nested=True) for name in members}
    if nested and isinstance(value, dict) and isinstance(schema.get("additionalProperties"), dict):
        every = schema["additionalProperties"]
        return {name: of_record(member, every, nested=True) for name, member in value.items()}
    if nested and isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [of_record(item, schema["items"], nested=True) for item in value]
    return value


def of_column(value: Any, schema: Mapping[str, Any], *, nested: bool) -> Any:  # noqa: PLR0911 - a case a line
    """A value of a column, as pyarrow's `to_pylist` gives it, in the same words."""
    types = declared(schema)
    if value is None:
        return None
    if isinstance(value, datetime):
        assert value.utcoffset() is not None
        since = value - EPOCH
        return (since.days * 86400 + since.seconds) * 10**6 + since.microseconds
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number(repr(value))
    if nested and isinstance(value, dict):
        members = schema["properties"]
        return {name: of_column(member, members[name], nested=True) for name, member in value.items()}
    if nested and types == {"object"} and isinstance(value, list):
        every = schema["additionalProperties"]
        return {name: of_column(member, every, nested=True) for name, member in value}
    if nested and isinstance(value, list):
        return [of_column(item, schema["items"], nested=True) for item in value]
    return value if types in ({"string"}, {"boolean"}) else exact(value)


def declared(schema: Mapping[str, Any]) -> set[str]:
    """The types that a schema allows beside null."""
    types = schema.get("type") or []
    return {*([types] if isinstance(types, str) else types)} - {"null"}


def restored(traits: Any, apart: Mapping[str, Any] | None) -> Any:
    """Traits with what was kept apart put where it was."""
    whole = {"": traits}
    for pointer, value in (apart or {}).items():
        place: Any = whole
        *way, last = ["", *(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])]
        for part in way:
            place = place[int(part) if isinstance(place, list) else part]
        place[int(last) if isinstance(place, list) else last] = value
    return plain(whole[""])
