"""Progress on stderr: rows so far, of how many, rate, time left.

On a terminal one line that is written over; elsewhere, and among JSON, a log line every ten seconds. Never on stdout.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

from command_basics.log_format import writes_json
from ory_reader.errors import TapOryError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

TERMINAL_INTERVAL = 0.2
LOG_INTERVAL = 10.0
CLEAR_LINE = "\r\x1b[2K"


class Progress:
    """Counts rows and tells from time to time."""

    def __init__(
        self, label: str, count: Callable[[], int | None], logger: logging.Logger, rows: str = "identities"
    ) -> None:
        """`rows` is what they are; `count` finds the number of all, asked in the background at the first line."""
        self._label = label
        self._rows = rows
        self._count = count
        self._logger = logger
        self._done = 0
        self._total: int | None = None
        self._asked = False
        # A shell's `2>&-` leaves none.
        self._terminal = sys.stderr is not None and sys.stderr.isatty() and not writes_json()
        self._started = time.monotonic()
        self._interval = TERMINAL_INTERVAL if self._terminal else LOG_INTERVAL
        self._next = self._started + self._interval

    def add(self, rows: int) -> None:
        """Count rows that were written."""
        self._done += rows
        if time.monotonic() >= self._next:
            self._tell()

    def close(self) -> None:
        """Leave the terminal with a clean line."""
        if self._terminal and self._asked:
            sys.stderr.write(CLEAR_LINE)
            sys.stderr.flush()

    def line(self) -> str:
        """What is told: `slug: 1,500 of 20,000 identities, 5,000/s, 4 s left`."""
        elapsed = max(time.monotonic() - self._started, 1e-9)
        rate = self._done / elapsed
        text = f"{self._label}: {self._done:,}"
        if self._total is not None:
            text += f" of {max(self._total, self._done):,}"
        text += f" {self._rows}, {rate:,.0f}/s"
        if self._total is not None and rate > 0:
            text += f", {max(self._total - self._done, 0) / rate:,.0f} s left"
        return text

    def _tell(self) -> None:
        if not self._asked:
            self._asked = True
            threading.Thread(target=self._ask, name="count", daemon=True).start()
        if self._terminal:
            sys.stderr.write(CLEAR_LINE + self.line())
            sys.stderr.flush()
        else:
            self._logger.info("%s", self.line())
        self._next = time.monotonic() + self._interval

    def _ask(self) -> None:
        try:
            self._total = self._count()
        except TapOryError as error:
            self._logger.debug("No total for the progress: %s", error)
