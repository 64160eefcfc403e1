"""The consents as a stream: which person lets which client act for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ory_reader.records.consent_decoder import ConsentDecoder
from ory_reader.records.projection import project as projection_of
from ory_reader.resources.consents import CONSENTS, ConsentRead
from ory_reader.resources.sessions import SESSIONS, SessionsRead
from ory_reader.streams.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ory_reader.project import Project
    from ory_reader.streams.stream import Mask, Schema
    from ory_reader.sync.protocols import Decoder, Read


class Consents(Stream):
    """The consents of the people whom a setting names, or of all that have sessions."""

    def read(self, project: Project, state: Mapping[str, Any] | None = None, *, changes_only: bool = False) -> Read:  # noqa: ARG002 - full
        """Return a read of all its pages, which has made no request yet."""
        subjects = project.settings.consent_subjects
        return ConsentRead(project.api(CONSENTS), subjects, lambda: SessionsRead(project.api(SESSIONS)))

    def decoder(
        self,
        project: Project,
        schema: Schema,
        mask: Mask,
        state: Mapping[str, Any],  # noqa: ARG002 - see the identities
        *,
        changes_only: bool,  # noqa: ARG002
    ) -> Decoder:
        """Return what turns pages into records."""
        return ConsentDecoder(projection_of(self._shown(project, schema), mask, key="subject"), "subject")
