"""What an identity schema says about the shape of traits: JSON types, members, elements, Ory's keyword.

Reads JSON Schema (draft 4 to 2020-12) permissively: the result allows at least what usual data of the schema
looks like, and where a schema cannot be followed (a reference to elsewhere, a circle, no end of nesting) the
place is left open. Knows nothing of Singer, of records, or of which trait means what.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from referencing import Registry
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Ory's extension keyword, on a trait: what it is used for.
KEYWORD = "ory.sh/kratos"
TYPES = ("string", "number", "integer", "boolean", "object", "array")
#: How deep a schema is followed, and how many of its nodes: references can unfold without end.
MAX_DEPTH, MAX_NODES = 24, 20_000
IMPLIED = {
    "object": ("properties", "patternProperties", "additionalProperties", "required"),
    "array": ("items", "prefixItems"),
}


@dataclass(frozen=True)
class Shape:
    """What a value may be.

    `types` is None where it may be anything; null is always allowed and not among them. `items` is None where
    elements may be anything. `keyword` is what Ory's extension says of the value.
    """

    types: frozenset[str] | None = None
    properties: Mapping[str, Shape] = field(default_factory=dict)
    items: Shape | None = None
    title: str | None = None
    description: str | None = None
    format: str | None = None
    keyword: Mapping[str, Any] = field(default_factory=dict)
    #: Whether members beyond `properties` are ruled out.
    closed: bool = False

    @property
    def is_object(self) -> bool:
        """Whether it is an object or null, and nothing else."""
        return self.types == frozenset({"object"})


OPEN = Shape()


def traits_shape(document: Mapping[str, Any]) -> Shape:
    """Return the shape of the traits that an identity schema (a whole JSON Schema document) describes."""
    properties = _Reader(document).read(document, 0, frozenset()).properties
    return properties.get("traits", OPEN)


def join(shapes: Iterable[Shape]) -> Shape:
    """The permissive union: what any of `shapes` may be."""
    joined: Shape | None = None
    for shape in shapes:
        joined = shape if joined is None else _join(joined, shape)
    return joined or OPEN


def _join(one: Shape, other: Shape) -> Shape:
    arrays = [shape for shape in (one, other) if shape.types is None or "array" in shape.types]
    items = [shape.items for shape in arrays if shape.items is not None]
    return Shape(
        types=None if one.types is None or other.types is None else _normal(one.types | other.types),
        properties=_merged(one, other, _join),
        items=join(items) if len(items) == len(arrays) and items else None,
        title=one.title or other.title,
        description=one.description or other.description,
        format=one.format or other.format,
        keyword={**other.keyword, **one.keyword},
        closed=one.closed and other.closed,
    )


def _refine(base: Shape, more: Shape) -> Shape:
    """What `base` is, with what further keywords of the same schema add to it."""
    return Shape(
        types=more.types if base.types is None else base.types,
        properties=_merged(base, more, _refine),
        items=_refine(base.items, more.items) if base.items and more.items else base.items or more.items,
        title=base.title or more.title,
        description=base.description or more.description,
        format=base.format or more.format,
        keyword={**more.keyword, **base.keyword},
        closed=base.closed or more.closed,
    )


def _merged(one: Shape, other: Shape, combine: Any) -> dict[str, Shape]:
    merged = dict(one.properties)
    for name, shape in other.properties.items():
        merged[name] = combine(merged[name], shape) if name in merged else shape
    return merged


class _Reader:
    """Reads one document, whose references point into itself."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        here = document.get("$id")
        base = here.partition("#")[0] if isinstance(here, str) else ""
        # It knows this document alone, and fetches none.
        registry = Registry().with_resource(base, DRAFT202012.create_resource(document))
        self._resolver = registry.resolver(base)
        self._nodes = 0

    def read(self, node: Any, depth: int, trail: frozenset[str]) -> Shape:
        """Return the shape that `node` describes; `trail` are the references that led here."""
        self._nodes += 1
        if not isinstance(node, dict) or depth > MAX_DEPTH or self._nodes > MAX_NODES:
            return OPEN
        shape = self._own(node, depth, trail)
        for more in self._further(node, depth, trail):
            shape = _refine(shape, more)
        return shape

    def _own(self, node: Mapping[str, Any], depth: int, trail: frozenset[str]) -> Shape:
        properties = node.get("properties")
        items = node.get("items")
        keyword = node.get(KEYWORD)
        return Shape(
            types=_types(node),
            properties={
                name: self.read(value, depth + 1, trail)
                for name, value in (properties.items() if isinstance(properties, dict) else ())
                if isinstance(name, str)
            },
            items=self.read(items, depth + 1, trail) if isinstance(items, dict) else None,
            title=_text(node, "title"),
            description=_text(node, "description"),
            format=_text(node, "format"),
            keyword=keyword if isinstance(keyword, dict) else {},
            closed=node.get("additionalProperties") is False,
        )

    def _further(self, node: Mapping[str, Any], depth: int, trail: frozenset[str]) -> Iterator[Shape]:
        """The shapes of the keywords that apply to the same value as `node` itself."""
        for name in ("$ref", "$recursiveRef", "$dynamicRef"):
            reference = node.get(name)
            if isinstance(reference, str) and reference not in trail:
                yield self.read(self._resolve(reference), depth + 1, trail | {reference})
        for part in _listed(node, "allOf"):
            yield self.read(part, depth + 1, trail)
        for name in ("anyOf", "oneOf"):
            choices = [self.read(part, depth + 1, trail) for part in _listed(node, name)]
            if choices:
                yield join(choices)
        # What holds under a condition only says what members may be there, not of which type the value is.
        conditional = [node.get("then"), node.get("else")]
        for name in ("dependentSchemas", "dependencies"):
            dependent = node.get(name)
            conditional += dependent.values() if isinstance(dependent, dict) else []
        branches = [self.read(part, depth + 1, trail) for part in conditional if isinstance(part, dict)]
        if branches:
            yield replace(join(branches), types=None, closed=False)

    def _resolve(self, reference: str) -> Any:
        """Return the node that a reference names, or None if it is not in this document."""
        try:
            return self._resolver.lookup(reference).contents
        except Exception:  # noqa: BLE001 - anybody's document: where it cannot be followed, it says nothing
            return None


def _types(node: Mapping[str, Any]) -> frozenset[str] | None:
    """The JSON types that a node allows, without null; None for all."""
    given = node.get("type")
    listed = [given] if isinstance(given, str) else given
    if isinstance(listed, list):
        kinds = [kind for kind in listed if kind in TYPES]
        return _normal(kinds) if kinds or listed == ["null"] else None
    values = node["enum"] if isinstance(node.get("enum"), list) else [node["const"]] if "const" in node else []
    if values:
        return _normal(map(_type_of, values))
    for kind, keywords in IMPLIED.items():
        if any(keyword in node for keyword in keywords):
            return frozenset({kind})
    return None


def _normal(kinds: Iterable[str]) -> frozenset[str]:
    """Without null, which is always allowed, and without integer where any number is."""
    kept = frozenset(kinds) - {"null"}
    return kept - {"integer"} if "number" in kept else kept


def _type_of(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _text(node: Mapping[str, Any], name: str) -> str | None:
    value = node.get(name)
    return value if isinstance(value, str) else None


def _listed(node: Mapping[str, Any], name: str) -> list[Any]:
    value = node.get(name)
    return value if isinstance(value, list) else []
