"""JSON Schema in, a type for msgspec out: what decodes into it fits the schema.

On the way the type keeps the values that a reader wants, also those that no schema declares. Knows JSON Schema
as this tap declares it (types, properties, items), nothing of identities, Singer or HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from simplejson import RawJSON

from ory_reader.json_pointer import USABLE_NAME
from ory_reader.traits.big_numbers import LARGEST, SMALLEST, number_text

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from ory_reader.traits.paths import Path

#: So many types, number and integer being one, are all that JSON has.
ALL_TYPES = 6
#: Beyond this a decimal number is no id of anybody's; written out it could have any number of digits.
PLAIN = 10**18
SCALARS = (
    ("string", str),
    ("number", float),
    ("integer", Annotated[int, msgspec.Meta(ge=SMALLEST, le=LARGEST)]),
    ("boolean", bool),
)
#: Marks text that is declared where identity schemas allow several types: whatever is there becomes text.
TEXT_OF_MANY = {"contentMediaType": "text/plain"}


@dataclass
class Wanted:
    """Which values below a place a reader wants, and where the compiled type keeps them.

    `leaf` is the place itself: text, or true and false where it is a `flag`. After compiling, `struct` is the
    type of an object here and `attributes` names its members; `is_text` tells that a leaf is text or None and
    nothing else, `has_text` that it may be text or a number, `is_number` that it is the latter, `is_scalar` that
    it is no object and no array, `is_free` that no schema says what it is.
    """

    leaf: bool = False
    flag: bool = False
    members: dict[str, Wanted] = field(default_factory=dict)
    element: Wanted | None = None
    struct: Any = None
    attributes: dict[str, str] = field(default_factory=dict)
    is_text: bool = False
    has_text: bool = False
    is_number: bool = False
    is_scalar: bool = False
    is_free: bool = False

    @classmethod
    def from_paths(cls, paths: Iterable[Path], flags: Container[Path] = ()) -> Wanted:
        """Merge paths into one tree; all indexes of an array share its element."""
        root = cls()
        for path in paths:
            place = root
            for part in path:
                if isinstance(part, int):
                    place.element = place.element or cls()
                    place = place.element
                else:
                    place = place.members.setdefault(part, cls())
            place.leaf = True
            place.flag = path in flags
        return root


def types_of(schema: Mapping[str, Any]) -> list[str] | None:
    """The JSON types that a schema allows; None for all."""
    types = schema.get("type")
    listed = [types] if isinstance(types, str) else types
    return None if not listed or len(set(listed) - {"integer"}) == ALL_TYPES else listed


def is_text(schema: Mapping[str, Any]) -> bool:
    """Whether a schema allows text, or null, and nothing else."""
    return set(types_of(schema) or ()) - {"null"} == {"string"}


def texts_of(schema: Mapping[str, Any]) -> set[str]:
    """The members of an object that are text, or null, and nothing else."""
    return {name for name, each in schema.get("properties", {}).items() if is_text(each)}


def is_text_of_many(schema: Mapping[str, Any]) -> bool:
    """Whether a schema declares text for values of several types."""
    return schema.items() >= TEXT_OF_MANY.items()


def wants_of_many(schema: Mapping[str, Any], wanted: Wanted) -> bool:
    """Whether a wanted place, or one above it, is text for values of several types: as text it means nothing."""
    if is_text_of_many(schema):
        return True
    properties = schema.get("properties", {})
    below = [(properties.get(name, {}), member) for name, member in wanted.members.items()]
    below += [(schema.get("items") or {}, wanted.element)] if wanted.element else []
    return any(wants_of_many(part, place) for part, place in below)


def compiled(schema: Mapping[str, Any], wanted: Wanted | None = None) -> Any:
    """Return the type: what decodes into it fits `schema`, null always does.

    Not all that fits decodes: where the schema leaves a wanted place free, only text (or true and false) does.
    `msgspec.Raw` where nothing is declared and nothing wanted.
    """
    types = types_of(schema)
    if types is None:
        return _free(wanted) if wanted else msgspec.Raw
    kinds: list[Any] = [kind for name, kind in SCALARS if name in types]
    if wanted:
        wanted.is_scalar = not {"object", "array"}.intersection(types)
        wanted.has_text = not {"string", "number", "integer"}.isdisjoint(types)
        wanted.is_number = wanted.has_text and not {"string", "boolean"}.intersection(types)
        wanted.is_text = wanted.leaf and wanted.is_scalar and kinds == [str]
        if "number" in types and "integer" not in types:
            # A whole number stays one: it may be an id, and longer than a float is exact.
            kinds.append(int)
    if "object" in types:
        kinds.append(_object(schema.get("properties", {}), wanted))
    if "array" in types:
        element = compiled(schema.get("items") or {}, wanted.element if wanted else None)
        kinds.append(list[element])  # type: ignore[valid-type]
    return _union(kinds)


def _free(wanted: Wanted) -> Any:
    wanted.is_free = True
    kinds: list[Any] = [bool if wanted.flag else str] if wanted.leaf else []
    wanted.is_scalar = not wanted.members and not wanted.element
    wanted.has_text = str in kinds
    wanted.is_text = wanted.has_text and wanted.is_scalar
    if wanted.members:
        kinds.append(_object({}, wanted))
    if wanted.element:
        kinds.append(list[_free(wanted.element)])  # type: ignore[misc]
    return _union(kinds)


def _object(properties: Mapping[str, Any], wanted: Wanted | None) -> Any:
    members = wanted.members if wanted else {}
    names = [*filter(USABLE_NAME.fullmatch, properties), *(name for name in members if name not in properties)]
    if not names:
        return dict[str, msgspec.Raw]
    attributes = {name: f"f{number}" for number, name in enumerate(names)}
    struct = msgspec.defstruct(
        "Object",
        [(attributes[name], compiled(properties.get(name, {}), members.get(name)), None) for name in names],
        rename={attribute: name for name, attribute in attributes.items()},
        gc=False,
    )
    if wanted:
        wanted.struct, wanted.attributes = struct, attributes
    return struct


def _union(kinds: list[Any]) -> Any:
    union: Any = None
    for kind in kinds:
        union = kind if union is None else union | kind
    return None if union is None else union | None


def coerce(value: Any, wanted: Wanted) -> Any:
    """Return the wanted parts of a decoded value as the compiled type takes them.

    In a free place a number becomes text, and what is of another kind than wanted None. Elsewhere a value fits
    its schema.
    """
    if isinstance(value, dict):
        return {name: coerce(value[name], member) for name, member in wanted.members.items() if name in value}
    if isinstance(value, list):
        return [coerce(item, wanted.element) for item in value] if wanted.element else None
    if wanted.is_free:
        value = value if isinstance(value, (str, bool)) else plain_number(value)
        return value if wanted.leaf and isinstance(value, bool if wanted.flag else str) else None
    return float(value) if isinstance(value, Decimal) else None if isinstance(value, RawJSON) else value


def plain_number(value: Any) -> str | None:
    """A number as people write it, a whole one without decimals; None for anything else."""
    if isinstance(value, (float, Decimal)) and -PLAIN < value < PLAIN and value == int(value):
        return str(int(value))
    return str(value) if isinstance(value, float) else number_text(value)
