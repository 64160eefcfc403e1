"""A read as the service sees it: a process that writes a file whole, or says in a sentence why not.

Knows nothing of C1.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from c1_connector.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from c1_connector.cancellation import Cancellation

READER = "c1_connector.reading"


def read_users(file: Path, environment: Mapping[str, str], cancellation: Cancellation) -> None:
    """Read all users into `file`.

    Raises:
        ReadError: if they could not be read whole; there is no file then.
        CancelledError: if it was cancelled.
    """
    cancellation.check()
    reader = subprocess.Popen(  # noqa: S603 - this program
        [sys.executable, "-m", READER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=dict(environment),
        # An interrupt from the keyboard is for the service to handle.
        start_new_session=True,
    )
    # Nothing of a cancelled read is of use: its files are in a directory that goes with the task.
    with reader, cancellation.calling(reader.kill):
        told = reader.stdout.read() if reader.stdout else b""
        code = reader.wait()
    cancellation.check()
    if code or not file.is_file():
        raise ReadError(_sentence(told, code))


def _sentence(told: bytes, code: int) -> str:
    try:
        return str(json.loads(told.splitlines()[-1]))
    except (IndexError, ValueError):
        return f"The read ended with exit code {code} and without a word: was it killed, or out of memory?"
