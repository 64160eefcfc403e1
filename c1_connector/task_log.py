"""The log of one task, as C1 wants it of a task that it debugs: what service and read say of it, without a secret.

Knows nothing of where it goes.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from c1_connector.logs import DEBUGGED, LineFormatter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from c1_connector.logs import Secrets


class TaskLog(logging.Handler):
    """Lines in a file, in the order of their coming."""

    def __init__(self, file: IO[str], task_id: str, secrets: Secrets) -> None:
        """Take what names the task `task_id`, and what is said where it is debugged."""
        super().__init__()
        self._file = file
        self.setFormatter(LineFormatter(secrets.hide))
        self.addFilter(lambda record: DEBUGGED.get() == task_id or task_id in record.getMessage())

    def emit(self, record: logging.LogRecord) -> None:
        """Add a line."""
        self._file.write(f"{self.format(record)}\n")


@contextmanager
def task_log(path: Path, task_id: str, secrets: Secrets) -> Iterator[None]:
    """Log what is said of a task, and in the block, to the file at `path`, which is whole after the block."""
    with path.open("w", encoding="utf-8", errors="replace") as file:
        log, root = TaskLog(file, task_id, secrets), logging.getLogger()
        debugged = DEBUGGED.set(task_id)
        root.addHandler(log)
        try:
            yield
        finally:
            root.removeHandler(log)
            DEBUGGED.reset(debugged)
