"""The streams of a read as Airbyte's messages: records a page at a time, states with their counts, status.

What a read needs of the shell that it runs in (`ory_reader.sync.protocols`); nothing of what is in a record.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import msgspec

from command_basics.version import version
from ory_reader.config.declaration import CONFIG_SCHEMA
from ory_reader.sync.fingerprint import REVISION, deciding
from source_ory.messages import emit_lines, emit_state, emit_status, now_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from command_basics.signals import Termination
    from ory_reader.project import Project
    from ory_reader.resources.resource import Resource
    from ory_reader.streams import Stream
    from ory_reader.sync.protocols import Decoder, Read
    from ory_reader.sync.states import Bookmarks
    from source_ory.catalog import Chosen
    from source_ory.messages import StreamStatus

#: In the state of the first stream while its changes are read. Says nothing to anybody; states have always had it.
SIGNPOST = "replication_key_signpost"

_encoder = msgspec.json.Encoder()


class _Record(msgspec.Struct, gc=False):
    stream: str
    data: Any
    emitted_at: int


class _Line(msgspec.Struct, gc=False, tag_field="type", tag="RECORD"):
    """A RECORD message. Encoding whole messages is several times cheaper than putting text around records."""

    record: _Record


def record_lines(stream: str, records: list[Any]) -> bytes:
    """Return records as RECORD messages, each on a line."""
    emitted = now_ms()
    return _encoder.encode_lines([_Line(_Record(stream, record, emitted)) for record in records])


class Output:
    """One stream of a read."""

    #: Whether its read has come to its end and can have missed nothing.
    was_read_whole = False

    def __init__(self, definition: Stream, project: Project, chosen: Chosen, state: dict[str, Any]) -> None:
        """`state` is what is kept of the stream between two runs, and changes as it is read."""
        self.name = definition.name
        self.changes_only = chosen.changes_only
        self.stream_state = state
        self._definition = definition
        self._asked = (
            project,
            definition.schema(project.trait_shapes if definition.is_typed else None, project.settings.adds),
            chosen.mask,
            state,
        )
        self._status: StreamStatus | None = None
        self._told: dict[str, Any] | None = None
        self._uncounted = 0

    @property
    def resource(self) -> Resource:
        """The list that it is made of."""
        project: Project = self._asked[0]
        return self._definition.listed(project.settings)

    def check(self) -> None:
        """Raise an error if the stream cannot be read as it must be."""
        self._definition.check(*self._asked, given=False)

    def read(self) -> Read:
        """Return a read of the list, which has made no request yet."""
        project, state = self._asked[0], self.stream_state
        return self._definition.read_changes(project, state) if self.changes_only else self._definition.read(project)

    def fingerprint(self) -> list[Any]:
        """All that decides what a record of this stream looks like, beside the settings."""
        return [*self._definition.fingerprint(*self._asked), self.changes_only]

    def measured(self) -> AbstractContextManager[None]:
        """Measure nothing: Airbyte counts by itself."""
        return nullcontext()

    def begin(self, version: int) -> None:  # noqa: ARG002 - records have none here
        """Say that the stream begins."""
        self._tell("STARTED")
        self._definition.remember(*self._asked)

    def decoder(self) -> Decoder:
        """Return what turns pages into records: all of them, or those that changed since the bookmark."""
        return self._definition.decoder(*self._asked, changes_only=self.changes_only)

    def write(self, decoder: Decoder, rows: list[Any]) -> None:
        """Write a page."""
        if not rows:
            return
        if self._status == "STARTED":
            self._tell("RUNNING")
        emit_lines(record_lines(self.name, decoder.records(rows)))
        self._uncounted += len(rows)

    def complete(self) -> None:
        """The read was whole."""
        self.was_read_whole = True

    def write_state(self, *, last: bool = False) -> None:
        """Write the state if it is new, with the number of records since the last; that one accounts for all."""
        if self._status and (self.stream_state != self._told or (last and self._uncounted)):
            # The read goes on changing its own dictionary.
            self._told = dict(self.stream_state)
            emit_state(self.name, self._told, self._uncounted)
            self._uncounted = 0

    def end(self, status: StreamStatus) -> None:
        """Say how it ended, if it began."""
        if self._status:
            self._tell(status)

    def _tell(self, status: StreamStatus) -> None:
        emit_status(self.name, status)
        self._status = status


class Shell:
    """What runs the read of `outputs`."""

    def __init__(
        self, config: Mapping[str, Any], bookmarks: Bookmarks, outputs: Sequence[Output], termination: Termination
    ) -> None:
        """`bookmarks` hold the outputs' states, and those of streams that are not read now."""
        self._config = config
        self.bookmarks = bookmarks
        self.outputs = outputs
        self.termination = termination

    def fingerprint(self) -> list[Any]:
        """All that decides which records of any stream there are and what they look like: program and settings."""
        return [REVISION, version(), deciding(self._config, CONFIG_SCHEMA["properties"])]

    def write_state(self) -> None:
        """Write the states that are new."""
        for output in self.outputs:
            output.write_state()

    def conclusion(self, outputs: Sequence[Output], reason: str | None) -> str:  # noqa: ARG002
        """What the streams are said to be."""
        return f"the streams are incomplete, as {reason}" if reason else "the streams are complete"

    @contextmanager
    def reading(self) -> Iterator[None]:
        """See to it that what is inside, a read, is told as what it was: COMPLETE if it raised nothing."""
        first = self.outputs[0]
        if first.changes_only:
            first.stream_state[SIGNPOST] = datetime.now(timezone.utc).isoformat()
        try:
            yield
        except BaseException:
            self._end("INCOMPLETE")
            raise
        first.stream_state.pop(SIGNPOST, None)
        self._end("COMPLETE")

    def _end(self, status: StreamStatus) -> None:
        for output in self.outputs:
            output.write_state(last=True)
        for output in self.outputs:
            output.end(status)
