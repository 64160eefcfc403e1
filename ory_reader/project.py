"""One project as one run sees it: its settings, the conversation with it, its identity schemas."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ory_reader.errors import refuse
from ory_reader.http.client import OryClient
from ory_reader.http.rate_limiter import ALL, RateLimiter, Share
from ory_reader.resources.identities import IDENTITIES
from ory_reader.traits.project_schemas import ProjectSchemas

if TYPE_CHECKING:
    from collections.abc import Callable

    from ory_reader.config.services import Service
    from ory_reader.config.settings import Settings
    from ory_reader.resources.resource import Resource
    from ory_reader.traits.shapes import Shape


class Project:
    """What all streams of a run share. Makes no request before something is asked for."""

    def __init__(
        self,
        settings: Settings,
        trait_shapes: dict[str, Shape] | None = None,
        go_on: Callable[[], object] = lambda: None,
        share: Share = ALL,
    ) -> None:
        """Talk to nobody yet. `trait_shapes` are known already, where they are given.

        `share` is this process's of each rate limit, where several read the project together.

        `go_on` is called before each request: what it raises ends the read.
        """
        self.settings = settings
        self._clients: dict[tuple[Service, str], OryClient] = {}
        self._trait_shapes, self._go_on, self._share = trait_shapes, go_on, share
        #: What is warned of once: the paths of traits that some value did not fit, bookmarks that are set aside.
        self.warned: set[str] = set()

    @property
    def client(self) -> OryClient:
        """The conversation with Kratos, about identities."""
        return self.api(IDENTITIES)

    def api(self, resource: Resource) -> OryClient:
        """Return the conversation with the server that has a list, under the rate limit that its requests count for.

        Raises:
            SettingsError: if the settings do not say where that server is.
        """
        service = resource.service
        there = self.settings.at(service)
        if there is None:
            what = f"is missing: the stream {resource.name} is read from {service.title}"
            refuse(service.url, what, f"set it to the address of that, or do not select {resource.name}")
        place = service, resource.bucket
        if place not in self._clients:
            same = next((client for client in self._clients.values() if client.settings == there), None)
            limiter = RateLimiter(share=self._share)
            self._clients[place] = (
                same.beside(limiter)
                if same
                else OryClient(there, limiter, self._go_on, terms=self.settings.terms(service))
            )
        return self._clients[place]

    @cached_property
    def schemas(self) -> ProjectSchemas:
        """What is known of the identity schemas, and when nothing may be made without them."""
        return ProjectSchemas(self.client)

    @property
    def trait_shapes(self) -> dict[str, Shape]:
        """What each identity schema says of traits, by its id, read when first asked for.

        Empty where the schemas cannot be read: `Stream.check` says when that is an error.
        """
        return self.schemas.shapes if self._trait_shapes is None else self._trait_shapes
