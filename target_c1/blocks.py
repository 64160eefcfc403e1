"""Runs of plain RECORD lines, taken in blocks: what many lines have in common is then done once.

What comes out is as if each line had been read by itself, in order: a block with a line that is not plain is given
back, line by line.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_c1.rows import RowMaker, Rows

#: Lines, or bytes of lines, in a block.
BLOCK_LINES = 500
BLOCK_BYTES = 4_000_000
#: No line begins with this.
_NO_LINE = b"\n\n"


class Blocks:
    """Collects lines that begin with `prefix`, which is nothing until a first record was read by itself."""

    def __init__(self, maker: RowMaker) -> None:
        """Make rows with `maker`."""
        self.prefix = _NO_LINE
        self.accept: Callable[[Rows], None]
        self.redo: Callable[[int, list[bytes]], None]
        self._maker = maker
        self._stream, self._version = "", None
        self._number = self._bytes = 0
        self._lines: list[bytes] = []

    def begin(self, line: bytes, stream: str, version: Any) -> None:
        """Take lines from now on that begin as this RECORD of the stream does, up to its record."""
        self._stream, self._version = stream, version
        head, key, _ = line.partition(b'"record"')
        self.prefix = head + key if key and json.dumps(stream).encode() in head else _NO_LINE

    def end(self) -> None:
        """Take no more lines; there is nothing left to drain."""
        self.prefix = _NO_LINE

    def add(self, number: int, line: bytes) -> None:
        """Take the line with this number."""
        if not self._lines:
            self._number = number
        self._lines.append(line)
        self._bytes += len(line)
        if len(self._lines) >= BLOCK_LINES or self._bytes >= BLOCK_BYTES:
            self.drain()

    def drain(self) -> None:
        """Have all lines so far done."""
        if self._lines:
            lines, self._lines, self._bytes = self._lines, [], 0
            rows = self._maker.make(self._stream, self._version, lines)
            if rows is None:
                self.redo(self._number, lines)
            else:
                self.accept(rows)
