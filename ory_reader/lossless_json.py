"""JSON whose numbers stay as they are written, whatever their size: what the compiled decoders cannot take.

Anybody who can write a trait can write a number of 5,000 digits, which Python's own decoder refuses.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import simplejson

#: The character NUL as JSON writes it; and that it is one, after pairs of backslashes.
NUL = b"\\u0000"
ESCAPED_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")

if TYPE_CHECKING:
    from typing_extensions import Self


def loads(text: str | bytes) -> Any:
    """Decode JSON without changing a number: decimals are `Written`, what Python cannot hold is `RawJSON`.

    Raises:
        ValueError: if it is no JSON; NaN and Infinity are none.
        RecursionError: if it is nested without end.
    """
    try:
        return _quick.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        # It takes no half of a surrogate pair, and no number beyond the digits that Python reads.
        pass
    return json.loads(text, parse_float=_decimal, parse_int=_whole, parse_constant=_refuse_constant)


def loads_page(body: bytes) -> Any:
    """Decode a page as `loads` does; what is no UTF-8 becomes U+FFFD, a byte order mark is left out."""
    return loads(body.decode("utf-8-sig", errors="replace"))


class Written(Decimal):
    """A decimal whose text is the one that it was read from: 1e3, not 1E+3."""

    __slots__ = ("_text",)
    _text: str

    def __new__(cls, text: str) -> Self:
        """Read a number of JSON.

        Raises:
            ArithmeticError: if its exponent is beyond what decimals hold.
        """
        self = super().__new__(cls, text)
        self._text = text
        return self

    def __str__(self) -> str:
        """As it was written."""
        return self._text


def may_hold_nul(text: bytes) -> bool:
    """Whether NUL may be in JSON; false for nearly all that has none."""
    # From its end, as the last characters are much more frequent than the first, and so it is faster.
    return text.rfind(NUL) >= 0


def without_nul(text: bytes) -> bytes:
    """Return JSON with U+FFFD for each NUL: PostgreSQL takes it in no text, nor within JSON."""
    return ESCAPED_NUL.sub(rb"\1\\ufffd", text) if may_hold_nul(text) else text


def _decimal(text: str) -> Decimal | simplejson.RawJSON:
    try:
        return Written(text)
    except ArithmeticError:
        # An exponent of nineteen digits is valid JSON: anybody who can write a trait can write that.
        return simplejson.RawJSON(text)


def _whole(text: str) -> int | simplejson.RawJSON:
    try:
        return int(text)
    except ValueError:
        # Beyond the digits that Python reads.
        return simplejson.RawJSON(text)


def _refuse_constant(name: str) -> None:
    """NaN and Infinity are no JSON, and no server of Ory's writes them."""
    raise ValueError(name)


_quick = msgspec.json.Decoder(float_hook=_decimal)
