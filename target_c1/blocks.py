"""Runs of plain RECORD lines, taken in blocks: every other block is made into rows by a helper, on another processor.

What comes out is as if each line had been read by itself, in order: a block with a line that is not plain is given
back, line by line, and so is the one that was made after it.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from target_c1.helper import Helper

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_c1.rows import RowMaker, Rows

#: Lines, or bytes of lines, in a block.
BLOCK_LINES = 500
BLOCK_BYTES = 4_000_000
#: No line begins with this.
_NO_LINE = b"\n\n"


class _Block(NamedTuple):
    number: int
    lines: list[bytes]


class Blocks:
    """Collects lines that begin with `prefix`, which is nothing until a first record was read by itself."""

    def __init__(self, maker: RowMaker, file_format: str) -> None:
        """Make rows with `maker`, and let a helper with the same mappings and format do half of it."""
        self.prefix = _NO_LINE
        self.accept: Callable[[Rows], None]
        self.redo: Callable[[int, list[bytes]], None]
        self._maker, self._format = maker, file_format
        self._helper: Helper | None = None
        #: With a single processor, two processes would only wait for each other.
        self._may_help = _processors() > 1
        self._stream, self._version = "", None
        self._new_block(0)
        self._given: _Block | None = None

    def begin(self, line: bytes, stream: str, version: Any) -> None:
        """Take lines from now on that begin as this RECORD of the stream does, up to its record."""
        self._stream, self._version = stream, version
        head, key, _ = line.partition(b'"record"')
        # A version that the helper cannot be told is one that no tap uses.
        plain = version is None or (isinstance(version, int) and abs(version) < 1 << 63)
        self.prefix = head + key if key and plain and json.dumps(stream).encode() in head else _NO_LINE

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
            self._take(_Block(self._number, self._lines))
            self._new_block(0)

    def drain(self) -> None:
        """Have all lines so far done."""
        if self._lines:
            block = _Block(self._number, self._lines)
            self._new_block(0)
            self._make_here(block)
        elif self._given is not None:
            self._accept_given()

    def close(self) -> None:
        """End the helper."""
        if self._helper is not None:
            self._helper.close()

    def _new_block(self, number: int) -> None:
        self._number, self._bytes = number, 0
        self._lines: list[bytes] = []

    def _take(self, block: _Block) -> None:
        if self._given is None and self._may_help:
            if self._helper is None:
                self._helper = Helper(self._maker.sources, self._format)
            self._helper.give(self._stream, self._version, block.lines)
            self._given = block
        else:
            self._make_here(block)

    def _make_here(self, block: _Block) -> None:
        rows = self._maker.make(self._stream, self._version, block.lines)
        if self._given is not None and not self._accept_given():
            rows = None  # made for a version or stream that may be past
        self._accept(block, rows)

    def _accept_given(self) -> bool:
        if self._helper is None or self._given is None:
            return True
        block, self._given = self._given, None
        return self._accept(block, self._helper.take())

    def _accept(self, block: _Block, rows: Rows | None) -> bool:
        if rows is None:
            self.redo(*block)
            return False
        self.accept(rows)
        return True


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
