"""Identity schemas in, the declared properties of `traits` out: the union over all schemas of a project.

Knows JSON Schema as Singer targets read it; nothing of HTTP, of records, or of which trait means what.

The union is permissive: types are joined, everything may be null, members beyond the declared ones are
allowed. Nothing of a schema that judges a value (format, pattern, bounds, enumerations) is kept, as schemas
change under old data. Of several types targets take the narrower, or one that only some values have: where a
value may be text or something else, or a number or a boolean, text is declared, and it is free where it may be
an object or array beside numbers and booleans.
"""

from __future__ import annotations

import logging
from collections import deque
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from ory_reader.json_pointer import USABLE_NAME
from ory_reader.traits.decoder_types import TEXT_OF_MANY, types_of
from ory_reader.traits.shapes import OPEN, Shape, join, traits_shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ory_reader.resources.identity_schemas import IdentitySchemas

logger = logging.getLogger("tap-ory")

#: How deep objects are declared, and how many properties in all: a table has a bounded number of columns.
MAX_DEPTH, MAX_PROPERTIES = 8, 500
#: Any JSON value. Of a list of types with "array" BigQuery's translator makes REPEATED, and without it arrays would
#: not fit; of this, those of PostgreSQL, DuckDB, Snowflake and BigQuery make JSON, by the first of `anyOf`, and the
#: SDK's flattening text, as the first key is not `anyOf`.
FREE = {
    "additionalProperties": True,
    "anyOf": [{"type": kind} for kind in ("object", "array", "string", "number", "boolean", "null")],
}


def shapes_of(schemas: IdentitySchemas) -> dict[str, Shape]:
    """Return the shape of the traits of each identity schema, by schema id."""
    return {schema_id: traits_shape(document) for schema_id, document in schemas.items()}


def is_typed(schema: Mapping[str, Any]) -> bool:
    """Whether the JSON Schema of traits, or of a user's profile, says anything of them."""
    return "properties" in schema or types_of(schema) is not None


def typed_traits(base: Mapping[str, Any], shapes: Mapping[str, Shape]) -> dict[str, Any]:
    """Return the JSON Schema of traits: `base` (of any type, open) with what all `shapes` declare."""
    # A schema that says nothing of its traits does not open those of all others: traits are objects nearly always.
    union = join(shape for shape in shapes.values() if shape.types is not None)
    if union == OPEN or len(union.types or ()) > 1:
        return dict(base)
    declared = _Declaration().declare(union)
    return {**declared, "description": base["description"]}


class _Declaration:
    """Writes shapes as JSON Schema, breadth first, so that what is cut is what lies deepest."""

    def __init__(self) -> None:
        self._count = 0
        self._columns: set[str] = set()
        self._cut: list[str] = []

    def declare(self, union: Shape) -> dict[str, Any]:
        root = _node(union)
        todo = deque([(union, root, "", 0)])
        while todo:
            shape, node, path, depth = todo.popleft()
            if shape.is_object:
                node["additionalProperties"] = True
                for name, member in shape.properties.items():
                    column = f"{path}__{name}"
                    if self._declares(column, name, depth):
                        properties = node.setdefault("properties", {})
                        properties[name] = _node(member)
                        todo.append((member, properties[name], column, depth + 1))
            elif shape.types == frozenset({"array"}) and shape.items is not None and depth < MAX_DEPTH:
                node["items"] = _node(shape.items)
                todo.append((shape.items, node["items"], f"{path}__*", depth + 1))
        if self._cut:
            logger.info(
                "%d trait(s) stay undeclared, as they are too many, too deep or of equal names; first: %s",
                len(self._cut),
                self._cut[0],
            )
        return root

    def _declares(self, column: str, name: str, depth: int) -> bool:
        """Whether a member is declared; where columns would have the same name, the first one is."""
        if (
            depth >= MAX_DEPTH
            or self._count >= MAX_PROPERTIES
            or not USABLE_NAME.fullmatch(name)
            or column.casefold() in self._columns
        ):
            self._cut.append(column.removeprefix("__"))
            return False
        self._count += 1
        self._columns.add(column.casefold())
        return True


def _node(shape: Shape) -> dict[str, Any]:
    node = _type(shape.types or frozenset())
    if shape.title:
        node["title"] = shape.title
    if shape.description:
        node["description"] = shape.description
    return node


def _type(kinds: frozenset[str]) -> dict[str, Any]:
    if len(kinds) == 1:
        return {"type": [*kinds, "null"]}
    if kinds and ("string" in kinds or kinds.isdisjoint({"object", "array"})):
        return {"type": ["string", "null"], **TEXT_OF_MANY}
    return deepcopy(FREE)
