"""The log of one task, as C1 wants it of a task that it debugs: what service and read say of it, without a secret.

Knows nothing of where it goes.
"""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from c1_connector.logs import LineFormatter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from c1_connector.logs import Secrets

_logger = logging.getLogger("ory-connector")


class TaskLog(logging.Handler):
    """Lines in a file, in the order of their coming. Safe for several threads."""

    def __init__(self, file: IO[str], task_id: str, secrets: Secrets) -> None:
        """Take what the service logs of the task `task_id`."""
        super().__init__()
        self._file = file
        self._secrets = secrets
        self.setFormatter(LineFormatter(secrets, as_json=False))
        self.addFilter(lambda record: task_id in record.getMessage())

    def emit(self, record: logging.LogRecord) -> None:
        """Add a line of the service."""
        self._file.write(f"{self.format(record)}\n")

    def copy(self, lines: IO[bytes]) -> None:
        """Add the lines of a read until they end, and pass them on to stderr as they are."""
        for line in lines:
            text = self._secrets.hide(line.decode(errors="replace"))
            sys.stderr.write(text)
            self.acquire()
            try:
                self._file.write(text)
            finally:
                self.release()


@contextmanager
def task_log(path: Path, task_id: str, secrets: Secrets) -> Iterator[TaskLog]:
    """Log what is said of a task to the file at `path`, which is whole after the block."""
    with path.open("w", encoding="utf-8", errors="replace") as file:
        log = TaskLog(file, task_id, secrets)
        _logger.addHandler(log)
        try:
            yield log
        finally:
            _logger.removeHandler(log)
