"""One field of all records of a page, a column: as Python values, as text with JSON in it, as the parts of objects.

A value is as a decoder left it: JSON as bytes (`msgspec.Raw`), something that msgspec encodes as such, or UNSET where
a record lacks the field; UNSET stays UNSET. A column is decoded at once, which is several times cheaper than value
by value.
"""

from __future__ import annotations

import re
from contextlib import suppress
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
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from tap_ory.flattening import Flattener

#: What is a value and text alike, and what is a value as it is.
TEXTS: frozenset[Any] = frozenset({str, NoneType, UnsetType})
SCALARS = TEXTS | {bool}
RAW: frozenset[Any] = frozenset({Raw, UnsetType})
#: In what is without them there are no white space and no escapes.
LOOKED_INTO = (b" ", b"\t", b"\\", b"\x7f")
#: What the SDK's JSON escapes, beside what all JSON does.
ESCAPED = re.compile("[^\x00-\x7e]+")

encode, encode_lines = msgspec.json.Encoder().encode, msgspec.json.Encoder().encode_lines
_as_written = msgspec.json.Decoder(float_hook=lambda text: Raw(text.encode()))
_untyped = msgspec.json.Decoder()


class UnusableNameError(Exception):
    """A name that no struct takes: nothing is compiled then."""


def decoded(column: list[Any]) -> list[Any]:
    """The values as `lossless_json.loads` gives them."""
    return _present(column, SCALARS, lambda raws: loads(_together(raws)))


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


def _present(column: list[Any], good: Collection[type], convert: Callable[[list[Any]], list[Any]]) -> list[Any]:
    """Convert a column, as JSON and without what is UNSET in it, unless all of it is good as it is."""
    kinds = set(map(type, column))
    if kinds.issubset(good):
        return column
    present = [value for value in column if value is not UNSET] if UnsetType in kinds else column
    values = convert(present if kinds <= RAW else list(map(encode, present)))
    if present is column:
        return values
    each = iter(values)
    return [value if value is UNSET else next(each) for value in column]


def _together(raws: Iterable[Any]) -> bytes:
    return b"[%b]" % b",".join(raws)


class Texts:
    """Makes values for a column of text: text and null as they are, all else as JSON, as the SDK writes it."""

    def __init__(self, declared: Mapping[str, Any], *, made_by_server: bool = False) -> None:
        """`declared` is what the schema says of the values; what is so is cheaper.

        What is `made_by_server` and is nobody's free text has no member twice: of such values an array need not be
        looked into.
        """
        usual = _usual(declared)
        self._usual: Any = None if usual is Any else msgspec.json.Decoder(list[usual])  # type: ignore[valid-type]
        self._made_by_server = made_by_server

    def read(self, column: list[Any]) -> list[Any]:
        """Return the texts."""
        return _present(column, TEXTS, self._texts)

    def _texts(self, raws: list[Any]) -> list[Any]:
        lines = b"\n".join(raws)
        if self._made_by_server and lines.isascii() and not any(map(lines.__contains__, LOOKED_INTO)):
            written = lines.decode().split("\n")
            if {text[0] for text in written} == {"["}:
                return written
        try:
            values, canonical = self._decoded(_together(raws), lines)
        except (msgspec.MsgspecError, RecursionError):
            return [_text(bytes(raw)) for raw in raws]
        # There are no line breaks between values, and within texts they are escaped.
        written = canonical.decode().split("\n")
        if not canonical.isascii() or b"\x7f" in canonical:
            written = [ESCAPED.sub(_escaped, text) for text in written]
        if TEXTS.isdisjoint(map(type, values)):
            return written
        return [
            value if value.__class__ is str or value is None else text
            for value, text in zip(values, written, strict=True)
        ]

    def _decoded(self, together: bytes, lines: bytes) -> tuple[list[Any], bytes]:
        """The values, and their JSON as msgspec writes it, a line each."""
        if self._usual:
            with suppress(msgspec.ValidationError):
                values = self._usual.decode(together)
                if encode_lines(values)[:-1] == lines:
                    return values, lines
            # Servers of another version write other members, or in another order: so they do on the next page.
            self._usual = None
        # White space, escapes that need not be, members that come twice: they are gone then.
        values = _as_written.decode(together)
        return values, encode_lines(values)[:-1]


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
        values = [None if value is UNSET else value for value in column] if UNSET in column else column
        together = _together(values if set(map(type, values)) == {Raw} else map(encode, values))
        try:
            values, self.undeclared = self._strict.decode(together), None
        except msgspec.ValidationError:
            values = self._open.decode(together)
            self.undeclared = [list(self._members.undeclared(value)) for value in _untyped.decode(together)]
        nothing = self.nothing
        return [value or nothing for value in values] if None in values else values


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
