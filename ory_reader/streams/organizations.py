"""The organizations as a stream: as the console lists them, or without its key the ids that identities name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ory_reader.config.services import CONSOLE
from ory_reader.records.membership_decoder import MembershipDecoder
from ory_reader.records.projection import project as projection_of
from ory_reader.resources.identities import IDENTITIES, IdentityRead
from ory_reader.resources.organizations import organizations_of
from ory_reader.streams.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ory_reader.config.settings import Settings
    from ory_reader.project import Project
    from ory_reader.resources.resource import Resource
    from ory_reader.streams.stream import Mask, Schema
    from ory_reader.sync.protocols import Decoder, Read


class Organizations(Stream):
    """The organizations of a project."""

    def listed(self, settings: Settings) -> Resource:
        """The list of the console; without its key that of the identities."""
        return organizations_of(settings) if settings.at(CONSOLE) else IDENTITIES

    def read(self, project: Project) -> Read:
        """Return a read of all its pages, which has made no request yet."""
        return super().read(project) if project.settings.at(CONSOLE) else IdentityRead(project.client)

    def decoder(
        self, project: Project, schema: Schema, mask: Mask, state: Mapping[str, Any], *, changes_only: bool
    ) -> Decoder:
        """Return what turns pages into records."""
        if project.settings.at(CONSOLE):
            return super().decoder(project, schema, mask, state, changes_only=changes_only)
        return MembershipDecoder(projection_of(schema, mask))
