"""JSON that most taps' libraries write and no decoder takes, as JSON values all the same.

Beyond JSON, a text may hold NaN and Infinity (they become null), numbers beyond a double (they become texts), lone
surrogates and NUL (they become U+FFFD), and objects nested without bounds (from a depth on they become their own
JSON text). Knows nothing of what the values mean.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

from target_c1.values import TOO_DEEP, TOO_LARGE

#: Objects and arrays within each other that stay: in a line of Singer's, the message's own included.
MAX_DEPTH = 24

_NOT_FOR_C1 = re.compile("[\x00\ud800-\udfff]")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)


def repaired(text: bytes, depth: int) -> tuple[Any, Counter[str]]:
    """Return the value of a text, and what was changed in it how often; `depth` are the levels that stay.

    Raises:
        ValueError: if it cannot be repaired.
        RecursionError: likewise: whole JSON is flat by then, a text that was cut may still be deep.
    """
    repair = _Repair()
    flat = _flatten(text.decode("utf-8", "surrogatepass"), depth, repair.changes)
    value = json.loads(flat, parse_constant=repair.not_a_number, parse_int=repair.integer, parse_float=repair.real)
    return repair.cleaned(value), repair.changes


class _Repair:
    def __init__(self) -> None:
        self.changes: Counter[str] = Counter()

    def not_a_number(self, _constant: str) -> None:
        self.changes["values that are no number set to null"] += 1

    def integer(self, digits: str) -> int | str:
        # Python refuses to make integers of more than 4,300 digits.
        return int(digits) if len(digits) < 400 else self._too_large(digits)  # noqa: PLR2004

    def real(self, digits: str) -> float | str:
        number = float(digits)
        return number if math.isfinite(number) else self._too_large(digits)

    def _too_large(self, digits: str) -> str:
        self.changes[TOO_LARGE] += 1
        return digits

    def cleaned(self, value: Any) -> Any:
        if isinstance(value, str):
            cleaned, changes = _NOT_FOR_C1.subn("\ufffd", value)
            self.changes["characters that are none replaced"] += changes
            return cleaned
        if isinstance(value, list):
            return [self.cleaned(item) for item in value]
        if isinstance(value, dict):
            return {self.cleaned(key): self.cleaned(item) for key, item in value.items()}
        return value


def _flatten(text: str, most: int, changes: Counter[str]) -> str:
    """Return JSON in which every object or array below a depth of `most` is a text, its own JSON; without recursion."""
    pieces: list[str] = []
    depth = done = start = 0
    for match in _TOKEN.finditer(text):
        found = match.group()
        if found in "[{":
            depth += 1
            if depth == most + 1:
                start = match.start()
        elif found in "]}":
            if depth == most + 1:
                pieces += (text[done:start], json.dumps(text[start : match.end()]))
                done = match.end()
                changes[TOO_DEEP] += 1
            depth -= 1
    return "".join([*pieces, text[done:]])
