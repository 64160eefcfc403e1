"""Traits as structs, and what of them no column holds: kept by its JSON pointer, so that nothing is lost or changed.

That are members that no identity schema declares, and numbers with more digits than a double tells apart.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import simplejson

from ory_reader.arrow import leaves
from ory_reader.arrow.columns import List, Struct
from ory_reader.json_pointer import pointer_to
from ory_reader.lossless_json import loads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ory_reader.arrow.columns import Column

APART = "nonconforming_traits"
#: What may be a number that no double holds; many a text looks like one.
MANY_DIGITS = re.compile(rb"[0-9.]{16}|[0-9][eE]")


class Fitting:
    """Makes the column of traits."""

    def __init__(self, column: Column) -> None:
        """Values are of the types that `column` was made of, or null."""
        self._column = column
        self._many = msgspec.json.Decoder(list[column.kind])  # type: ignore[name-defined]
        self._one = msgspec.json.Decoder(column.kind)

    def array(
        self, values: Sequence[msgspec.Raw], apart: Sequence[msgspec.Raw]
    ) -> tuple[pa.Array, Sequence[msgspec.Raw]]:
        """Return the array of values, and for each what has no place in it, an object or null."""
        try:
            return self._decoded(values), apart
        except (msgspec.ValidationError, leaves.MisfitError, RecursionError):
            pass
        fitting, beside = list(values), list(apart)
        for index, value in enumerate(values):
            if not self._surely_fits(value):
                fitting[index], beside[index] = self._split(value, apart[index])
        return self._decoded(fitting), beside

    def _decoded(self, values: Sequence[msgspec.Raw]) -> pa.Array:
        if self._column.kind is msgspec.Raw:
            return self._column.array(values)
        return self._column.array(self._many.decode(b"[" + b",".join(values) + b"]"))

    def _surely_fits(self, value: msgspec.Raw) -> bool:
        try:
            self._one.decode(value)
        except (msgspec.ValidationError, RecursionError):
            return False
        return not MANY_DIGITS.search(value)

    def _split(self, value: msgspec.Raw, apart: msgspec.Raw) -> tuple[msgspec.Raw, msgspec.Raw]:
        try:
            kept = loads(bytes(apart))
            left: dict[str, Any] = kept if isinstance(kept, dict) else {}
            fitting = _fit(self._column, loads(bytes(value)), "", left)
            return _raw(fitting), _raw(left or None)
        except RecursionError:
            # Nested deeper than can be looked into: all of it, as it came.
            return leaves.NULL, msgspec.Raw(b'{"":%b}' % bytes(value))


def _fit(column: Column, value: Any, pointer: str, left: dict[str, Any]) -> Any:
    """Move what has no place in a column from a decoded value to `left`."""
    if isinstance(value, dict) and isinstance(column, Struct):
        kept = {}
        for name, member in value.items():
            place = pointer + pointer_to([name])
            if name in column.members:
                kept[name] = _fit(column.members[name], member, place, left)
            elif member is not None:
                left[place] = member
        return kept
    if isinstance(value, list) and isinstance(column, List):
        return [_fit(column.element, item, f"{pointer}/{n}", left) for n, item in enumerate(value)]
    if column.type == pa.float64() and value is not None and not leaves.is_exact(Decimal(value), float(value)):
        left[pointer] = value
        return None
    return value


def _raw(value: Any) -> msgspec.Raw:
    text = simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":"))
    return msgspec.Raw(text.encode())
