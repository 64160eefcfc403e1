"""Lines become Singer messages: fast where they are JSON, forgiving where a tap wrote what most taps' libraries write.

Knows nothing of what messages mean.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from typing import IO, TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader, SingerMessageType

from target_c1.errors import InputError
from target_c1.repairs import MAX_DEPTH, repaired

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_c1.blocks import Blocks

_logger = logging.getLogger("target-c1")
_decode = msgspec.json.Decoder().decode


class LineReader(GenericSingerReader[bytes]):
    """The SDK's reader on bytes; `number` is the current line's, from 1, `repairs` what was changed and how often.

    Lines that begin with the prefix of `blocks` go there; before any other line is read, those are done.
    """

    blocks: Blocks

    def __init__(self) -> None:
        """Begin before the first line."""
        super().__init__()
        self.number = 0
        self.line = b""
        self.repairs: Counter[str] = Counter()
        self._line_repairs: Counter[str] = Counter()

    @property
    def default_input(self) -> IO[bytes]:
        """Standard input.

        Raises:
            InputError: if it is closed.
        """
        if sys.stdin is None:
            msg = "There is no standard input: start target-c1 behind a tap, or give --input."
            raise InputError(msg)
        return sys.stdin.buffer

    def process_lines(
        self, file_input: IO[bytes] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        """Call each message's callback; what the SDK's own loop does besides takes as long as decoding the line.

        Raises:
            InputError: if a line is no message.
        """
        counts = {kind.value: 0 for kind in SingerMessageType}
        blocks = self.blocks
        for line in file_input or self.default_input:
            if line.startswith(blocks.prefix):
                self.number += 1
                blocks.add(self.number, line)
                counts["RECORD"] += 1
                continue
            blocks.drain()
            message = self.deserialize_json(line)
            kind = message["type"]
            if kind in counts:
                counts[kind] += 1
                callbacks[kind](message)
            else:
                self._process_unknown_message(message)
        blocks.drain()
        return Counter(counts)

    def read_again(self, number: int, lines: list[bytes]) -> Iterator[dict[str, Any]]:
        """Yield the messages of lines that were taken in a block, from the one with this number on.

        Raises:
            InputError: if one is no message.
        """
        last = self.number
        self.number = number - 1
        for line in lines:
            yield self.deserialize_json(line)
        self.number = last

    def deserialize_json(self, line: bytes) -> dict[str, Any]:
        """Return the message of a line.

        Raises:
            InputError: if it is none, by its number; what it says is not repeated.
        """
        self.number += 1
        self.line = line
        self._line_repairs.clear()
        try:
            # NUL is valid JSON, but databases behind C1 may not take it.
            message = _decode(line) if b"\\u0000" not in line else self._repair(line)
        except (ValueError, RecursionError):
            message = self._repair(line)
        if type(message) is not dict or type(message.get("type")) is not str:
            msg = f"Line {self.number} of the input is no Singer message: it has no type."
            raise InputError(msg)
        return message

    def take_line_repairs(self) -> Counter[str]:
        """Return what was changed in the current line, and leave it out of `repairs`."""
        taken, self._line_repairs = self._line_repairs, Counter()
        self.repairs -= taken
        return taken

    def shallow_message(self) -> dict[str, Any]:
        """Return the current message once more, with what is nested too deep as text."""
        message: dict[str, Any] = self._repair(self.line)
        return message

    def _process_unknown_message(self, message_dict: dict[str, Any]) -> None:
        kind = message_dict["type"]
        if not self.repairs[f"messages of unknown type {kind!r} ignored"]:
            _logger.warning("Messages of type %r are unknown and ignored", kind)
        self.repairs[f"messages of unknown type {kind!r} ignored"] += 1

    def _repair(self, line: bytes) -> Any:
        try:
            value, self._line_repairs = repaired(line, MAX_DEPTH)
        except (ValueError, RecursionError):
            # The decoder's own text would repeat a piece of the line, and with it a person's data.
            msg = f"Line {self.number} of the input is not JSON. Was the tap stopped?"
            raise InputError(msg) from None
        self.repairs += self._line_repairs
        return value
