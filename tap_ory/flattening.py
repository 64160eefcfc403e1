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
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from simplejson import RawJSON
from singer_sdk.helpers._flattening import flatten_key
from singer_sdk.singerlib.json import serialize_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.helpers._flattening import FlatteningOptions
    from singer_sdk.mapper import StreamMap

#: What a column's name may take as UTF-8 (NAMEDATALEN - 1 in PostgreSQL, the least of the usual warehouses).
MAX_BYTES = 63
#: What tells two names apart that begin alike.
DIGITS = 8
JSON_VALUES = (bool, int, float, Decimal, RawJSON, dict, list)
#: How many keys that were left out are named.
NAMED = 5


class Flattener:
    """Makes rows of a stream map's records: `flatten_record` as its SCHEMA says."""

    def __init__(self, stream_map: StreamMap, options: FlatteningOptions, longest: int) -> None:
        """Take over the map's flattened schema; `longest` are the bytes that a column's name may take."""
        flattened: dict[str, Any] = stream_map.transformed_schema
        self._options = options
        self._declared: Mapping[str, Any] = stream_map.raw_schema.get("properties", {})
        self._columns = {name: shortened(name, longest) for name in flattened["properties"]}
        columns = {name: _column(column) for name, column in flattened["properties"].items()}
        self._is_text = {name for name, column in columns.items() if "string" in column.get("type", ())}
        self.schema = {**flattened, "properties": {self._columns[name]: each for name, each in columns.items()}}
        #: How many values no column has, by what their keys would have been.
        self.left_out: Counter[str] = Counter()

    def __call__(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the columns of a record; those that it says nothing of are missing."""
        row: dict[str, Any] = {}
        for name, value in record.items():
            self._add(row, name, value, [], self._declared.get(name, {}))
        return row

    def _add(self, row: dict[str, Any], name: str, value: Any, above: list[str], declared: Mapping[str, Any]) -> None:
        options = self._options
        key = flatten_key(name, above, options.separator, max_key_length=options.max_key_length)
        column = self._columns.get(key)
        if column is not None:
            row[column] = self._fitted(key, value)
        elif isinstance(value, dict) and len(above) < options.max_level:
            members = declared.get("properties")
            path = [*above, name]
            for each, member in value.items():
                if members is None or each in members:
                    self._add(row, each, member, path, members[each] if members else {})
                elif member is not None:
                    # It could have the name of a column that is something else.
                    self.left_out[options.separator.join([*path, each])] += 1
        elif value is not None:
            self.left_out[key] += 1

    def _fitted(self, key: str, value: Any) -> Any:
        """The value; as JSON where the column is text and it is none."""
        return serialize_json(value) if key in self._is_text and isinstance(value, JSON_VALUES) else value

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
