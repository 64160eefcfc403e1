"""The service: greet C1, ask for tasks for as long as it runs, and end cleanly.

Knows when to call, nothing of what a task asks for.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import TYPE_CHECKING

from c1_connector.errors import DEADLINE_EXCEEDED, FINAL, C1Error, CancelledError, UntrustedError

if TYPE_CHECKING:
    from c1_connector import baton_pb2 as pb
    from c1_connector.cancellation import Cancellation
    from c1_connector.client import Client
    from c1_connector.tasks import TaskRunner

#: Seconds between two polls, whatever C1 says: not more than two a second, and one in five minutes.
MIN_POLL, MAX_POLL = 0.5, 300.0
#: A wait is lengthened by up to this share, so that connectors do not come back in step.
JITTER = 0.1
#: Seconds between two tries after errors: of Hello twice as long each time, of GetTask the square of their number.
MAX_HELLO_PAUSE = 300.0
MAX_POLL_PAUSE = 60.0
#: Seconds for which a C1 that cannot be reached is tried at the start.
DIAL_SECONDS = 30.0
#: Seconds that running tasks have to end in: a reader to be killed, a last FinishTask to be answered.
GRACE_SECONDS = 9.0

_logger = logging.getLogger("ory-connector")


class Service:
    """Takes tasks from C1, up to `concurrency` at the same time, until `stopping` is cancelled."""

    def __init__(self, client: Client, runner: TaskRunner, concurrency: int, stopping: Cancellation) -> None:
        """Make no call yet."""
        self._client = client
        self._runner = runner
        self._stopping = stopping
        self._slots = threading.Semaphore(concurrency)
        self._lock = threading.Lock()
        self._running: dict[str, threading.Thread] = {}
        #: Whether C1 knows this connector, and has not been left.
        self.is_ready = False

    def run(self) -> None:
        """Serve.

        Raises:
            C1Error: if C1 refuses the connector, or cannot be reached at the start.
            CancelledError: when it is stopped; the tasks have ended then, or their time is over.
        """
        self._greet()
        self.is_ready = True
        try:
            self._poll()
        finally:
            self.is_ready = False
            self._wait_for_tasks()

    def _greet(self) -> None:
        began, pause = time.monotonic(), 1.0
        while True:
            self._stopping.check()
            try:
                self._client.hello()
            except C1Error as error:
                unreachable = error.code == DEADLINE_EXCEEDED and time.monotonic() - began >= DIAL_SECONDS
                if error.code in FINAL or unreachable or isinstance(error, UntrustedError):
                    raise
                _logger.warning("C1 does not answer the greeting; another try follows in %.0f s: %s", pause, error)
            else:
                _logger.info("C1 knows this connector; waiting for tasks")
                return
            self._stopping.wait(pause)
            pause = min(2 * pause, MAX_HELLO_PAUSE)

    def _poll(self) -> None:
        errors = 0
        while True:
            with self._stopping.calling(self._slots.release):
                self._slots.acquire()
            self._stopping.check()
            try:
                response = self._client.get_task(self._stopping)
            except C1Error as error:
                errors += 1
                self._slots.release()
                wait = min(float(errors**2), MAX_POLL_PAUSE)
                _logger.warning("No task could be asked for; another try follows in %.0f s: %s", wait, error)
            else:
                errors = 0
                self._begin(response.task)
                wait = _interval(response)
            self._stopping.wait(wait * random.uniform(1, 1 + JITTER))  # noqa: S311 - no secret

    def _begin(self, task: pb.Task) -> None:
        with self._lock:
            if not task.id or task.WhichOneof("task_type") == "none" or task.id in self._running:
                self._slots.release()
                return
            thread = threading.Thread(target=self._work, args=(task,), name=f"task-{task.id}", daemon=True)
            self._running[task.id] = thread
        thread.start()

    def _work(self, task: pb.Task) -> None:
        try:
            self._runner.run(task)
        except CancelledError:
            pass
        except Exception as error:
            _logger.exception("Task %s ended with an unforeseen %s", task.id, type(error).__name__)
        finally:
            with self._lock:
                del self._running[task.id]
            self._slots.release()

    def _wait_for_tasks(self) -> None:
        deadline = time.monotonic() + GRACE_SECONDS
        with self._lock:
            threads = list(self._running.values())
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))


def _interval(response: pb.GetTaskResponse) -> float:
    # Not by way of a timedelta, which has no room for all that the message can say.
    seconds = response.next_poll.seconds + response.next_poll.nanos / 1e9
    return min(max(seconds, MIN_POLL), MAX_POLL)
