"""One project as one run sees it: its settings, the conversation with it, its identity schemas."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ory_reader.http.client import OryClient
from ory_reader.traits.project_schemas import ProjectSchemas

if TYPE_CHECKING:
    from collections.abc import Callable

    from ory_reader.config.settings import Settings
    from ory_reader.traits.shapes import Shape


class Project:
    """What all streams of a run share. Makes no request before something is asked for."""

    def __init__(
        self,
        settings: Settings,
        trait_shapes: dict[str, Shape] | None = None,
        go_on: Callable[[], object] = lambda: None,
    ) -> None:
        """Talk to nobody yet. `trait_shapes` are known already, where they are given.

        `go_on` is called before each request: what it raises ends the read.
        """
        self.settings = settings
        self._trait_shapes, self._go_on = trait_shapes, go_on
        #: The paths of traits that some value did not fit, each warned of once.
        self.warned_traits: set[str] = set()

    @cached_property
    def client(self) -> OryClient:
        """The conversation with the project."""
        return OryClient(self.settings, go_on=self._go_on)

    @cached_property
    def schemas(self) -> ProjectSchemas:
        """What is known of the identity schemas, and when nothing may be made without them."""
        return ProjectSchemas(self.client)

    @property
    def trait_shapes(self) -> dict[str, Shape]:
        """What each identity schema says of traits, by its id, read when first asked for.

        Empty where the schemas cannot be read: `Stream.check_types` says when that is an error.
        """
        return self.schemas.shapes if self._trait_shapes is None else self._trait_shapes
