"""A second process that makes rows while this one makes others, one for a run.

It gets its mappings and its blocks of lines on standard input and answers on standard output, each message with its
length in front; it ends with its input, so it cannot outlive a killed run. It holds no state between two blocks.
"""

from __future__ import annotations

import gc
import os
import signal
import struct
import subprocess
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

import msgspec

from target_c1.encoders import ENCODERS
from target_c1.errors import TargetC1Error
from target_c1.rows import RowMaker, Rows

if TYPE_CHECKING:
    from target_c1.mapping import Source

_LENGTH = struct.Struct("<Q")


class _Setup(msgspec.Struct):
    sources: dict[str, dict[str, Any]]
    format: str


class _Block(msgspec.Struct):
    stream: str
    version: Any
    lines: list[bytes]


class Helper:
    """The other end: gives the process blocks of lines and takes their rows, one block at a time."""

    def __init__(self, sources: dict[str, dict[str, Source]], file_format: str) -> None:
        """Start the process for these mappings and this format; it needs no waiting for."""
        # With this process's own search path: by itself Python would look into the working directory first.
        program = f"import sys; sys.path[:] = {sys.path!r}; from target_c1.helper import main; main()"
        self._process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._send(_Setup(sources, file_format))

    def give(self, stream: str, version: Any, lines: list[bytes]) -> None:
        """Let it make the rows of `lines`."""
        self._send(_Block(stream, version, lines))

    def take(self) -> Rows | None:
        """Wait for the rows of the lines that were given, as `RowMaker.make` returns them.

        Raises:
            TargetC1Error: if the process has died.
        """
        data = _receive(self._process.stdout) if self._process.stdout else None
        if data is None:
            msg = "The second process of this run has died: is there enough memory?"
            raise TargetC1Error(msg)
        return msgspec.msgpack.decode(data, type=Rows | None)

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.communicate()

    def _send(self, message: msgspec.Struct) -> None:
        with suppress(BrokenPipeError):  # it has died: `take` says so
            _send(self._process.stdin, message)


def _send(pipe: IO[bytes] | None, message: Any) -> None:
    data = msgspec.msgpack.encode(message)
    if pipe is not None:
        pipe.write(_LENGTH.pack(len(data)))
        pipe.write(data)
        pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes | None:
    """Return the next message, or None at the end."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    data = pipe.read(_LENGTH.unpack(head)[0])
    return data if len(data) == _LENGTH.unpack(head)[0] else None


def main() -> None:
    """Be the process: answer blocks until the input ends."""
    gc.disable()  # as in the command itself
    # A terminal's Ctrl-C goes to both; the run ends its helper by itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Buffered whatever PYTHONUNBUFFERED says: a raw write may write a part only.
    requests, answers = sys.stdin.buffer, open(sys.stdout.fileno(), "wb", closefd=False)  # noqa: SIM115
    setup = msgspec.msgpack.decode(_receive(requests) or b"", type=_Setup)
    maker = RowMaker(setup.sources, ENCODERS[setup.format])
    while (data := _receive(requests)) is not None:
        block = msgspec.msgpack.decode(data, type=_Block)
        try:
            rows = maker.make(block.stream, block.version, block.lines)
        except Exception:  # noqa: BLE001 - the run meets it again, where it can say what it is
            rows = None
        try:
            _send(answers, rows)
        except BrokenPipeError:
            os._exit(1)  # the run was killed: nobody is there to be told
