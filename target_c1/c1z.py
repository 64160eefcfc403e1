"""C1's file, version 1, around its database: five bytes, then one zstd stream of the SQLite file that `store` made.

Knows the envelope, times and ids of a sync; nothing of users.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import zstandard

from target_c1.errors import FileFormatError, RefusedError
from target_c1.messages import USER_TYPE, encode_resource_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from target_c1.store import Store

MAGIC = b"C1ZF\x00"
ZSTD_LEVEL = 3
#: Not the machine's number: the bytes must not depend on where the file is made.
ZSTD_THREADS = 2
#: The largest window that C1's readers take.
MAX_WINDOW_BYTES = 32 * 1024 * 1024
#: The largest databases that C1's readers unpack: the newest, and older ones (those of baton's SDK 0.7).
MAX_DATABASE_BYTES = 10 * 1024**3
OLD_MAX_DATABASE_BYTES = 3 * 1024**3
#: What an earlier file may unpack to in any case, and beyond that as a multiple of its own size or of the new database:
#: ours are 5 to 20 times their files, and a few kilobytes of zeros can be a gigabyte.
_SMALL_DATABASE_BYTES = 64 * 1024**2
_USUAL_RATIO = 100
_USUAL_GROWTH = 8
_CHUNK = 1 << 20
#: Of a file that is unpacked: 1 KiB can be 32 MiB, all of which is in memory.
_PACKED_CHUNK = 1 << 10
_LONGEST_FRAME_HEADER = 18
_logger = logging.getLogger("target-c1")
_KSUID_EPOCH = 1_400_000_000
_KSUID_LENGTH = 27
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Stamp:
    """Where ids and times come from; a test that sets both gets the same bytes each time."""

    now: Callable[[], datetime] = _utc_now
    random_bytes: Callable[[int], bytes] = os.urandom

    def time(self) -> str:
        """Return the time as C1's databases have it: `YYYY-MM-DD HH:MM:SS.ffffff`, UTC."""
        return self.now().strftime("%Y-%m-%d %H:%M:%S.%f")

    def sync_id(self) -> str:
        """Return a KSUID: 27 characters of a 32-bit second and 16 random bytes."""
        second = int(self.now().timestamp()) - _KSUID_EPOCH
        number = int.from_bytes(second.to_bytes(4, "big") + self.random_bytes(16), "big")
        digits = ""
        for _ in range(_KSUID_LENGTH):
            number, digit = divmod(number, 62)
            digits = _BASE62[digit] + digits
        return digits


def finish_c1z(store: Store, path: Path, display_name: str, app_name: str | None, stamp: Stamp) -> None:
    """End the sync of `store` and write its file to `path`, on the disk when this returns.

    Raises:
        RefusedError: if C1's readers would not unpack it.
    """
    store.finish_sync(encode_resource_type(display_name, f"Users of {app_name}" if app_name else ""), stamp.time())
    _check_size(store.path.stat().st_size)
    with store.path.open("rb") as database, path.open("wb") as file:
        file.write(MAGIC)
        zstandard.ZstdCompressor(level=ZSTD_LEVEL, threads=ZSTD_THREADS, write_checksum=True).copy_stream(
            database, file, size=store.path.stat().st_size, read_size=_CHUNK, write_size=_CHUNK
        )
        file.flush()
        os.fsync(file.fileno())


def _check_size(size: int) -> None:
    """Look at the size of a database before it becomes a file.

    Raises:
        RefusedError: if none of C1's readers would unpack it.
    """
    if size > MAX_DATABASE_BYTES:
        msg = (
            f"Not published: the users take {size:,} bytes, C1's readers refuse more than {MAX_DATABASE_BYTES:,}. "
            "Leave objects that nobody needs out of mapping.profile."
        )
        raise RefusedError(msg)
    if size > OLD_MAX_DATABASE_BYTES:
        _logger.warning(
            "The users take %s bytes: C1's older readers refuse more than %s",
            f"{size:,}",
            f"{OLD_MAX_DATABASE_BYTES:,}",
        )


def unpack_c1z(path: Path, database: Path, limit: int | None = None) -> None:
    """Write the SQLite file of the .c1z at `path` to `database`: at most `limit` bytes, by default what C1's take.

    Raises:
        FileFormatError: if it is no .c1z of version 1, is cut, or unpacks to more.
    """
    limit = MAX_DATABASE_BYTES if limit is None else limit
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj()
    with path.open("rb") as file, database.open("wb") as out:
        magic = file.read(len(MAGIC))
        if magic != MAGIC:
            known = {b"\x1f\x8b": "a gzip file", b"C1Z3": "a .c1z of version 3", b"SQLi": "a bare SQLite file"}
            kind = next((name for start, name in known.items() if magic.startswith(start)), "something else")
            msg = f"it does not begin with {MAGIC!r}: it is {kind}"
            raise FileFormatError(msg)
        try:
            size = _told_size(file.read(_LONGEST_FRAME_HEADER))
            file.seek(len(MAGIC))
            while size <= limit and not decompressor.eof:
                chunk = file.read(_PACKED_CHUNK)
                if not chunk:
                    msg = "its zstd stream does not end"
                    raise FileFormatError(msg)
                out.write(decompressor.decompress(chunk))
                size = max(size, out.tell())
        except zstandard.ZstdError as error:
            msg = f"its zstd stream is broken ({error})"
            raise FileFormatError(msg) from error
        if size > limit:
            why = "what C1's newest tools take" if limit >= MAX_DATABASE_BYTES else "what such a file usually does"
            msg = f"its {path.stat().st_size:,} bytes unpack to more than {limit:,}, {why}"
            raise FileFormatError(msg)
        if decompressor.unused_data or file.read(1):
            msg = "there are bytes after its zstd stream"
            raise FileFormatError(msg)


def _told_size(head: bytes) -> int:
    """Return the size that a zstd stream tells in its head; not every writer does, and none needs to be believed."""
    try:
        return max(0, zstandard.frame_content_size(head))
    except zstandard.ZstdError:
        return 0


def read_c1z_ids(path: Path, database: Path, like: int = 0) -> Iterator[str]:
    """Yield the ids of all users; `database` is where the SQLite file is unpacked to.

    Raises:
        FileFormatError: if it is no .c1z of version 1, or unpacks to much more than such a file and another database
            of `like` bytes let expect.
    """
    usual = max(_SMALL_DATABASE_BYTES, _USUAL_RATIO * path.stat().st_size, _USUAL_GROWTH * like)
    unpack_c1z(path, database, min(usual, MAX_DATABASE_BYTES))
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        # A view may be made of rows without end.
        if connection.execute("select 1 from sqlite_master where name = 'v1_resources' and type <> 'table'").fetchone():
            msg = "in its database v1_resources is no table"
            raise FileFormatError(msg)
        prefix = len(USER_TYPE) + 1
        for (external_id,) in connection.execute(
            "select distinct external_id from v1_resources where resource_type_id = ?", (USER_TYPE,)
        ):
            yield external_id[prefix:]
    except sqlite3.Error as error:
        msg = f"its database cannot be read ({error})"
        raise FileFormatError(msg) from error
    finally:
        connection.close()
        database.unlink()
