"""The three files that C1 takes: how a user is one row, how rows become a file, whose ids are in an earlier file.

Knows nothing of Singer or of where a file goes.
"""

from __future__ import annotations

import csv
import io
import os
from datetime import datetime, timedelta, timezone
from typing import IO, TYPE_CHECKING, Any, Protocol

import msgspec

from target_c1.c1z import finish_c1z, read_c1z_ids
from target_c1.errors import FileFormatError
from target_c1.messages import encode_resource
from target_c1.users import ACCOUNT_TYPE_NAMES, STATUS_NAMES
from target_c1.wire import MAX_EXACT_INTEGER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_c1.c1z import Stamp
    from target_c1.settings import Settings
    from target_c1.store import Store
    from target_c1.users import Moment, User

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Format(Protocol):
    """What a file format has to be able to do."""

    def encode(self, user: User) -> bytes:
        """Return the row of a user.

        Raises:
            RecursionError: if its profile is nested deeper than Python can follow.
        """

    def write(self, store: Store, path: Path) -> None:
        """Write the file of all rows to `path` and make sure that it is on the disk; the store is at its end then."""

    def read_ids(self, path: Path, scratch: Path) -> Iterator[str]:
        """Yield the ids in an earlier file; `scratch` is a path that may be written.

        Raises:
            FileFormatError: if it is no such file.
        """


class C1z:
    """C1's own file."""

    def __init__(self, settings: Settings, stamp: Stamp) -> None:
        """Name the resource type as `settings` say."""
        self._settings = settings
        self._stamp = stamp

    def encode(self, user: User) -> bytes:
        """Return the user's `Resource`."""
        return encode_resource(user)

    def write(self, store: Store, path: Path) -> None:
        """Finish the sync and compress the database."""
        finish_c1z(store, path, self._settings.display_name, self._settings.app_name, self._stamp)

    def read_ids(self, path: Path, scratch: Path) -> Iterator[str]:
        """Yield the ids of users in the file's database, unpacked to `scratch`."""
        yield from read_c1z_ids(path, scratch)


#: The File connector's columns that need no mapping in C1.
CSV_COLUMNS = (
    "User ID",
    "Email Address",
    "Username",
    "First Name",
    "Last Name",
    "Full Name",
    "User Status",
    "User Type",
    "Last Login",
)


class Csv:
    """The File connector's table, comma-separated, UTF-8.

    A cell that a spreadsheet would take for a formula gets an apostrophe in front, and so does one that begins with
    apostrophes and then looks like that: taking one apostrophe away from either gives back what was put in.
    """

    def encode(self, user: User) -> bytes:
        """Return the user's line."""
        return _csv_line(
            (
                user.id,
                user.emails[0] if user.emails else "",
                user.login or "",
                user.first_name or "",
                user.last_name or "",
                user.display_name,
                STATUS_NAMES[user.status] if user.status else "",
                ACCOUNT_TYPE_NAMES[user.account_type].capitalize() if user.account_type else "",
                _time(user.last_login) or "",
            )
        )

    def write(self, store: Store, path: Path) -> None:
        """Write the header and the lines."""
        with path.open("wb") as file:
            file.write(_csv_line(CSV_COLUMNS))
            file.writelines(store.rows())
            sync_to_disk(file)
        store.close()

    def read_ids(self, path: Path, scratch: Path) -> Iterator[str]:  # noqa: ARG002 - read where it is
        """Yield the column `User ID`."""
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                lines = csv.DictReader(file)
                if "User ID" not in (lines.fieldnames or ()):
                    msg = "it has no column 'User ID'"
                    raise FileFormatError(msg)
                for line in lines:
                    yield _unguard(line["User ID"] or "")
        except (csv.Error, UnicodeDecodeError) as error:
            msg = f"it is no CSV in UTF-8 ({type(error).__name__})"
            raise FileFormatError(msg) from error


def _time(moment: Moment | None) -> str | None:
    return f"{(_EPOCH + timedelta(seconds=moment[0])).isoformat()[:19]}Z" if moment else None


def _csv_line(cells: tuple[str, ...]) -> bytes:
    line = io.StringIO()
    # With both characters in the line's end, the writer quotes cells that hold either.
    csv.writer(line, lineterminator="\r\n").writerow([_guard(cell) for cell in cells])
    return line.getvalue().encode()


def _is_guarded(cell: str) -> bool:
    return cell.lstrip("'")[:1] in ("=", "+", "-", "@", "\t", "\r")


def _guard(cell: str) -> str:
    return f"'{cell}" if _is_guarded(cell) else cell


def _unguard(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _is_guarded(cell) else cell


_JSON_HEAD = b'{"users":[\n'
_JSON_TAIL = b'\n],"resources":[],"entitlements":[],"direct_user_grants":[]}\n'


class BatonJson:
    """The file of C1's baton-file, one user a line; users without a status or type of C1's have neither."""

    def encode(self, user: User) -> bytes:
        """Return the user's object."""
        fields: dict[str, Any] = {
            "id": user.id,
            "display_name": user.display_name,
            "email": user.emails[0] if user.emails else None,
            "additional_emails": user.emails[1:],
            "status": STATUS_NAMES[user.status] if user.status else None,
            "status_details": user.status_details,
            "type": ACCOUNT_TYPE_NAMES[user.account_type] if user.account_type else None,
            "login": user.login,
            "login_aliases": user.login_aliases,
            "employee_id": user.employee_ids[0] if user.employee_ids else None,
            "last_login": _time(user.last_login),
            "mfa_enabled": user.mfa_enabled,
            "sso_enabled": user.sso_enabled,
            "profile": _exact(user.profile),
        }
        return msgspec.json.encode({name: value for name, value in fields.items() if value not in (None, [])})

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

    def read_ids(self, path: Path, scratch: Path) -> Iterator[str]:  # noqa: ARG002 - read where it is
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


def _exact(value: Any) -> Any:
    """Return JSON in which the integers that a double would change are texts, as they are in a .c1z."""
    if isinstance(value, dict):
        return {name: _exact(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    if isinstance(value, int) and not -MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER:
        return str(value)
    return value


def sync_to_disk(file: IO[bytes]) -> None:
    """Make sure that what was written is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def choose_format(settings: Settings, stamp: Stamp) -> Format:
    """Return the format that the settings name."""
    if settings.format == "csv":
        return Csv()
    return BatonJson() if settings.format == "json" else C1z(settings, stamp)
