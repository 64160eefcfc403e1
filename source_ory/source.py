"""The four commands: what Airbyte asks, answered by the tap. Files and exit codes are the command line's."""

from __future__ import annotations

import signal
from typing import Any

from ory_reader.errors import TapOryError, UnavailableError
from ory_reader.resources.identities import count_identities
from ory_reader.sync.check import check as check_connection
from source_ory.catalog import airbyte_stream, has_types, singer_catalog, singer_state
from source_ory.messages import StreamStatus, emit, emit_estimate, emit_status
from source_ory.spec import specification, tap_config
from source_ory.writer import AirbyteWriter
from tap_ory.tap import TapOry


def spec() -> None:
    """Say which settings there are."""
    emit("SPEC", spec=specification())


def check(config: Any) -> None:
    """Say whether the settings lead to identities, by the tap's own sentence either way."""
    try:
        sentence, status = check_connection(_tap(config).project.client), "SUCCEEDED"
    except TapOryError as error:
        sentence, status = str(error), "FAILED"
    _answer("CONNECTION_STATUS", connectionStatus={"status": status, "message": sentence})


def discover(config: Any) -> None:
    """Say which streams there are.

    Raises:
        TapOryError: if the settings cannot be right.
    """
    tap = _tap(config)
    tap.project.schemas.settle(needed=True, known=False)
    _answer("CATALOG", catalog={"streams": [airbyte_stream(stream) for stream in tap.streams.values()]})


def read(config: Any, catalog: Any, states: Any) -> None:
    """Read the configured streams; only one that was read to its end is ever said to be complete.

    Raises:
        TapOryError: if the read had to end before, or may have missed identities.
        Terminated: if a signal ended it.
    """
    writer = AirbyteWriter()
    tap = _tap(config, state=singer_state(states), message_writer=writer)
    tap.project.schemas.settle(needed=True, known=has_types(catalog))
    selection = singer_catalog(catalog, tap.streams)
    for stream in tap.streams.values():
        stream.apply_catalog(selection)
    tap.setup_mapper()
    _estimate(tap)
    try:
        tap.sync_all()
        if not all(stream.was_read_whole for stream in tap.ory_streams if stream.selected):
            msg = "Identities kept changing while they were read by offset, so some may be missing. Run again."
            raise UnavailableError(msg)  # noqa: TRY301 - one place says INCOMPLETE
    except BaseException:
        _end(tap, writer, "INCOMPLETE")
        raise
    _end(tap, writer, "COMPLETE")


def _end(tap: TapOry, writer: AirbyteWriter, status: StreamStatus) -> None:
    """Account for the last records: the SDK writes no state that is like the one before."""
    writer.write_states(tap.state.get("bookmarks", {}))
    for name in writer.started:
        emit_status(name, status)


def _answer(kind: str, **body: Any) -> None:
    """Say what was asked. Who has it may end us at once, and then no exit code should look like a failure."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    emit(kind, **body)


def _estimate(tap: TapOry) -> None:
    """Tell how many records will come, where that is all identities and the server tells their number."""
    names = [
        stream.name
        for stream in tap.ory_streams
        if stream.selected and stream.replication_method == "FULL_TABLE" and "snapshot" not in stream.stream_state
    ]
    if not names:
        return
    try:
        total = count_identities(tap.project.client)
    except TapOryError:
        # The read itself tries again, and has the sentence for it.
        return
    if total is not None:
        for name in names:
            emit_estimate(name, total)


def _tap(config: Any, **rest: Any) -> TapOry:
    # The streams are not asked for before they are needed: with the mapper they would be.
    return TapOry(config=tap_config(config, TapOry.logger), setup_mapper=False, **rest)
