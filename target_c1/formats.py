"""The three files that C1 takes: how rows become a file, and whose ids are in an earlier file.

Knows nothing of Singer or of where a file goes.
"""

from __future__ import annotations

import csv
import os
from typing import IO, TYPE_CHECKING, Protocol

import msgspec

from target_c1.c1z import finish_c1z, read_c1z_ids
from target_c1.encoders import CSV_COLUMNS, csv_line, unguard
from target_c1.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_c1.c1z import Stamp
    from target_c1.settings import Settings
    from target_c1.store import Store


class Format(Protocol):
    """What a file format has to be able to do."""

    def write(self, store: Store, path: Path) -> None:
        """Write the file of all rows to `path` and make sure that it is on the disk; the store is at its end then."""

    def read_ids(self, path: Path, scratch: Path, like: int) -> Iterator[str]:
        """Yield the ids in an earlier file; `scratch` is a path that may be written, `like` the new database's bytes.

        Raises:
            FileFormatError: if it is no such file.
        """


class C1z:
    """C1's own file."""

    def __init__(self, settings: Settings, stamp: Stamp) -> None:
        """Name the resource type as `settings` say."""
        self._settings = settings
        self._stamp = stamp

    def write(self, store: Store, path: Path) -> None:
        """Finish the sync and compress the database."""
        finish_c1z(store, path, self._settings.display_name, self._settings.app_name, self._stamp)

    def read_ids(self, path: Path, scratch: Path, like: int) -> Iterator[str]:
        """Yield the ids of users in the file's database, unpacked to `scratch`."""
        yield from read_c1z_ids(path, scratch, like)


class Csv:
    """The File connector's table, comma-separated, UTF-8."""

    def write(self, store: Store, path: Path) -> None:
        """Write the header and the lines."""
        with path.open("wb") as file:
            file.write(csv_line(CSV_COLUMNS))
            file.writelines(store.rows())
            sync_to_disk(file)
        store.close()

    def read_ids(self, path: Path, scratch: Path, like: int) -> Iterator[str]:  # noqa: ARG002 - read where it is
        """Yield the column `User ID`."""
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                lines = csv.DictReader(file)
                if "User ID" not in (lines.fieldnames or ()):
                    msg = "it has no column 'User ID'"
                    raise FileFormatError(msg)
                for line in lines:
                    yield unguard(line["User ID"] or "")
        except (csv.Error, UnicodeDecodeError) as error:
            msg = f"it is no CSV in UTF-8 ({type(error).__name__})"
            raise FileFormatError(msg) from error


_JSON_HEAD = b'{"users":[\n'
_JSON_TAIL = b'\n],"resources":[],"entitlements":[],"direct_user_grants":[]}\n'


class BatonJson:
    """The file of C1's baton-file, one user a line; users without a status or type of C1's have neither."""

    def write(self, store: Store, path: Path) -> None:
        """Write the users and the empty lists of all else."""
        with path.open("wb") as file:
            file.write(_JSON_HEAD)
            separator = b""
            for row in store.rows():
                file.write(separator + row)
                separator = b",\n"
            file.write(_JSON_TAIL)
            sync_to_disk(file)
        store.close()

    def read_ids(self, path: Path, scratch: Path, like: int) -> Iterator[str]:  # noqa: ARG002 - read where it is
        """Yield the users' ids: line by line from a file of our own, which may be large; else of the whole file."""
        decode = msgspec.json.Decoder(_JsonUser).decode
        try:
            with path.open("rb") as file:
                if file.readline() == _JSON_HEAD:
                    for line in file:
                        if line.startswith(b"]"):
                            return
                        if line.strip():
                            yield decode(line.rstrip(b",\r\n")).id
                file.seek(0)
                for user in msgspec.json.decode(file.read(), type=_JsonFile).users:
                    yield user.id
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            msg = f"it is no JSON of baton-file ({type(error).__name__})"
            raise FileFormatError(msg) from error


class _JsonUser(msgspec.Struct):
    id: str


class _JsonFile(msgspec.Struct):
    users: list[_JsonUser]


def sync_to_disk(file: IO[bytes]) -> None:
    """Make sure that what was written is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def choose_format(settings: Settings, stamp: Stamp) -> Format:
    """Return the format that the settings name."""
    if settings.format == "csv":
        return Csv()
    return BatonJson() if settings.format == "json" else C1z(settings, stamp)
