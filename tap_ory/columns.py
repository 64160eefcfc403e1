"""One field of all records of a page, a column: as Python values, as text with JSON in it, as the parts of objects.

A value is as a decoder left it: JSON as bytes (`msgspec.Raw`), something that msgspec encodes as such, or UNSET where
a record lacks the field; UNSET stays UNSET. A column is decoded at once, which is several times cheaper than value
by value.
"""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import repeat
from types import NoneType
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, Raw, UnsetType
from singer_sdk.singerlib.json import serialize_json

from ory_reader.json_pointer import USABLE_NAME
from ory_reader.lossless_json import loads
from ory_reader.traits.decoder_types import is_text, types_of
from tap_ory.flattening import JSON_VALUES, Column, Members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tap_ory.flattening import Flattener

#: What is a value and text alike, and what is a value as it is.
TEXTS = frozenset({str, NoneType, UnsetType})
SCALARS = TEXTS | {bool}
NULL = Raw(b"null")
#: What the SDK's JSON escapes, beside what all JSON does.
ESCAPED = re.compile("[^\x00-\x7e]+")

encode = msgspec.json.Encoder().encode
_as_written = msgspec.json.Decoder(float_hook=lambda text: Raw(text.encode()))
_untyped = msgspec.json.Decoder()


class UnusableNameError(Exception):
    """A name that no struct takes: nothing is compiled then."""


def decoded(column: list[Any]) -> list[Any]:
    """The values as `lossless_json.loads` gives them."""
    if SCALARS.issuperset(map(type, column)):
        return column
    return _present(column, lambda values: loads(_together(_raws(values))))


def written(value: Any) -> Any:
    """A value that was evaluated, as msgspec writes what the SDK would."""
    if value.__class__ is str:
        if value.isascii():
            return value
        try:
            value.encode()
        except UnicodeEncodeError:
            return Raw(serialize_json(value).encode())
        return value
    if value is None or value is UNSET or value.__class__ is bool:
        return value
    return Raw(serialize_json(value).encode())


def fitted(value: Any) -> Any:
    """Likewise, for a column of text."""
    return serialize_json(value) if isinstance(value, JSON_VALUES) else written(value)


def _present(column: list[Any], convert: Callable[[list[Any]], list[Any]]) -> list[Any]:
    """Convert a column without what is UNSET in it."""
    present = [value for value in column if value is not UNSET]
    if len(present) == len(column):
        return convert(column)
    values = iter(convert(present) if present else ())
    return [value if value is UNSET else next(values) for value in column]


def _raws(values: list[Any]) -> list[Any]:
    return values if set(map(type, values)) == {Raw} else list(map(encode, values))


def _together(raws: Iterable[Any]) -> bytes:
    return b"[%b]" % b",".join(raws)


class Texts:
    """Makes values for a column of text: text and null as they are, all else as JSON, as the SDK writes it."""

    def __init__(self, declared: Mapping[str, Any]) -> None:
        """`declared` is what the schema says of the values; what is so is cheaper."""
        self._usual: Any = msgspec.json.Decoder(list[_usual(declared)])  # type: ignore[misc]

    def read(self, column: list[Any]) -> list[Any]:
        """Return the texts."""
        return column if TEXTS.issuperset(map(type, column)) else _present(column, self._texts)

    def _texts(self, values: list[Any]) -> list[Any]:
        raws = _raws(values)
        together = _together(raws)
        try:
            values, canonical = self._decoded(together)
        except (msgspec.MsgspecError, RecursionError):
            return [_text(bytes(raw)) for raw in raws]
        if canonical != together:
            # White space, escapes that need not be, members that come twice.
            raws = list(map(encode, values))
        written: Iterable[str] = map(str, raws, repeat("utf-8"))
        if not canonical.isascii() or b"\x7f" in canonical:
            written = (ESCAPED.sub(_escaped, text) for text in written)
        if TEXTS.isdisjoint(map(type, values)):
            return list(written)
        return [
            value if value.__class__ is str or value is None else text
            for value, text in zip(values, written, strict=True)
        ]

    def _decoded(self, together: bytes) -> tuple[list[Any], bytes]:
        """The values, and their JSON as msgspec writes it."""
        if self._usual:
            with suppress(msgspec.ValidationError):
                values = self._usual.decode(together)
                if encode(values) == together:
                    return values, together
            # Servers of another version write other members, or in another order: so they do on the next page.
            self._usual = None
        values = _as_written.decode(together)
        return values, encode(values)


def _usual(schema: Mapping[str, Any]) -> Any:
    """A type of what a schema usually stands for: whatever is the same when it is written again has no more in it."""
    types = set(types_of(schema) or ()) - {"null"}
    if types == {"array"}:
        return list[_usual(schema.get("items") or {})] | None  # type: ignore[misc]
    if types == {"object"}:
        properties = {name: each for name, each in schema.get("properties", {}).items() if USABLE_NAME.fullmatch(name)}
        fields = [(f"f{number}", _usual(each) | UnsetType, UNSET) for number, each in enumerate(properties.values())]
        renamed = {f"f{number}": name for number, name in enumerate(properties)}
        return msgspec.defstruct("Usual", fields, rename=renamed, gc=False) | None if fields else dict[str, Any] | None
    return str | None if types == {"string"} else bool | None if types == {"boolean"} else Any


def _escaped(found: re.Match[str]) -> str:
    return serialize_json(found[0])[1:-1]


def _text(raw: bytes) -> Any:
    try:
        value = loads(raw)
    except RecursionError:
        # Nested deeper than can be looked into.
        return raw.decode()
    return value if value is None or isinstance(value, str) else serialize_json(value)


class Parts:
    """Takes the objects of a column apart, into structs of those members that have a place."""

    def __init__(self, members: Members) -> None:
        """Compile the types.

        Raises:
            UnusableNameError: if one cannot be.
        """
        self._members = members
        kind = part_of(members, strict=True)
        self._strict = msgspec.json.Decoder(list[kind | None])  # type: ignore[valid-type]
        self._open = msgspec.json.Decoder(list[part_of(members, strict=False) | None])  # type: ignore[misc]
        #: Stands for whatever is no object.
        self.nothing = kind()
        #: For each value of the column last read what has no place of it; None if all of all has.
        self.undeclared: list[list[str]] | None = None

    def read(self, column: list[Any]) -> list[Any]:
        """Return a struct for each value.

        Raises:
            msgspec.MsgspecError: if a member is of another type than its schema says.
        """
        together = _together(_raws([NULL if value is UNSET else value for value in column]))
        try:
            values, self.undeclared = self._strict.decode(together), None
        except msgspec.ValidationError:
            values = self._open.decode(together)
            self.undeclared = [list(self._members.undeclared(value)) for value in _untyped.decode(together)]
        nothing = self.nothing
        return [value or nothing for value in values]


def part_of(members: Members, *, strict: bool) -> Any:
    """Return the type of an object: text is checked to be text, what may be anything stays as it is.

    A member's attribute is called by its number, f0. With `strict` there may be no members but those with a place.

    Raises:
        UnusableNameError: if there can be no such type.
    """
    fields: list[Any] = []
    renamed = {}
    for number, (name, place) in enumerate(members.places.items()):
        kind = _kind(place, strict=strict)
        if kind is not None:
            renamed[f"f{number}"] = usable(name)
            fields.append((f"f{number}", kind | UnsetType, UNSET))
    return msgspec.defstruct("Part", fields, rename=renamed, gc=False, forbid_unknown_fields=strict)


def _kind(place: Any, *, strict: bool) -> Any:
    if isinstance(place, Members):
        return part_of(place, strict=strict) | None
    if isinstance(place, Column):
        return str | None if is_text(place.declared) else Raw
    return None


def usable(name: str) -> str:
    """Return the name.

    Raises:
        UnusableNameError: if it cannot be a struct's.
    """
    if not USABLE_NAME.fullmatch(name):
        raise UnusableNameError
    return name


def counted(rows: Iterable[Any], undeclared: Iterable[list[str]], flattener: Flattener) -> Iterator[Any]:
    """Hand on rows; count what has no column of those that were made."""
    for row, names in zip(rows, undeclared, strict=True):
        if row is not None:
            flattener.left_out.update(names)
        yield row
