"""C1's file, version 1, around its database: five bytes, then one zstd stream of the SQLite file that `store` made.

Knows the envelope, times and ids of a sync; nothing of users.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import zstandard

from target_c1.errors import FileFormatError
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
_CHUNK = 1 << 20
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
    """End the sync of `store` and write its file to `path`, on the disk when this returns."""
    store.finish_sync(encode_resource_type(display_name, f"Users of {app_name}" if app_name else ""), stamp.time())
    with store.path.open("rb") as database, path.open("wb") as file:
        file.write(MAGIC)
        zstandard.ZstdCompressor(level=ZSTD_LEVEL, threads=ZSTD_THREADS, write_checksum=True).copy_stream(
            database, file, size=store.path.stat().st_size, read_size=_CHUNK, write_size=_CHUNK
        )
        file.flush()
        os.fsync(file.fileno())


def unpack_c1z(path: Path, database: Path) -> None:
    """Write the SQLite file of the .c1z at `path` to `database`.

    Raises:
        FileFormatError: if it is no .c1z of version 1, or is cut.
    """
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj()
    with path.open("rb") as file, database.open("wb") as out:
        magic = file.read(len(MAGIC))
        if magic != MAGIC:
            known = {b"\x1f\x8b": "a gzip file", b"C1Z3": "a .c1z of version 3", b"SQLi": "a bare SQLite file"}
            kind = next((name for start, name in known.items() if magic.startswith(start)), "something else")
            msg = f"it does not begin with {MAGIC!r}: it is {kind}"
            raise FileFormatError(msg)
        try:
            while not decompressor.eof:
                chunk = file.read(_CHUNK)
                if not chunk:
                    msg = "its zstd stream does not end"
                    raise FileFormatError(msg)
                out.write(decompressor.decompress(chunk))
        except zstandard.ZstdError as error:
            msg = f"its zstd stream is broken ({error})"
            raise FileFormatError(msg) from error
        if decompressor.unused_data or file.read(1):
            msg = "there are bytes after its zstd stream"
            raise FileFormatError(msg)


def read_c1z_ids(path: Path, database: Path) -> Iterator[str]:
    """Yield the ids of all users; `database` is where the SQLite file is unpacked to.

    Raises:
        FileFormatError: if it is no .c1z of version 1.
    """
    unpack_c1z(path, database)
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
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
