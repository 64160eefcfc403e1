"""A JSON Schema in, a column out: its Arrow type, what msgspec decodes its values into, and how they become an array.

Values stay the bytes that they came as down to the leaves of what is nested.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, chain
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import msgspec
import pyarrow as pa

from ory_reader.arrow import leaves
from ory_reader.traits.big_numbers import LARGEST, SMALLEST
from ory_reader.traits.decoder_types import types_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Column(Protocol):
    """One column, or a part of one."""

    @property
    def type(self) -> pa.DataType:
        """Its Arrow type."""

    @property
    def kind(self) -> Any:
        """What msgspec decodes a value into."""

    def array(self, values: Sequence[Any]) -> pa.Array:
        """Return decoded values as an array.

        Raises:
            MisfitError: if one cannot be held as it is.
        """


@dataclass(frozen=True)
class Leaf:
    """A value without parts, or the JSON of one that has some."""

    type: pa.DataType
    kind: Any
    array: Callable[[Sequence[Any]], pa.Array]


@dataclass(frozen=True)
class Text:
    """Text, or what is written as such: `read` makes the column of an array of texts."""

    type: pa.DataType
    read: Callable[[pa.Array], pa.Array]
    kind: Any = str | None

    def array(self, values: Sequence[str | None]) -> pa.Array:
        """Return texts as what they are."""
        return self.read(pa.array(values, pa.string()))


def _plain(kind: Any, arrow: pa.DataType) -> Leaf:
    return Leaf(arrow, kind | None, lambda values: pa.array(values, arrow))


JSON = Leaf(pa.string(), msgspec.Raw, leaves.json_texts)
INSTANT = Text(leaves.TIME, leaves.times)
NUMBER = Leaf(pa.float64(), msgspec.Raw, leaves.numbers)
SCALARS: dict[frozenset[str], Column] = {
    frozenset({"string"}): Text(pa.string(), lambda texts: texts),
    frozenset({"integer"}): _plain(Annotated[int, msgspec.Meta(ge=SMALLEST, le=LARGEST)], pa.int64()),
    frozenset({"number"}): NUMBER,
    frozenset({"number", "integer"}): NUMBER,
    frozenset({"boolean"}): _plain(bool, pa.bool_()),
}


class Struct:
    """An object with declared members; with `closed` an undeclared one does not decode."""

    def __init__(self, members: Mapping[str, Column], *, closed: bool) -> None:
        """Compile what an object decodes into."""
        self.members = members
        self._fields = [pa.field(name, member.type) for name, member in members.items()]
        self.type = pa.struct(self._fields)
        attributes = {f"f{number}": name for number, name in enumerate(members)}
        parts = zip(attributes, members.values(), strict=True)
        struct = msgspec.defstruct(
            "Object",
            [
                (attribute, member.kind, leaves.NULL if member.kind is msgspec.Raw else None)
                for attribute, member in parts
            ],
            rename=attributes,
            forbid_unknown_fields=closed,
            gc=False,
        )
        self._empty = struct()
        self.kind = struct | None

    def array(self, values: Sequence[Any]) -> pa.Array:
        """Return objects as structs."""
        missing = None
        if None in values:
            missing = pa.array([value is None for value in values], pa.bool_())
            values = [self._empty if value is None else value for value in values]
        # One member after the other: a tuple for each object would keep the collector of garbage busy.
        children = [
            member.array(list(map(attrgetter(f"f{number}"), values)))
            for number, member in enumerate(self.members.values())
        ]
        return pa.StructArray.from_arrays(children, fields=self._fields, mask=missing)


class List:
    """An array whose elements are of one type."""

    def __init__(self, element: Column) -> None:
        """Know what the elements are."""
        self.element = element
        self.type = pa.list_(element.type)
        self.kind = list[element.kind] | None  # type: ignore[name-defined]

    def array(self, values: Sequence[Any]) -> pa.Array:
        """Return lists of elements."""
        elements = self.element.array(list(chain.from_iterable(filter(None, values))))
        return pa.ListArray.from_arrays(_offsets(values), elements, type=self.type)


class Map:
    """An object whose members have names of any kind, and values of one."""

    def __init__(self, member: Column) -> None:
        """Know what the members are."""
        self._member = member
        self.type = pa.map_(pa.string(), member.type)
        self.kind = dict[str, member.kind] | None  # type: ignore[name-defined]

    def array(self, values: Sequence[Any]) -> pa.Array:
        """Return objects as maps."""
        names = pa.array(list(chain.from_iterable(filter(None, values))), pa.string())
        members = self._member.array([member for value in values if value for member in value.values()])
        return pa.MapArray.from_arrays(_offsets(values), names, members, type=self.type)


def column(schema: Mapping[str, Any], *, nested: bool, closed: bool = False) -> Column:
    """Return the column for values of a schema.

    What is nested, or may be of several types, is JSON text; with `nested` an object or array whose parts are
    declared is a struct, map or list. `closed` is as in `Struct`, all the way down.
    """
    types = frozenset(types_of(schema) or ()) - {"null"}
    if types == {"string"} and schema.get("format") == "date-time":
        return INSTANT
    if types in SCALARS:
        return SCALARS[types]
    if not nested or len(types) != 1:
        return JSON
    (kind,) = types
    return _nested(kind, schema, closed=closed) or JSON


def _nested(kind: str, schema: Mapping[str, Any], *, closed: bool) -> Column | None:
    """The column of an object or array; None if nothing is declared of its parts."""
    properties, every, items = (schema.get(key) for key in ("properties", "additionalProperties", "items"))
    if kind == "array" and isinstance(items, dict):
        return List(column(items, nested=True, closed=closed))
    if kind == "object" and properties:
        members = {name: column(each, nested=True, closed=closed) for name, each in properties.items()}
        return Struct(members, closed=closed)
    if kind == "object" and isinstance(every, dict):
        return Map(column(every, nested=True, closed=closed))
    return None


def _offsets(values: Sequence[Any]) -> pa.Array:
    """Where each value begins; null where there is none."""
    if None not in values:
        offsets: list[int | None] = list(accumulate(map(len, values), initial=0))
    else:
        ends = list(accumulate((len(value) if value else 0 for value in values), initial=0))
        offsets = [None if value is None else at for value, at in zip(values, ends, strict=False)]
        offsets.append(ends[-1])
    return pa.array(offsets, pa.int32())
