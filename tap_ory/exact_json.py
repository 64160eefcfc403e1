"""JSON whose numbers stay as they are written, whatever their size: what the compiled decoders cannot take.

Anybody who can write a trait can write a number of 5,000 digits, which Python's own decoder refuses.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import simplejson


def loads(text: str | bytes) -> Any:
    """Decode JSON without changing a number: decimals are `Decimal`, what Python cannot hold is `RawJSON`.

    Raises:
        ValueError: if it is no JSON; NaN and Infinity are none.
        RecursionError: if it is nested without end.
    """
    return json.loads(text, parse_float=_decimal, parse_int=_whole, parse_constant=_refuse_constant)


def loads_page(body: bytes) -> Any:
    """Decode a page as `loads` does; what is no UTF-8 becomes U+FFFD, a byte order mark is left out."""
    return loads(body.decode("utf-8-sig", errors="replace"))


def _decimal(text: str) -> Decimal | simplejson.RawJSON:
    try:
        return Decimal(text)
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
