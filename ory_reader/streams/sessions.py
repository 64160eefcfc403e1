"""The stream of sessions: all of them, or those that were issued since the last run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ory_reader.records.changes import minus
from ory_reader.records.session_decoder import ISSUED_AT, NewSessionsDecoder, SessionDecoder, holds_new
from ory_reader.resources.sessions import SESSIONS, SessionsRead
from ory_reader.streams.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ory_reader.http.client import OryClient
    from ory_reader.project import Project
    from ory_reader.resources.resource import Resource
    from ory_reader.streams.stream import Mask, Schema
    from ory_reader.sync.protocols import Decoder, Read


@dataclass(frozen=True)
class SessionStream(Stream):
    """The sessions of a project."""

    name: str = "sessions"
    resource: Resource = SESSIONS
    replication_key: str | None = ISSUED_AT
    reader: Callable[[OryClient], Read] | None = SessionsRead

    def read_changes(self, project: Project, state: Mapping[str, Any]) -> Read:
        """Return a read of the pages that may hold sessions issued since the state's bookmark: of the newest."""
        bookmark, lookback, _ = self.since(project, state)
        since = minus(bookmark, lookback)
        return SessionsRead(project.api(self.resource), lambda body: holds_new(body, since))

    def decoder(
        self,
        project: Project,
        schema: Schema,
        mask: Mask,
        state: Mapping[str, Any],
        *,
        changes_only: bool,
    ) -> Decoder:
        """Return what turns pages into records: all of them, or those that were issued since the state's bookmark."""
        decoder = SessionDecoder(self._shown(project, schema), mask)
        return NewSessionsDecoder(decoder, *self.since(project, state)) if changes_only else decoder
