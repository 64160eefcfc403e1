"""Numbers that no usual column takes, which JSON allows and anybody who can write a trait can write.

PostgreSQL ends a load at an integer of more than 64 bits, and at 1e200000 even within JSON; DuckDB makes Infinity
of 1e400; Python's own decoder, which most targets read with, refuses 5,000 digits and exponents of 19. What a
double holds, and an integer of 64 bits where integers are declared, is taken by all.
"""

from __future__ import annotations

import re
import sys
from decimal import Decimal
from operator import is_
from typing import Any

from simplejson import RawJSON

#: What a column of integers takes: 64 bits with a sign.
SMALLEST, LARGEST = -(2**63), 2**63 - 1
LARGEST_DOUBLE = Decimal(sys.float_info.max)
#: Of decimals: the exponents of ten that a double has, and how many digits some targets take.
MAX_EXPONENT, MAX_DIGITS = 323, 4000

#: Text as marks, to look for few things in it fast: digits and signs are zeros, the e of an exponent stays.
_MARKS = bytes(ord("0") if n in b"0123456789+-" else ord("e") if n in b"eE" else ord(" ") for n in range(256))
_MANY_DIGITS, _EXPONENT = b"0" * 300, b"0e000"
_END_OF_NUMBER = re.compile(rb"[0-9][eE][+-]?[0-9]{3,}\s*[,}\]]")


def may_hold_beyond(text: bytes) -> bool:
    """Whether JSON, which ends with a bracket, may hold a number that is beyond; false for nearly all that has none."""
    marks = text.translate(_MARKS)
    at = marks.rfind(_EXPONENT)
    # Within a text, such as a UUID, it is no exponent.
    while at >= 0 and not _END_OF_NUMBER.match(text, at):
        at = marks.rfind(_EXPONENT, 0, at)
    return at >= 0 or _MANY_DIGITS in marks


def is_beyond(value: Any) -> bool:
    """Whether a value is a number, as `lossless_json.loads` gives it, that no double holds."""
    if isinstance(value, Decimal):
        far = abs(value.adjusted()) > MAX_EXPONENT or len(value.as_tuple().digits) > MAX_DIGITS
        return far or value.copy_abs() > LARGEST_DOUBLE
    if isinstance(value, int):
        return abs(value) > LARGEST_DOUBLE
    return isinstance(value, RawJSON)


def number_text(value: Any) -> str | None:
    """A number as `lossless_json.loads` gives it, as text; None for anything else."""
    if isinstance(value, RawJSON):
        return str(value.encoded_json)
    return str(value) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else None


def within(value: Any) -> Any:
    """Return a decoded value whose numbers beyond are text; the very value if it has none."""
    if isinstance(value, dict):
        members = {name: within(member) for name, member in value.items()}
        return value if all(map(is_, members.values(), value.values())) else members
    if isinstance(value, list):
        items = [within(item) for item in value]
        return value if all(map(is_, items, value)) else items
    return number_text(value) if is_beyond(value) else value
