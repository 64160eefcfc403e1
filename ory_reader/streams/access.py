"""Who may do what as three streams: made of the lists of people, organizations, tuples and clients, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ory_reader.errors import refuse
from ory_reader.records.decoder import RecordDecoder
from ory_reader.records.projection import project as projection_of
from ory_reader.resources.access import ACCESS, KEYS, head_of
from ory_reader.streams.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ory_reader.config.settings import Settings
    from ory_reader.project import Project
    from ory_reader.resources.resource import Resource
    from ory_reader.streams.stream import Mask, Schema
    from ory_reader.sync.protocols import Decoder, Read


@dataclass(frozen=True)
class AccessStream(Stream):
    """One kind of record; `made_of` are the streams of all that it is made of, by their names."""

    resource: Resource = ACCESS
    made_of: Mapping[str, Stream] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, ...]:
        """The fields that tell a record from all others."""
        return KEYS[self.name]

    def is_wanted(self, settings: Settings) -> bool:
        """Whether access is read."""
        return settings.access

    def check(self, project: Project, schema: Schema, mask: Mask, state: Mapping[str, Any], *, given: bool) -> None:
        """See to it that access is wanted, and that what it is made of can be read.

        Raises:
            TapOryError: if not.
        """
        if not project.settings.access:
            refuse("access", f"is off, which the stream {self.name} needs", "set it to true, or do not select that")
        super().check(project, schema, mask, state, given=given)

    def read(self, project: Project) -> Read:
        """Return a read of everything that access is made of."""
        # It takes SQLite and more, which other reads need not wait for.
        from ory_reader.streams.access_read import AccessRead  # noqa: PLC0415

        return AccessRead(project, self.made_of)

    def decoder(
        self,
        project: Project,  # noqa: ARG002 - see other streams
        schema: Schema,
        mask: Mask,
        state: Mapping[str, Any],  # noqa: ARG002
        *,
        changes_only: bool,  # noqa: ARG002
    ) -> Decoder:
        """Return what takes this stream's records out of pages."""
        return _AccessDecoder(self.name, projection_of(schema, mask, key=self.key[0]), self.key[0])


class _AccessDecoder(RecordDecoder):
    """A `RecordDecoder` for the pages of one stream among those of others."""

    def __init__(self, name: str, *given: Any) -> None:
        self._head = head_of(name)
        super().__init__(*given)

    def rows(self, body: bytes, *, upper: str | None = None, seen: Collection[str] = ()) -> list[Any]:
        """Decode a page of this stream; one of another has no rows."""
        return super().rows(body[len(self._head) :], upper=upper, seen=seen) if body.startswith(self._head) else []
