"""Rows that are ready to be sent: all identities as JSON in one buffer, a page being a slice of it.

Knows nothing of HTTP, nor what is in a row, but that it begins with ``{"id":"`` and an id of 36 characters.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from itertools import accumulate, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_ID = slice(len('{"id":"'), len('{"id":"') + 36)
_BATCH = 4096
# The member that follows the credentials.
_SCHEMA_ID = b'"schema_id":'
# A credential's secret part, marked with control characters, which JSON has none of.
_CONFIG = re.compile(rb"\x01[a-z_]+\x02([^\x03]*)\x03")


def marked_config(credential_type: str, config: str) -> str:
    """Mark a credential's ``config`` member (JSON text), to be served only to those who ask for its type."""
    return f"\x01{credential_type}\x02{config}\x03"


class Packed:
    """Pieces of JSON in one buffer, a comma after each.

    ``ends[i]`` and ``ends[i + 1]`` are where piece ``i`` begins and where its comma ends.
    """

    def __init__(self, buffer: bytes | bytearray, ends: array[int]) -> None:
        """Take over what was packed before."""
        self.buffer = buffer
        self.ends = ends

    def __len__(self) -> int:
        """Count the pieces."""
        return len(self.ends) - 1

    def __getitem__(self, index: int) -> bytes:
        """One piece, without its comma."""
        return bytes(self.buffer[self.ends[index] : self.ends[index + 1] - 1])

    def between(self, start: int, stop: int) -> memoryview:
        """Some pieces with the commas between them, not copied."""
        return memoryview(self.buffer)[self.ends[start] : max(self.ends[stop] - 1, self.ends[start])]

    def replace(self, start: int, stop: int, pieces: Iterable[bytes]) -> Packed:
        """The same pieces with others in the place of some: a new buffer, so that slices under way hold."""
        (middle,) = pack((piece,) for piece in pieces)
        begin, end = self.ends[start], self.ends[stop]
        shift = len(middle.buffer) - (end - begin)
        ends = self.ends[: start + 1]
        ends.extend(begin + offset for offset in middle.ends[1:])
        ends.extend(offset + shift for offset in self.ends[stop + 1 :])
        return Packed(b"".join((self.buffer[:begin], middle.buffer, self.buffer[end:])), ends)


def pack(pieces: Iterable[tuple[bytes, ...]], columns: int = 1) -> list[Packed]:
    """Pack pieces that come side by side, each column by itself."""
    packed = [Packed(bytearray(), array("Q", [0])) for _ in range(columns)]
    rows = iter(pieces)
    while batch := list(islice(rows, _BATCH)):
        for one, column in zip(packed, zip(*batch, strict=True), strict=True):
            sizes = (len(piece) + 1 for piece in column)
            one.ends.extend(islice(accumulate(sizes, initial=len(one.buffer)), 1, None))
            one.buffer += b",".join((*column, b""))
    return packed


class Store:
    """The identities of one project, sorted by id, upwards or downwards.

    Attributes:
        rows: Each identity as it is served without credentials.
        credentials: The ``credentials`` object of each, with marked configs; empty where it has none.
        unreadable: Ids of rows that the server fails to serialise.
    """

    def __init__(self, rows: Packed, credentials: Packed, *, descending: bool) -> None:
        """Keep rows that are in order already."""
        self.rows = rows
        self.credentials = credentials
        self.unreadable: set[str] = set()
        self._descending = descending

    def __len__(self) -> int:
        """Count the identities."""
        return len(self.rows)

    def id(self, index: int) -> str:
        """The id of a row."""
        return self._id(index).decode()

    def row(self, index: int) -> bytes:
        """A row without credentials."""
        return self.rows[index]

    def page(self, indexes: range) -> memoryview:
        """Rows in a row, comma-separated."""
        return self.rows.between(indexes.start, indexes.stop)

    def rows_with_credentials(self, indexes: Iterable[int], types: Collection[str]) -> bytes:
        """Some rows with their credentials, comma-separated; ``types`` are those whose config is shown."""
        page = b",".join(map(self._with_credentials, indexes))
        shown = "|".join(types)
        hidden = f"\x01(?!({shown})\x02)[^\x03]*\x03" if shown else "\x01[^\x03]*\x03"
        page = re.sub(hidden.encode(), b"", page)
        return _CONFIG.sub(rb'"config":\1,', page) if b"\x01" in page else page

    def _with_credentials(self, index: int) -> bytes:
        row, credentials = self.rows[index], self.credentials[index]
        if not credentials:
            return row
        before, _, after = row.partition(_SCHEMA_ID)
        return b"".join((before, b'"credentials":', credentials, b",", _SCHEMA_ID, after))

    def after(self, token: str) -> int:
        """The index of the first row whose id is greater than a token (in a store sorted upwards)."""
        return bisect_right(range(len(self)), token.encode(), key=self._id)

    def find(self, identity_id: str) -> int | None:
        """The index of an identity."""
        place = self._place(identity_id)
        index = len(self) - 1 - place if self._descending else place
        return index if 0 <= index < len(self) and self._id(index) == identity_id.encode() else None

    def put(self, identity_id: str, row: bytes, credentials: bytes) -> None:
        """Add an identity, or replace the one of that id."""
        index = self.find(identity_id)
        if index is None:
            place = self._place(identity_id)
            start = stop = len(self) - place if self._descending else place
        else:
            start, stop = index, index + 1
        self.rows = self.rows.replace(start, stop, [row])
        self.credentials = self.credentials.replace(start, stop, [credentials])

    def remove(self, identity_id: str) -> bool:
        """Remove an identity; False if there is none of that id."""
        index = self.find(identity_id)
        if index is None:
            return False
        self.rows = self.rows.replace(index, index + 1, [])
        self.credentials = self.credentials.replace(index, index + 1, [])
        self.unreadable.discard(identity_id)
        return True

    def holds_unreadable(self, indexes: Iterable[int]) -> bool:
        """Whether one of some rows is one that the server fails to serialise."""
        bad = [self.find(identity_id) for identity_id in self.unreadable]
        return bool(bad) and not set(bad).isdisjoint(indexes)

    def _id(self, index: int) -> bytes:
        begin = self.rows.ends[index]
        return bytes(self.rows.buffer[begin + _ID.start : begin + _ID.stop])

    def _upward_id(self, place: int) -> bytes:
        return self._id(len(self) - 1 - place if self._descending else place)

    def _place(self, identity_id: str) -> int:
        """How many ids are less than this one."""
        return bisect_left(range(len(self)), identity_id.encode(), key=self._upward_id)
