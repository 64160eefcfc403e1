"""What a run has asked of a project: requests, those that were refused with 429, seconds of waiting for limits.

Knows nothing of what is asked for, nor of who is told.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from command_basics import metrics, telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Counts(NamedTuple):
    """Requests that left, answers of 429 among them, and seconds in which at least one waited for a limit."""

    requests: int = 0
    refused: int = 0
    waited: float = 0.0


class Traffic:
    """Counts. Safe to use from several threads; readers that wait at the same time wait once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is in seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._told = Counts()
        self._requests = self._refused = self._waiting = 0
        self._waited = self._since = 0.0

    def sent(self) -> None:
        """Count a request."""
        with self._lock:
            self._requests += 1
        telemetry.count(metrics.REQUESTS)

    def refused(self) -> None:
        """Count an answer of 429."""
        with self._lock:
            self._refused += 1
        telemetry.count(metrics.REFUSED)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time inside as spent on a limit."""
        self._wait(1)
        try:
            yield
        finally:
            self._wait(-1)

    def since_last(self) -> Counts:
        """Return what has come since this was last asked."""
        self._wait(0)
        with self._lock:
            total, told = Counts(self._requests, self._refused, self._waited), self._told
            self._told = total
        return Counts(total.requests - told.requests, total.refused - told.refused, total.waited - told.waited)

    def _wait(self, more: int) -> None:
        """Take the time up to now into account, and so many readers more as waiting from now on."""
        with self._lock:
            now = self._clock()
            if self._waiting:
                self._waited += now - self._since
                telemetry.count(metrics.WAITED, now - self._since)
            self._since = now
            self._waiting += more
