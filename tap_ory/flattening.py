"""Flattened records that fit their flattened SCHEMA: a column is what the SCHEMA says, and there are no others.

The SDK flattens schemas and records by different rules (`singer_sdk.helpers._flattening`): its records carry
members that no schema declares as further keys, and bare numbers where the schema has made a column text. Here
the schema is the SDK's, and the record follows it.

Column names are kept within what PostgreSQL takes, which shortens longer ones by itself and then finds two the
same, or misses the one that it was asked for.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from simplejson import RawJSON
from singer_sdk.helpers._flattening import flatten_key, flatten_schema
from singer_sdk.singerlib.json import serialize_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk.helpers._flattening import FlatteningOptions

#: What a column's name may take as UTF-8 (NAMEDATALEN - 1 in PostgreSQL, the least of the usual warehouses).
MAX_BYTES = 63
#: What tells two names apart that begin alike.
DIGITS = 8
JSON_VALUES = (bool, int, float, Decimal, RawJSON, dict, list)
#: How many keys that were left out are named.
NAMED = 5


@dataclass(frozen=True)
class Column:
    """A place whose value is a column; where that `is_text`, what is no text is in it as JSON.

    `declared` is what the schema says of it that is not flattened.
    """

    name: str
    is_text: bool = False
    declared: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Members:
    """An object whose members have places of their own; `key` is what its own column would be called."""

    key: str
    path: str
    places: Mapping[str, Place]

    def undeclared(self, value: Any) -> Iterator[str]:
        """What the columns of a decoded value's members would be called, where the members have none."""
        if not isinstance(value, dict):
            return
        for name, member in value.items():
            place = self.places.get(name, self.path + name)
            if isinstance(place, Members) and isinstance(member, dict):
                yield from place.undeclared(member)
            elif member is not None and not isinstance(place, Column):
                yield place.key if isinstance(place, Members) else place


#: Where a value goes; as a text, what its column would be called if it had one.
Place = Column | Members | str


class Flattener:
    """Makes rows of records as their SCHEMA says."""

    def __init__(self, schema: Mapping[str, Any], options: FlatteningOptions, longest: int) -> None:
        """Flatten `schema`; `longest` are the bytes that a column's name may take.

        Raises:
            ValueError: if several columns would have the same name.
        """
        self._options = options
        flattened = flatten_schema(
            dict(schema),
            max_level=options.max_level,
            separator=options.separator,
            max_key_length=options.max_key_length,
        )
        self._columns = {name: shortened(name, longest) for name in flattened["properties"]}
        columns = {name: _column(column) for name, column in flattened["properties"].items()}
        self._is_text = {name for name, column in columns.items() if "string" in column.get("type", ())}
        self.schema: dict[str, Any] = {
            **flattened,
            "properties": {self._columns[name]: each for name, each in columns.items()},
        }
        declared = schema.get("properties", {})
        self._places = {name: self._place(name, [], each) for name, each in declared.items()}
        #: How many values no column has, by what their keys would have been.
        self.left_out: Counter[str] = Counter()

    def place(self, name: str) -> Place:
        """Where a field of a record goes."""
        return self._places.get(name, name)

    def __call__(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the columns of a record; those that it says nothing of are missing."""
        row: dict[str, Any] = {}
        for name, value in record.items():
            self._add(row, self.place(name), value)
        return row

    def _place(self, name: str, above: list[str], declared: Mapping[str, Any]) -> Place:
        separator = self._options.separator
        key = flatten_key(name, above, separator, max_key_length=self._options.max_key_length)
        if key in self._columns:
            return Column(self._columns[key], key in self._is_text, declared)
        members = declared.get("properties")
        if not members or len(above) >= self._options.max_level:
            return key
        path = [*above, name]
        places = {each: self._place(each, path, member) for each, member in members.items()}
        return Members(key, separator.join([*path, ""]), places)

    def _add(self, row: dict[str, Any], place: Place, value: Any) -> None:
        if isinstance(place, Column):
            row[place.name] = fitted(value) if place.is_text else value
        elif isinstance(place, Members) and isinstance(value, dict):
            for name, member in value.items():
                # A member that is not declared could have the name of a column that is something else.
                self._add(row, place.places.get(name, place.path + name), member)
        elif value is not None:
            self.left_out[place.key if isinstance(place, Members) else place] += 1

    def told(self) -> str:
        """What was left out, in a sentence; empty if nothing was."""
        if not self.left_out:
            return ""
        first = ", ".join(f"{name} ({number})" for name, number in self.left_out.most_common(NAMED))
        more = len(self.left_out) - NAMED
        return (
            f"{self.left_out.total()} value(s) have no column and were left out, as no schema declares them: {first}"
            f"{f' and {more} more' if more > 0 else ''}. Without flattening_enabled they are kept."
        )


def fitted(value: Any) -> Any:
    """A value for a column of text: as JSON if it is none."""
    return serialize_json(value) if isinstance(value, JSON_VALUES) else value


def shortened(name: str, longest: int) -> str:
    """Return a name of at most so many bytes, which no other name is shortened to."""
    encoded = name.encode()
    if len(encoded) <= longest:
        return name
    digits = hashlib.sha256(encoded).hexdigest()[:DIGITS]
    return f"{encoded[: longest - DIGITS - 1].decode(errors='ignore')}_{digits}"


def _column(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A column as the SDK flattens it; text where it has left an object or an array."""
    types = schema.get("type", ("string", "null"))
    if {"object", "array"}.isdisjoint([types] if isinstance(types, str) else types):
        return schema
    return {"type": ["string", "null"]}
