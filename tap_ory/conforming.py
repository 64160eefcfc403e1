"""Do values fit the JSON Schema that was declared for them? Compiled to find out, one by one to mend.

Knows JSON and JSON Schema as this tap declares it; nothing of identities, Singer or HTTP.

A page's values are decoded together into one compiled type; only where that fails each is looked at alone. A
value that does not fit is converted where nothing is lost (a number where text is declared, 3.0 where an
integer is), else null takes its place and it is kept apart, under its JSON pointer.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import simplejson
from simplejson import RawJSON

from tap_ory.compiling import Wanted, compiled, number_text, tame, types_of
from tap_ory.exact_json import loads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

logger = logging.getLogger("tap-ory")

NULL = msgspec.Raw(b"null")
#: Decimals with more digits than this are not made integers: that would take for ever.
MAX_DIGITS = 4000


class Misfit(NamedTuple):
    """A value that was mended: how it goes on, and what was taken out of it (an object, or null)."""

    value: msgspec.Raw
    apart: msgspec.Raw


@dataclass
class Mended:
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
        self._many = msgspec.json.Decoder(list[self._kind])  # type: ignore[name-defined]
        self._one = msgspec.json.Decoder(self._kind)

    @property
    def checks(self) -> bool:
        """Whether there is anything to check or to read."""
        return self._kind is not msgspec.Raw

    def read(self, values: Sequence[msgspec.Raw]) -> tuple[list[Any], dict[int, Misfit]]:
        """Decode a page's values; return them in order, and what did not fit by its index."""
        self.odd = []
        try:
            return self._many.decode(b"[" + b",".join(values) + b"]"), {}
        except (msgspec.MsgspecError, RecursionError):
            pass
        decoded: list[Any] = []
        misfits: dict[int, Misfit] = {}
        for index, value in enumerate(values):
            part, misfit = self._read_one(index, value)
            decoded.append(part)
            if misfit:
                misfits[index] = misfit
        return decoded, misfits

    def conform(self, value: Any) -> Mended:
        """Make a value as `exact_json.loads` gives it fit."""
        mended = Mended()
        mended.value = self._fit(value, self._schema, "", "", mended)
        return mended

    def _read_one(self, index: int, raw: msgspec.Raw) -> tuple[Any, Misfit | None]:
        try:
            return self._one.decode(raw), None
        except (msgspec.MsgspecError, RecursionError):
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
            return msgspec.convert(tame(value, self._wanted), self._kind)
        except (msgspec.MsgspecError, OverflowError):
            return None

    def _fit(self, value: Any, schema: Mapping[str, Any], pointer: str, trait: str, mended: Mended) -> Any:
        types = types_of(schema)
        if value is None or types is None:
            return value
        if isinstance(value, dict) and "object" in types:
            fitting = dict(value)
            for name, member in schema.get("properties", {}).items():
                if name in value:
                    place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
                    fitting[name] = self._fit(value[name], member, place, f"{trait}.{name}", mended)
            return fitting
        if isinstance(value, list) and "array" in types:
            items = schema.get("items") or {}
            return [self._fit(item, items, f"{pointer}/{n}", f"{trait}.*", mended) for n, item in enumerate(value)]
        if _fits(value, types):
            return value
        self._warn(trait, types)
        mended.changed = True
        converted = _converted(value, types)
        if converted is None:
            mended.apart[pointer] = value
        return converted

    def _warn(self, trait: str, types: Sequence[str]) -> None:
        path = self._name + trait
        if path in self._warned:
            return
        self._warned.add(path)
        logger.warning(
            "%s is not always of its declared type (%s). Numbers become text where text is declared; any other such "
            "value is null and kept in nonconforming_traits. If the identity schema has changed, discover again.",
            path,
            ", ".join(kind for kind in types if kind != "null"),
        )


def _fits(value: Any, types: Sequence[str]) -> bool:
    if isinstance(value, bool):
        return "boolean" in types
    if isinstance(value, RawJSON):
        # A number beyond what Python reads; by its own words an integer or not.
        return "number" in types or ("integer" in types and value.encoded_json.lstrip("-").isdigit())
    if isinstance(value, int):
        return "integer" in types or "number" in types
    if isinstance(value, Decimal):
        return "number" in types
    return isinstance(value, str) and "string" in types


def _converted(value: Any, types: Sequence[str]) -> str | int | None:
    """The same number in a declared type, or None."""
    if isinstance(value, Decimal) and "integer" in types and _is_whole(value):
        return int(value)
    return number_text(value) if "string" in types else None


def _is_whole(value: Decimal) -> bool:
    return value.adjusted() < MAX_DIGITS and value == value.to_integral_value()


def _raw(value: Any) -> msgspec.Raw:
    text = simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":"))
    return msgspec.Raw(text.encode())
