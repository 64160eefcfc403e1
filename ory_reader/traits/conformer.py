"""Do values fit the JSON Schema that was declared for them? Compiled to find out, one by one to mend.

Knows JSON and JSON Schema as this tap declares it; nothing of identities, Singer or HTTP.

A page's values are decoded together into one compiled type; only where that fails each is looked at alone. A
value that does not fit is converted where nothing is lost (a number where text is declared, 3.0 where an
integer is), else null takes its place and it is kept apart, under its JSON pointer. Where no type is declared,
numbers that no column takes become text.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import simplejson

from ory_reader.json_pointer import pointer_to
from ory_reader.lossless_json import loads, may_hold_nul, without_nul
from ory_reader.traits.big_numbers import LARGEST, SMALLEST, is_beyond, may_hold_beyond, number_text, within
from ory_reader.traits.decoder_types import Wanted, coerce, compiled, is_text_of_many, types_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

logger = logging.getLogger("tap-ory")

NULL = msgspec.Raw(b"null")


class Misfit(NamedTuple):
    """A value that was mended: how it goes on, and what was taken out of it (an object, or null)."""

    value: msgspec.Raw
    apart: msgspec.Raw


@dataclass
class Conformed:
    """A decoded value made to fit: `apart` holds what was taken out, by its JSON pointer."""

    value: Any = None
    apart: dict[str, Any] = field(default_factory=dict)
    changed: bool = False


class Conformer:
    """Checks the values of one field, and reads the wanted parts on the way."""

    def __init__(
        self, schema: Mapping[str, Any], wanted: Wanted | None = None, *, name: str, warned: set[str] | None = None
    ) -> None:
        """`schema` is what was declared; each path below `name` is warned of once, if it is not in `warned`."""
        self._schema = schema
        self._wanted = wanted
        self._name = name
        self._warned = set() if warned is None else warned
        self._kind = compiled(schema, wanted)
        #: The indexes of the values last read that are not of the compiled type.
        self.odd: list[int] = []
        #: The values last read as one text, and what came of them: another view of the same page asks again.
        self._last: tuple[bytes, Sequence[Any], dict[int, Misfit]] = b"", [], {}
        self._many = msgspec.json.Decoder(list[self._kind])  # type: ignore[name-defined]
        self._one = msgspec.json.Decoder(self._kind)

    @property
    def checks(self) -> bool:
        """Whether there is anything to check or to read."""
        return self._kind is not msgspec.Raw

    def finds_same_as(self, other: Conformer) -> bool:
        """Whether the same was declared, and the same people are warned of it."""
        same = {**self._schema, "description": ""} == {**other._schema, "description": ""}
        return same and (self._name, id(self._warned)) == (other._name, id(other._warned))

    def read(self, values: Sequence[msgspec.Raw]) -> tuple[Sequence[Any], dict[int, Misfit]]:
        """Decode a page's values; return them in order, and what did not fit by its index."""
        together = b"[" + b",".join(values) + b"]"
        if together != self._last[0]:
            self._last = together, *self._read(values, together)
        return self._last[1:]

    def _read(self, values: Sequence[msgspec.Raw], together: bytes) -> tuple[Sequence[Any], dict[int, Misfit]]:
        self.odd = []
        beyond = may_hold_beyond(together)
        nul = may_hold_nul(together)
        if not beyond and not nul:
            if not self.checks:
                return values, {}
            try:
                return self._many.decode(together), {}
            except (msgspec.MsgspecError, RecursionError):
                pass
        decoded: list[Any] = []
        misfits: dict[int, Misfit] = {}
        for index, given in enumerate(values):
            value = msgspec.Raw(without_nul(bytes(given))) if nul else given
            part, misfit = self._read_one(index, value, beyond=beyond and may_hold_beyond(b"[%b]" % bytes(value)))
            decoded.append(part)
            if misfit or value != given:
                misfits[index] = misfit or Misfit(value, NULL)
        return decoded, misfits

    def conform(self, value: Any) -> Conformed:
        """Make a value as `lossless_json.loads` gives it fit."""
        mended = Conformed()
        mended.value = self._fit(value, self._schema, "", "", mended)
        return mended

    def _read_one(self, index: int, raw: msgspec.Raw, *, beyond: bool) -> tuple[Any, Misfit | None]:
        if not beyond:
            try:
                return self._one.decode(raw), None
            except (msgspec.MsgspecError, RecursionError):
                pass
        self.odd.append(index)
        try:
            mended = self.conform(loads(bytes(raw)))
            misfit = Misfit(_raw(mended.value), _raw(mended.apart or None)) if mended.changed else None
            return self._wanted_parts(mended.value), misfit
        except RecursionError:
            # Nested deeper than can be looked into: it goes on as it came.
            return None, None

    def _wanted_parts(self, value: Any) -> Any:
        if self._wanted is None:
            return None
        try:
            return msgspec.convert(coerce(value, self._wanted), self._kind)
        except (msgspec.MsgspecError, OverflowError):
            return None

    def _fit(self, value: Any, schema: Mapping[str, Any], pointer: str, trait: str, mended: Conformed) -> Any:
        types = types_of(schema)
        if value is None or types is None:
            return self._within(value, trait, mended)
        if isinstance(value, dict) and "object" in types:
            properties = schema.get("properties", {})
            return {
                name: self._fit(
                    member,
                    properties.get(name, {}),
                    pointer + pointer_to([name]),
                    f"{trait}.{name}" if name in properties else f"{trait}.*",
                    mended,
                )
                for name, member in value.items()
            }
        if isinstance(value, list) and "array" in types:
            items = schema.get("items") or {}
            return [self._fit(item, items, f"{pointer}/{n}", f"{trait}.*", mended) for n, item in enumerate(value)]
        if _fits(value, types):
            return value
        mended.changed = True
        if is_text_of_many(schema):
            return _text(value)
        self._warn(trait, types)
        converted = _converted(value, types)
        if converted is None:
            mended.apart[pointer] = within(value)
        return converted

    def _within(self, value: Any, trait: str, mended: Conformed) -> Any:
        """A value of any type, but for numbers that no column takes."""
        kept = within(value)
        if kept is not value:
            mended.changed = True
            self._tell(
                self._name + trait,
                "%s holds a number that no column takes, beyond 1.8e308 or of thousands of digits. It becomes text.",
            )
        return kept

    def _warn(self, trait: str, types: Sequence[str]) -> None:
        self._tell(
            self._name + trait,
            "%s is not always of its declared type (%s). Numbers become text where text is declared; any other such "
            "value is null and kept in nonconforming_traits. If the identity schema has changed, discover again.",
            ", ".join(kind for kind in types if kind != "null"),
        )

    def _tell(self, path: str, sentence: str, *more: str) -> None:
        if path not in self._warned:
            self._warned.add(path)
            logger.warning(sentence, path, *more)


def _fits(value: Any, types: Sequence[str]) -> bool:
    if isinstance(value, bool):
        return "boolean" in types
    if isinstance(value, str):
        return "string" in types
    if isinstance(value, int) and SMALLEST <= value <= LARGEST and "integer" in types:
        return True
    return "number" in types and isinstance(value, (int, Decimal)) and not is_beyond(value)


def _converted(value: Any, types: Sequence[str]) -> str | int | None:
    """The same number in a declared type, or None."""
    if isinstance(value, Decimal) and "integer" in types and _is_whole(value):
        return int(value)
    return number_text(value) if "string" in types else None


def _is_whole(value: Decimal) -> bool:
    return SMALLEST <= value <= LARGEST and value == value.to_integral_value()


def _text(value: Any) -> str:
    """A value as JSON, numbers as they were written."""
    return str(simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":")))


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(_text(value).encode())
