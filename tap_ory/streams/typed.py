"""What streams that carry traits share: a schema that declares them, as the project's identity schemas do."""

from __future__ import annotations

from copy import deepcopy
from functools import cached_property
from typing import Any, ClassVar

from tap_ory.errors import SettingsError
from tap_ory.streams.base import SCHEMAS
from tap_ory.streams.changing import ChangingStream
from tap_ory.traits import is_typed, typed_traits

#: Where a stream's state keeps that its traits had types, and that its records were made of identity schemas.
TYPED, MADE = "typed_traits", "identity_schemas"


class TypedTraitsStream(ChangingStream):
    """A stream with the traits in one of its fields."""

    traits_field: ClassVar[str]
    #: Whether a record is made of what the identity schemas say, and not only typed by it.
    made_of_schemas: ClassVar[bool] = False

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The stream's file, with declared traits; a given catalog says itself what they are."""
        schema: dict[str, Any] = deepcopy(SCHEMAS.get_schema(self.name))
        if self._tap.input_catalog is None:
            traits = schema["properties"][self.traits_field]
            schema["properties"][self.traits_field] = typed_traits(traits, self._tap.trait_shapes)
        return schema

    @property
    def _typed(self) -> bool | None:
        """Whether the traits go out as anything else than free JSON; None where they do not go out."""
        traits = self.effective_schema.get("properties", {}).get(self.traits_field)
        return is_typed(traits) if traits is not None and self.mask["properties", self.traits_field] else None

    def check_types(self) -> None:
        """See to it that what earlier runs knew of traits, or what users are made of, is known now.

        Raises:
            TapOryError: if the identity schemas are missing for that.
            SettingsError: if it is the catalog that lacks the types.
        """
        if not self._tap.settings.identity_schemas:
            return
        schemas, given = self._tap.project_schemas, self._tap.input_catalog is not None
        typed = self._typed
        lost = typed is False and bool(self.stream_state.get(TYPED))
        if self.made_of_schemas:
            known = lost or bool(self.stream_state.get(MADE)) or (given and typed is True)
            schemas.settle(needed=True, known=known)
        elif lost or (typed is False and not given):
            schemas.settle(needed=False, known=lost)
        if lost and is_typed(typed_traits({"description": ""}, schemas.shapes)):
            msg = (
                f"The catalog says nothing of the types in {self.name}.{self.traits_field}, which earlier runs had: "
                "discover it again, or set identity_schemas to off to go on without types."
            )
            raise SettingsError(msg)

    def begin(self, version: int) -> None:
        """Let the state remember whether there were types: a later run must not go on without."""
        super().begin(version)
        facts = {TYPED: bool(self._typed), MADE: self.made_of_schemas and bool(self._tap.trait_shapes)}
        # What was true before is said to be false, and not left out: a store may merge states.
        self.stream_state.update({name: fact for name, fact in facts.items() if fact or name in self.stream_state})
