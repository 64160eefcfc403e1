"""A read as the service sees it: a process that writes a file whole, or says in a sentence why not.

Knows nothing of C1.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec

from c1_connector.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import IO

    from c1_connector.cancellation import Cancellation
    from c1_connector.task_log import TaskLog
    from target_c1.scope import Scope

READER = "c1_connector.reading"


def read_users(
    file: Path, environment: Mapping[str, str], scope: Scope, cancellation: Cancellation, log: TaskLog | None
) -> None:
    """Read the users of `scope` into `file`; what the read logs goes to stderr, and to `log`.

    Raises:
        ReadError: if they could not be read whole; there is no file then.
        CancelledError: if it was cancelled.
    """
    cancellation.check()
    reader = subprocess.Popen(  # noqa: S603 - this program
        [sys.executable, "-m", READER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if log else None,
        env=dict(environment),
        # An interrupt from the keyboard is for the service to handle.
        start_new_session=True,
    )
    # Nothing of a cancelled read is of use: its files are in a directory that goes with the task.
    with reader, cancellation.calling(reader.kill), _copying(reader.stderr, log):
        _ask_for(scope, reader.stdin)
        told = reader.stdout.read() if reader.stdout else b""
        code = reader.wait()
    cancellation.check()
    if code or not file.is_file():
        raise ReadError(_sentence(told, code))


def _ask_for(scope: Scope, stdin: IO[bytes] | None) -> None:
    # It stays open: for the reader its end is that of the service. A reader that was killed takes nothing any more.
    with suppress(BrokenPipeError):
        if stdin:
            stdin.write(msgspec.json.encode(scope) + b"\n")
            stdin.flush()


@contextmanager
def _copying(lines: IO[bytes] | None, log: TaskLog | None) -> Iterator[None]:
    """Let `log` have all `lines`, on a thread of its own."""
    if not (lines and log):
        yield
        return
    copying = threading.Thread(target=log.copy, args=(lines,), name="task-log", daemon=True)
    copying.start()
    try:
        yield
    finally:
        copying.join()


def _sentence(told: bytes, code: int) -> str:
    try:
        return str(json.loads(told.splitlines()[-1]))
    except (IndexError, ValueError):
        return f"The read ended with exit code {code} and without a word: was it killed, or out of memory?"
