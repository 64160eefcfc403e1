"""From lines to rows, many at a time: what can be done with a line without knowing the lines before it.

Makes rows of plain RECORD lines only. Where one of them is not plain (another version, another stream, a line that
needs repair) it makes none of all: then the reader of single lines has to look at each. So a mistake here cannot
become a row, and the two processes that use this need to share nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from target_c1.mapping import Mapping, Source
from target_c1.users import Tally, User, UserReader

#: Of a user, and of where it counts what it changes, the row in the format of the file.
Encode = Callable[[User, dict[str, int]], bytes]


class Rows(msgspec.Struct):
    """The rows of `records` records, each (id, status, data), and the tally of what they lost."""

    records: int
    rows: list[tuple[str, int, bytes]]
    tally: Tally


class _Message(msgspec.Struct):
    type: str
    stream: str
    record: dict[str, Any]
    version: Any = None


_decode = msgspec.json.Decoder(_Message).decode


class RowMaker:
    """Makes users, and rows of them, by the mappings of the streams that can be read."""

    def __init__(self, sources: dict[str, dict[str, Source]], encode: Encode) -> None:
        """Compile the mapping of each stream; `encode` writes a user in the format of the file.

        Raises:
            SettingsError: if a mapping is none.
        """
        self.sources, self.encode = sources, encode
        self.readers = {stream: UserReader(Mapping(each)) for stream, each in sources.items()}

    def make(self, stream: str, version: Any, lines: Iterable[bytes]) -> Rows | None:
        """Return the rows of these lines, or None if one is not a plain RECORD of this stream and version."""
        reader, encode = self.readers[stream], self.encode
        before, reader.tally = reader.tally, Tally()
        rows = []
        records = 0
        try:
            for line in lines:
                message = _decode(line)
                if (
                    message.type != "RECORD"
                    or message.stream != stream
                    or message.version != version
                    or b"\\u0000" in line  # to be repaired, like what cannot be decoded
                ):
                    return None
                records += 1
                user = reader.read(message.record)
                if user is not None:
                    rows.append((user.id, user.status, encode(user, reader.tally.changed)))
            return Rows(records, rows, reader.tally)
        except (ValueError, RecursionError):
            return None
        finally:
            reader.tally = before
