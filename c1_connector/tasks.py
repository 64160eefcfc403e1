"""What is done with a task of C1: greet, sync, or say that we cannot.

Knows the order of calls that a task asks for, nothing of when tasks come.
"""

from __future__ import annotations

import logging
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from c1_connector.cancellation import Cancellation
from c1_connector.client import Ending
from c1_connector.errors import FINAL, UNIMPLEMENTED, C1Error, ConnectorError
from c1_connector.sync import read_users
from c1_connector.task_log import task_log
from c1_connector.wanted import wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1_connector import baton_pb2 as pb
    from c1_connector.client import Client
    from c1_connector.settings import Settings

#: Seconds between two heartbeats: at least, at most, and where C1 does not say.
MIN_HEARTBEAT, MAX_HEARTBEAT, DEFAULT_HEARTBEAT = 1.0, 300.0, 30.0
#: So many failed heartbeats in a row end the work.
MAX_FAILED_HEARTBEATS = 9
#: Seconds to wait before each further try of an upload.
UPLOAD_WAITS = (0.0, 1.0)
#: Seconds to wait before each further try of FinishTask.
FINISH_WAITS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0)
FINISH_SECONDS = 30.0
#: Of one last FinishTask when the connector is being stopped.
LAST_SECONDS = 5.0
#: What there is nothing of here, and the type of the message without anything in it that says so.
NOTHING_OF = {
    "action_list_schemas": "type.googleapis.com/c1.connector.v2.ListActionSchemasResponse",
    "list_event_feeds": "type.googleapis.com/c1.connector.v2.ListEventFeedsResponse",
}

UNKNOWN_KIND = "of a kind unknown here"

_logger = logging.getLogger("ory-connector")


class TaskRunner:
    """Does tasks, each in whatever thread it is called from."""

    def __init__(self, settings: Settings, client: Client, stopping: Cancellation) -> None:
        """Stop all work when `stopping` is cancelled."""
        self._settings = settings
        self._client = client
        self._stopping = stopping

    def run(self, task: pb.Task) -> None:
        """Do a task to its end. Nothing is raised: what went wrong is told to C1 and logged."""
        kind = task.WhichOneof("task_type")
        if kind == "hello":
            self._greet(task.id)
        elif kind == "sync_full":
            self._sync(task)
        elif kind in NOTHING_OF:
            _logger.info("Task %s (%s) is done: there are none", task.id, kind)
            self._finish(task.id, Ending(response=NOTHING_OF[kind]))
        elif kind == "event_feed":
            self._refuse(task.id, kind, Ending(ConnectorError("This connector has no event feeds.")))
        else:
            msg = f"This connector reads users only: a task {kind or UNKNOWN_KIND} is not supported."
            self._refuse(task.id, kind or UNKNOWN_KIND, Ending(C1Error(UNIMPLEMENTED, msg), non_retryable=True))

    def _greet(self, task_id: str) -> None:
        try:
            self._client.hello(task_id)
        except C1Error as error:
            _logger.warning("Task %s (hello) failed: %s", task_id, error)
        else:
            _logger.info("Task %s (hello) is done", task_id)

    def _refuse(self, task_id: str, kind: str, ending: Ending) -> None:
        _logger.warning("Task %s (%s) is refused: this connector reads users only", task_id, kind)
        self._finish(task_id, ending)

    def _sync(self, task: pb.Task) -> None:
        task_id = task.id
        try:
            beat = self._client.heartbeat(task_id)
        except C1Error as error:
            _logger.warning("Task %s (sync_full) is dropped, as its first heartbeat failed: %s", task_id, error)
            return
        if beat.cancelled:
            _logger.info("Task %s (sync_full) is dropped: C1 has cancelled it", task_id)
            return
        _logger.info("Task %s (sync_full) begins", task_id)
        cancellation = Cancellation()
        with (
            self._stopping.calling(lambda: cancellation.cancel("The connector is being stopped.")),
            self._heartbeats(task_id, beat, cancellation),
        ):
            failure = self._read_and_upload(task, cancellation)
            if failure is None:
                _logger.info("Task %s (sync_full) is done", task_id)
            else:
                _logger.error("Task %s (sync_full) failed, nothing was imported: %s", task_id, failure)
            self._finish(task_id, Ending(failure))

    def _read_and_upload(self, task: pb.Task, cancellation: Cancellation) -> ConnectorError | None:
        """Return what went wrong."""
        try:
            with tempfile.TemporaryDirectory(prefix="ory-connector-", ignore_cleanup_errors=True) as directory:
                if not task.debug:
                    self._sync_into(Path(directory), task, cancellation)
                    return None
                told = Path(directory, "task.log")
                with task_log(told, task.id, self._client.hidden):
                    self._sync_into(Path(directory), task, cancellation)
                # After the users: C1 must not take it for them.
                self._upload(task.id, told, cancellation)
        except ConnectorError as error:
            return error
        except OSError as error:
            return ConnectorError(f"The connector's machine could not do it: {error}.")
        return None

    def _sync_into(self, directory: Path, task: pb.Task, cancellation: Cancellation) -> None:
        file = directory / "sync.c1z"
        environ = self._settings.reader_environment(file)
        read_users(environ, wanted(task.sync_full), cancellation, self._client.hidden)
        self._upload(task.id, file, cancellation)

    def _upload(self, task_id: str, file: Path, cancellation: Cancellation) -> None:
        for wait in (*UPLOAD_WAITS, None):
            cancellation.check()
            try:
                self._client.upload(task_id, file, cancellation)
            except C1Error as error:
                _logger.warning("Task %s: the upload failed: %s", task_id, error)
                if wait is None:
                    raise
                cancellation.wait(wait)
            else:
                return

    def _finish(self, task_id: str, ending: Ending) -> None:
        for wait in (*FINISH_WAITS, None):
            last = self._stopping.cancelled
            try:
                seconds = LAST_SECONDS if last else FINISH_SECONDS
                self._client.finish(task_id, ending, seconds)
            except C1Error as refusal:
                if wait is None or last or refusal.code in FINAL:
                    _logger.error("Task %s: C1 could not be told of its end: %s", task_id, refusal)  # noqa: TRY400
                    return
                _logger.warning("Task %s: C1 is to be told of its end again: %s", task_id, refusal)
                self._stopping.wait(wait)
            else:
                return

    @contextmanager
    def _heartbeats(self, task_id: str, first: pb.HeartbeatResponse, cancellation: Cancellation) -> Iterator[None]:
        """Beat on a thread of its own, which waits for nothing but C1."""
        ended = threading.Event()
        beating = threading.Thread(
            target=self._beat, args=(task_id, _interval(first), cancellation, ended), name="heartbeats", daemon=True
        )
        beating.start()
        try:
            yield
        finally:
            ended.set()

    def _beat(self, task_id: str, interval: float, cancellation: Cancellation, ended: threading.Event) -> None:
        failed = 0
        while not ended.wait(interval):
            try:
                beat = self._client.heartbeat(task_id)
            except C1Error as error:
                failed += 1
                _logger.warning("Task %s: heartbeat failed (%d in a row): %s", task_id, failed, error)
                if failed == MAX_FAILED_HEARTBEATS:
                    cancellation.cancel(f"{failed} heartbeats in a row failed.")
                continue
            failed = 0
            interval = _interval(beat)
            if beat.cancelled:
                cancellation.cancel("C1 has cancelled the task.")


def _interval(beat: pb.HeartbeatResponse) -> float:
    # Not by way of a timedelta, which has no room for all that the message can say.
    seconds = beat.next_heartbeat.seconds + beat.next_heartbeat.nanos / 1e9
    return min(max(seconds, MIN_HEARTBEAT), MAX_HEARTBEAT) if seconds else DEFAULT_HEARTBEAT
