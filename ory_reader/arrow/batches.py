"""Rows of a stream's decoder in, Arrow record batches out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from ory_reader.arrow import columns, leaves, typed
from ory_reader.arrow.columns import Text
from ory_reader.errors import AnswerError
from ory_reader.records.decoder import SlowRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ory_reader.arrow.columns import Column

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


class BatchMaker:
    """Makes record batches of the rows of one stream."""

    def __init__(
        self, schema: Mapping[str, Any], names: Iterable[str], *, nested: bool = False, traits: str | None = None
    ) -> None:
        """Know the columns: the fields of `schema` that are in `names`.

        With `nested` the parts of objects and arrays are columns too. `traits` is the field whose values that have no
        column go into `nonconforming_traits`.
        """
        declared = schema["properties"]
        self._columns: dict[str, Column] = {
            name: columns.column(declared[name], nested=nested, closed=name == traits) for name in names
        }
        self._traits = traits or ""
        fits = nested and {traits, typed.APART} <= {*self._columns}
        self._fitting = typed.Fitting(self._columns[self._traits]) if fits else None
        self.schema = pa.schema([(name, column.type) for name, column in self._columns.items()])

    def batch(self, rows: Sequence[Any]) -> pa.RecordBatch:
        """Make a batch of rows, which are all of one class.

        Raises:
            AnswerError: if a value is not of its declared type.
        """
        values, arrays = self._values(rows), {}
        if self._fitting:
            traits, apart = (leaves.raws(values[name]) for name in (self._traits, typed.APART))
            arrays[self._traits], values[typed.APART] = self._fitting.array(traits, apart)
        for name, column in self._columns.items():
            if name not in arrays:
                try:
                    arrays[name] = _array(column, values[name])
                except (msgspec.ValidationError, leaves.MisfitError) as error:
                    msg = f"The server answered a value of {name} that is not of its declared type: {error}."
                    raise AnswerError(msg) from None
        return pa.record_batch([arrays[name] for name in self._columns], schema=self.schema)

    def _values(self, rows: Sequence[Any]) -> dict[str, Sequence[Any]]:
        """Each column's values: JSON as it came, or anything that msgspec encodes; UNSET or None for what is absent."""
        if isinstance(rows[0], SlowRow):
            members = [_members.decode(row.record) for row in rows]
            return {name: [member.get(name) for member in members] for name in self._columns}
        found = zip(*map(msgspec.structs.astuple, rows), strict=True)
        fields = dict(zip(type(rows[0]).__struct_encode_fields__, found, strict=True))
        absent = (None,) * len(rows)
        return {name: fields.get(name, absent) for name in self._columns}


def _array(column: Column, values: Sequence[Any]) -> pa.Array:
    """Return the array of a column's values.

    Raises:
        ValidationError: msgspec's, if one is not of the column's type.
        MisfitError: if it is and cannot be held as it is.
    """
    classes = set(map(type, values))
    if classes <= {msgspec.UnsetType, type(None)}:
        return pa.nulls(len(values), column.type)
    if isinstance(column, Text) and classes <= {str, type(None)}:
        return column.array(values)
    raws = leaves.raws(values)
    if isinstance(column, Text):
        return column.read(leaves.texts(raws))
    if column.kind is msgspec.Raw:
        return column.array(raws)
    return column.array(msgspec.json.decode(b"[" + b",".join(raws) + b"]", type=list[column.kind]))  # type: ignore[name-defined]
