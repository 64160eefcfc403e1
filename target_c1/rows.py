"""From lines to rows, many at a time: what can be done with a line without knowing the lines before it.

Makes rows of plain RECORD lines only. Where one of them is not plain (another version, another stream, a line that
needs repair) it makes none of all: then the reader of single lines has to look at each. So a mistake here cannot
become a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from target_c1.columns import RowColumns, is_plain, names_of
from target_c1.mapping import SPREAD, Mapping, Source
from target_c1.messages import encode_resource
from target_c1.users import Tally, User, UserReader, address_texts

#: Of a user, and of where it counts what it changes, the row in the format of the file.
Encode = Callable[[User, dict[str, int]], bytes]


class Rows(NamedTuple):
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
        self.encode = encode
        self.readers = {stream: UserReader(Mapping(each)) for stream, each in sources.items()}
        #: The mappings that records can be taken by in columns.
        self.plain = {stream: each for stream, each in sources.items() if encode is encode_resource and is_plain(each)}
        self._columns = {stream: _LineColumns(each) for stream, each in self.plain.items()}

    def make(self, stream: str, version: Any, lines: Sequence[bytes]) -> Rows | None:
        """Return the rows of these lines, or None if one is not a plain RECORD of this stream and version."""
        reader, encode = self.readers[stream], self.encode
        columns = self._columns.get(stream)
        before, reader.tally = reader.tally, Tally()
        rows = []
        try:
            made = columns.rows(stream, version, lines) if columns else [None] * len(lines)
            if made is None:
                return None
            for row, line in zip(made, lines, strict=True):
                if row is not None:
                    rows.append(row)
                    continue
                message = _decode(line)
                if not _is_plain(message, stream, version, line):
                    return None
                user = reader.read(message.record)
                if user is not None:
                    rows.append((user.id, user.status, encode(user, reader.tally.changed)))
            return Rows(len(lines), rows, reader.tally)
        except (ValueError, RecursionError):
            return None
        finally:
            reader.tally = before


class _LineColumns:
    """The columns of lines, by one mapping; of their records only what it names is made."""

    def __init__(self, sources: dict[str, Source]) -> None:
        names = sorted(names_of(sources))
        fields = [(f"f{number}", Any, None) for number in range(len(names))]
        rename = {f"f{number}": name for number, name in enumerate(names)}
        record = msgspec.defstruct("Record", fields, rename=rename)
        message = msgspec.defstruct(
            "Message", [("type", str), ("stream", str), ("record", record), ("version", Any, None)]
        )
        self._decode = msgspec.json.Decoder(message).decode
        self._columns = RowColumns(sources, names)
        attributes = {name: field for field, name in rename.items()}
        self._spread = attrgetter(attributes[sources["profile"][SPREAD][1:]])
        self._emails = attrgetter(attributes[sources["emails"][1:]]) if "emails" in sources else _none

    def rows(self, stream: str, version: Any, lines: Sequence[bytes]) -> list[tuple[str, int, bytes] | None] | None:
        """Return each line's row, or None where a line needs a look of its own; None if one is no plain RECORD."""
        messages: list[Any] = [self._decode(line) for line in lines]
        if not all(_is_plain(message, stream, version, line) for message, line in zip(messages, lines, strict=True)):
            return None
        records = [message.record for message in messages]
        addresses = [
            address_texts(emails) if emails.__class__ is list else [] if emails is None else [emails]
            for emails in map(self._emails, records)
        ]
        return self._columns.rows(records, [*map(self._spread, records)], addresses)


def _none(_record: Any) -> list[Any]:
    return []


def _is_plain(message: Any, stream: str, version: Any, line: bytes) -> bool:
    return (
        message.type == "RECORD"
        and message.stream == stream
        and message.version == version
        and b"\\u0000" not in line  # to be repaired, like what cannot be decoded
    )
