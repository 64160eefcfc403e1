"""What the tap writes, as Airbyte's messages: blocks of RECORD lines, states per stream, status.

The tap's blocks are finished lines that all begin and end alike, so a block is translated as a whole, by
replacing what stands between two records. Nothing is decoded.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.messages import ActivateVersionMessage, Message, SchemaMessage, StateMessage

from source_ory.messages import emit_state, emit_status, now_ms
from tap_ory.block_writer import BlockWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SINGER_HEAD = re.compile(rb'\{"type":"RECORD","stream":("[^"]*"),"record":')
SINGER_TAIL = re.compile(rb'(?:,"version":\d+)?,"time_extracted":"[^"]*"\}\n\Z')
#: Longer than any tail.
TAIL_BYTES = 128


class AirbyteWriter(BlockWriter):
    """The tap's message writer. Knows which streams have begun, and what of each is not in a state yet."""

    def __init__(self) -> None:
        """No stream has begun."""
        super().__init__()
        self._running: set[str] = set()
        self._states: dict[str, Any] = {}
        self._uncounted: Counter[str] = Counter()

    @property
    def started(self) -> Iterable[str]:
        """The streams that have begun, in order."""
        return self._states

    def write_block(self, block: bytes) -> None:
        """Write a block of one stream's RECORD lines."""
        if not block:
            return
        stream, lines, records = translate(block, now_ms())
        if stream not in self._running:
            self._running.add(stream)
            emit_status(stream, "RUNNING")
        super().write_block(lines)
        self._uncounted[stream] += records

    def write_message(self, message: Message) -> None:
        """Write what a Singer message means to Airbyte; a version of the records means nothing to it.

        Raises:
            TypeError: if it is another message: records, above all, come in blocks and may not get lost here.
        """
        if isinstance(message, SchemaMessage):
            self._states[message.stream] = None
            emit_status(message.stream, "STARTED")
        elif isinstance(message, StateMessage):
            self.write_states(message.value.get("bookmarks", {}))
        elif not isinstance(message, ActivateVersionMessage):
            raise TypeError(type(message).__name__)

    def write_states(self, bookmarks: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the states that are new or have records to account for."""
        for stream, last in self._states.items():
            # The tap goes on changing its own dictionary.
            state, records = dict(bookmarks.get(stream, {})), self._uncounted.pop(stream, 0)
            if records or state != last:
                emit_state(stream, state, records)
                self._states[stream] = state


def translate(block: bytes, emitted_at: int) -> tuple[str, bytes, int]:
    """Return a block of Singer RECORD lines as a stream's name, Airbyte's RECORD lines and their number.

    A line break stands only at the end of a line, and strings escape their quotes, so nothing within a record
    can look like the end of one line and the beginning of the next.

    Raises:
        ValueError: if the block is none of the tap's.
    """
    head, tail = SINGER_HEAD.match(block), SINGER_TAIL.search(block, max(0, len(block) - TAIL_BYTES))
    if not head or not tail:
        msg = "not a block of RECORD lines"
        raise ValueError(msg)
    begin = b'{"type":"RECORD","record":{"stream":' + head[1] + b',"data":'
    end = b',"emitted_at":%d}}\n' % emitted_at
    # Several times faster than `replace`, which looks for what is so long twice, and slowly.
    records = block[head.end() : tail.start()].split(tail[0] + head[0])
    return head[1][1:-1].decode(), b"".join((begin, (end + begin).join(records), end)), len(records)
