"""One value of a setting: as the schema declares it, wherever it was written.

Files of environment variables, forms and shells know text only, and leave what is not set empty.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}
#: Bounded, for the number that an exponent stands for may fill the memory.
NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,2})?", re.ASCII)

_NO_BOOLEAN = ("is neither true nor false", "give true or false")
_NO_INTEGER = ("is no whole number", "give digits only")
_NO_NUMBER = ("is no number", "give digits and at most one point")
_NO_JSON = "is no JSON"


class UnreadableError(ValueError):
    """A text is not of the declared type. Holds what is wrong and the remedy, without the text."""

    def __init__(self, what: str, remedy: str) -> None:
        """Keep both halves of the sentence."""
        super().__init__(what)
        self.what, self.remedy = what, remedy


def kinds_of(definition: Mapping[str, Any]) -> list[str]:
    """Return the JSON types that a setting may have; none where its schema is made of alternatives."""
    kinds = definition.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def is_unset(value: Any) -> bool:
    """Tell whether a value says nothing: null, or the empty text that a form or a shell leaves."""
    return value is None or value == ""


def read_value(value: Any, definition: Mapping[str, Any]) -> Any:
    """Return the value as `definition` declares it, None where it is unset; of other types than text, unchanged.

    Raises:
        UnreadableError: if a text cannot be of the declared type.
    """
    kinds = kinds_of(definition)
    if isinstance(value, float) and "integer" in kinds and "number" not in kinds and value.is_integer():
        return int(value)
    if not isinstance(value, str):
        return value
    if "enum" in definition:
        return _choice(value, definition["enum"], kinds)
    if not kinds or "string" in kinds:
        return value or None
    text = value.strip()
    return _read_text(text, kinds) if text else None


def _read_text(text: str, kinds: list[str]) -> Any:
    if "boolean" in kinds:
        if text.lower() not in BOOLEANS:
            raise UnreadableError(*_NO_BOOLEAN)
        return BOOLEANS[text.lower()]
    if "integer" in kinds and "number" not in kinds:
        number = Decimal(text) if NUMBER.fullmatch(text) else Decimal("0.5")
        if number != number.to_integral_value():
            raise UnreadableError(*_NO_INTEGER)
        return int(number)
    if "number" in kinds:
        if not NUMBER.fullmatch(text):
            raise UnreadableError(*_NO_NUMBER)
        return float(text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UnreadableError(_NO_JSON, f"give a JSON {'array' if 'array' in kinds else 'object'}") from None


def _choice(text: str, choices: list[Any], kinds: list[str]) -> Any:
    """One of the choices by its word; of those that are true and false, by any word for them."""
    word = text.strip().lower()
    by_word = {str(choice).lower(): choice for choice in choices if choice is not None}
    if "boolean" in kinds and word not in by_word:
        if word and word not in BOOLEANS:
            raise UnreadableError(_NO_BOOLEAN[0], f"give {', '.join(by_word)}")
        return BOOLEANS.get(word)
    return by_word.get(word, text) if word else None
