"""Values as the JSON they came as in, Arrow arrays out: text, times, numbers, booleans.

A page's values lie one behind the other in its bytes; here they are joined into one buffer with offsets, and all
else is done by Arrow on whole columns. Only what Arrow cannot take is looked at one by one. No value is changed: what
does not fit its type raises, and text that is declared for a value that is none holds its JSON.
"""

from __future__ import annotations

from array import array
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from ory_reader.records.changes import canonical

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Ory sends up to nine fraction digits. Those beyond six are cut off, before 1970 too: never a later time.
TIME = pa.timestamp("us", "UTC")
NULL = msgspec.Raw(b"null")
#: The characters of a time to the microsecond, of the shortest time with its Z, and of one to the microsecond with it.
TIME_CHARACTERS, SHORTEST_TIME, LONGEST_TIME = 26, 20, 27
#: So many characters hold no more digits than every double tells apart, beside a sign or a point.
EXACT_CHARACTERS = 16

_raws = msgspec.json.Decoder(list[msgspec.Raw])
_texts = msgspec.json.Decoder(list[str | None])


class MisfitError(Exception):
    """Values that their column cannot hold as they are; tells no value."""


def raws(values: Sequence[Any]) -> Sequence[msgspec.Raw]:
    """Return values as the JSON that they came as, or are; null for what is absent."""
    classes = set(map(type, values))
    if msgspec.UnsetType in classes or type(None) in classes:
        values = [NULL if value is None or value is msgspec.UNSET else value for value in values]
    if classes <= {msgspec.Raw, msgspec.UnsetType, type(None)}:
        return values
    return _raws.decode(msgspec.json.encode(values))


def json_texts(values: Sequence[msgspec.Raw]) -> pa.Array:
    """Return values as their JSON, null as null."""
    return _joined(values)[0]


def texts(values: Sequence[msgspec.Raw]) -> pa.Array:
    """Return texts; what is none is its JSON."""
    found, data = _joined(values)
    if b"\\" not in data and _all(pc.starts_with(found, '"')):
        return pc.binary_slice(found.view(pa.binary()), 1, -1).view(pa.string())
    try:
        return pa.array(_texts.decode(b"[" + b",".join(values) + b"]"), pa.string())
    except msgspec.ValidationError:
        decoded = [msgspec.json.decode(value) for value in values]
        kept = zip(found.to_pylist(), decoded, strict=True)
        return pa.array([value if isinstance(value, str) else text for text, value in kept], pa.string())


def times(found: pa.Array) -> pa.Array:
    """Return RFC 3339 times to the microsecond.

    Raises:
        MisfitError: if one is none.
    """
    shortest, longest = (each.as_py() for each in pc.min_max(pc.binary_length(found)).values())
    if shortest is None:
        return pa.nulls(len(found), TIME)
    # What is shorter has no seconds; Arrow reads it all the same.
    if shortest >= SHORTEST_TIME:
        try:
            if longest > LONGEST_TIME and _all(pc.ends_with(found, "Z")):
                trimmed = pc.utf8_slice_codeunits(pc.ascii_rtrim(found, "Z"), 0, TIME_CHARACTERS)
                return trimmed.cast(pa.timestamp("us")).view(TIME)
            return found.cast(TIME)
        except pa.ArrowInvalid:
            pass
    moments = [None if text is None else _moment(text) for text in found.to_pylist()]
    return pa.array(moments, pa.string()).cast(pa.timestamp("us")).view(TIME)


def numbers(values: Sequence[msgspec.Raw]) -> pa.Array:
    """Return numbers as doubles.

    Raises:
        MisfitError: if one is no number, or none that a double holds to its last digit.
    """
    found, data = _joined(values)
    try:
        doubles = found.cast(pa.float64())
    except pa.ArrowInvalid:
        msg = "not all are numbers"
        raise MisfitError(msg) from None
    if (pc.max(pc.binary_length(found)).as_py() or 0) > EXACT_CHARACTERS or b"e" in data or b"E" in data:
        for text, double in zip(found.to_pylist(), doubles.to_pylist(), strict=True):
            if text is not None and not is_exact(Decimal(text), double):
                msg = "a number has more digits than a double tells apart"
                raise MisfitError(msg)
    return doubles


def is_exact(number: Decimal, double: float) -> bool:
    """Whether a double, as it is written, is this very number."""
    return number == Decimal(repr(double))


def _joined(values: Sequence[msgspec.Raw]) -> tuple[pa.Array, bytes]:
    """Values as their JSON, null as null, and all of it in one."""
    data = b"".join(values)
    offsets = array("i", accumulate(map(len, values), initial=0))
    found = pa.Array.from_buffers(pa.string(), len(values), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    is_null = pc.equal(found, "null")
    return (pc.if_else(is_null, None, found) if is_null.true_count else found), data


def _all(answers: pa.Array) -> bool:
    return bool(pc.all(answers, min_count=0).as_py())


def _moment(text: str) -> str:
    moment: Any = canonical(text)
    if moment is None:
        msg = "not all are RFC 3339 times"
        raise MisfitError(msg)
    return str(moment[:TIME_CHARACTERS])
