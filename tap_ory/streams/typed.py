"""What streams that carry traits share: a schema that declares them, as the project's identity schemas do."""

from __future__ import annotations

from copy import deepcopy
from functools import cached_property
from typing import Any, ClassVar

from tap_ory.streams.base import SCHEMAS, OryStream
from tap_ory.traits import typed_traits


class TypedTraitsStream(OryStream):
    """A stream with the traits in one of its fields."""

    traits_field: ClassVar[str]

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The stream's file, with declared traits; a given catalog says itself what they are."""
        schema: dict[str, Any] = deepcopy(SCHEMAS.get_schema(self.name))
        if self._tap.input_catalog is None:
            traits = schema["properties"][self.traits_field]
            schema["properties"][self.traits_field] = typed_traits(traits, self._tap.trait_shapes)
        return schema
