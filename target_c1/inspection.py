"""What is in a .c1z: the sync, the counts, the first users, and whether the file is all that C1's readers expect.

Reads with the standard library's SQLite and our own decoder; files of other connectors can be inspected too, with
their further tables and resource types.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from target_c1.c1z import MAX_DATABASE_BYTES, OLD_MAX_DATABASE_BYTES, unpack_c1z
from target_c1.decoding import decode_resource, decode_resource_type
from target_c1.errors import FileFormatError
from target_c1.messages import SKIP_URL, TRAIT_USER, USER_TYPE
from target_c1.publish import open_readable
from target_c1.store import INDEXES, PAGE_SIZE, TABLES
from target_c1.users import MAX_BYTES, STATUS_NAMES
from target_c1.values import is_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_c1.decoding import DecodedUser

FIRST_USERS = 5
#: Failures of one check that are shown.
MAX_EXAMPLES = 3

_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", re.ASCII)
_KSUID = re.compile(r"[0-9A-Za-z]{27}", re.ASCII)


@dataclass
class Check:
    """One thing that must hold; `failures` says, for the first few, what does not."""

    title: str
    failures: list[str]
    count: int = 0

    def expect(self, holds: object, failure: str) -> None:
        """Note `failure` unless something holds."""
        if not holds:
            self.count += 1
            if len(self.failures) < MAX_EXAMPLES:
                self.failures.append(failure)


def inspect_file(path: str, echo: Callable[[str], Any]) -> bool:
    """Print what is in the .c1z at `path`, a local path or a URL, and return whether all checks passed.

    Raises:
        PublishError: if it can't be read.
    """
    with tempfile.TemporaryDirectory(prefix="target-c1-") as scratch:
        file, database = Path(scratch, "file"), Path(scratch, "database")
        with open_readable(path) as source, file.open("wb") as copy:
            shutil.copyfileobj(source, copy)
        envelope = _check("the envelope is C1ZF and one whole zstd stream")
        try:
            unpack_c1z(file, database)
        except FileFormatError as error:
            envelope.expect(holds=False, failure=str(error))
            return _report([envelope], echo)
        size = database.stat().st_size
        echo(f"{path}: {file.stat().st_size:,} bytes, database {size:,} bytes")
        envelope.expect(
            size <= OLD_MAX_DATABASE_BYTES,
            f"it unpacks to {size:,} bytes: C1's older tools refuse more than {OLD_MAX_DATABASE_BYTES:,} (3 GiB), "
            f"the newest more than {MAX_DATABASE_BYTES:,} (10 GiB)",
        )
        connection = sqlite3.connect(f"{database.as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            checks = [_check_database(connection, database), _check_tables(connection)]
            if not any(check.failures for check in checks):
                checks += _check_sync(connection, echo)
                checks += _check_users(connection, echo)
        except sqlite3.DatabaseError as error:
            checks = [Check("the database can be read", [str(error)], 1)]
        finally:
            connection.close()
        return _report([envelope, *checks], echo)


def _check(title: str) -> Check:
    return Check(title, [])


def _report(checks: list[Check], echo: Callable[[str], Any]) -> bool:
    for check in checks:
        echo(f"{'FAILED' if check.failures else 'passed'}  {check.title}")
        for failure in check.failures:
            echo(f"        {failure}")
        if check.count > len(check.failures):
            echo(f"        and {check.count - len(check.failures):,} more")
    return not any(check.failures for check in checks)


def _check_database(connection: sqlite3.Connection, database: Path) -> Check:
    check = _check(f"the database is sound, in pages of {PAGE_SIZE} bytes and without a write-ahead log")
    for (line,) in connection.execute("pragma integrity_check"):
        check.expect(line == "ok", line)
    (page_size,) = connection.execute("pragma page_size").fetchone()
    check.expect(page_size == PAGE_SIZE, f"its pages have {page_size} bytes")
    with database.open("rb") as file:
        versions = file.read(20)[18:]
    check.expect(versions == b"\x01\x01", "its header names a write-ahead log")
    return check


def _check_tables(connection: sqlite3.Connection) -> Check:
    check = _check("the tables and indexes of version 1 are there")
    with_ours = sqlite3.connect(":memory:")
    try:
        for table, columns in TABLES.items():
            with_ours.execute(f"create table {table} ({columns})")
            query = 'select name, lower(type), "notnull", dflt_value, pk from pragma_table_info(?)'
            found = set(connection.execute(query, (table,)))
            for column in with_ours.execute(query, (table,)):
                check.expect(column in found, f"{table} has no column like {column}")
    finally:
        with_ours.close()
    for name, (table, columns_of_index, unique) in INDEXES.items():
        indexes = dict(connection.execute('select name, "unique" from pragma_index_list(?)', (table,)))
        found_columns = tuple(row[0] for row in connection.execute("select name from pragma_index_info(?)", (name,)))
        check.expect(
            indexes.get(name) == unique and found_columns == columns_of_index,
            f"{table} has no index {name} like {', '.join(columns_of_index)}",
        )
    return check


def _check_sync(connection: sqlite3.Connection, echo: Callable[[str], Any]) -> list[Check]:
    one = _check("there is one finished, full sync with a KSUID")
    rows = connection.execute(
        "select sync_id, started_at, ended_at, sync_token, sync_type, parent_sync_id from v1_sync_runs"
    ).fetchall()
    one.expect(len(rows) == 1, f"there are {len(rows)}")
    times = _check("times are YYYY-MM-DD HH:MM:SS.ffffff")
    for sync_id, started_at, ended_at, token, kind, parent in rows:
        echo(f"sync {sync_id} ({kind}), started {started_at}, ended {ended_at or 'never'}")
        one.expect(_KSUID.fullmatch(sync_id), f"{sync_id!r} is no KSUID")
        one.expect(ended_at, f"{sync_id} has not ended")
        one.expect((token, kind, parent) == ("", "full", ""), f"{sync_id} is {kind!r}, token {token!r}, of {parent!r}")
        for time in filter(None, (started_at, ended_at)):
            times.expect(_TIME.fullmatch(time), f"{time!r}")
    for table in ("v1_resource_types", "v1_resources"):
        for time, sync_id in connection.execute(f"select distinct discovered_at, sync_id from {table}"):  # noqa: S608
            times.expect(_TIME.fullmatch(time), f"{time!r} in {table}")
            one.expect(sync_id == (rows[0][0] if rows else ""), f"{table} has rows of sync {sync_id!r}")
    return [one, times, _check_types(connection, echo)]


def _check_types(connection: sqlite3.Connection, echo: Callable[[str], Any]) -> Check:
    check = _check("the resource type is user, with the trait of users and without entitlements and grants")
    rows = connection.execute("select external_id, data from v1_resource_types").fetchall()
    check.expect([row[0] for row in rows] == [USER_TYPE], f"there are {[row[0] for row in rows]}")
    for external_id, data in rows:
        try:
            kind = decode_resource_type(data)
        except ValueError as error:
            check.expect(holds=False, failure=f"{external_id}: {error}")
            continue
        echo(f"resource type {kind.id} ({kind.display_name!r}{', ' if kind.description else ''}{kind.description})")
        check.expect(kind.id == external_id, f"{external_id} is called {kind.id!r} inside")
        check.expect(kind.traits == [TRAIT_USER], f"{external_id} has the traits {list(kind.traits)}")
        check.expect(
            SKIP_URL in [each.type_url for each in kind.annotations],
            f"{external_id} does not skip entitlements and grants",
        )
    return check


def _check_users(connection: sqlite3.Connection, echo: Callable[[str], Any]) -> list[Check]:
    decodable = _check("every resource is a user whose messages can be decoded")
    limits = _check(f"ids and names have 1 to {MAX_BYTES} bytes, e-mail addresses are valid, the first one is primary")
    alike = _check("the trait and the resource say the same of status, profile and creation time")
    counts = dict.fromkeys(STATUS_NAMES, 0)
    total = 0
    for external_id, kind, data in connection.execute(
        "select external_id, resource_type_id, data from v1_resources order by id"
    ):
        total += 1
        try:
            user = decode_resource(data)
        except ValueError as error:
            decodable.expect(holds=False, failure=f"{external_id}: {error}")
            continue
        decodable.expect(
            kind == user.resource.id.resource_type == USER_TYPE and external_id == f"{USER_TYPE}:{user.id}",
            f"{external_id} of type {kind!r} is {user.resource.id.resource_type}:{user.id} inside",
        )
        _check_limits(limits, user)
        for name in user.differing:
            alike.expect(holds=False, failure=f"{external_id}: {name}")
        status = STATUS_NAMES[user.resource.status.status]
        counts[status] += 1
        if total <= FIRST_USERS:
            emails = ", ".join(email.address for email in user.trait.emails)
            echo(f"  {user.id}  {user.resource.display_name!r}  {status}  {emails}")
    statuses = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    echo(f"{total:,} users{f' ({statuses})' if statuses else ''}")
    return [decodable, limits, alike]


def _check_limits(check: Check, user: DecodedUser) -> None:
    for title, value in (("id", user.id), ("display name", user.resource.display_name)):
        check.expect(1 <= len(value.encode()) <= MAX_BYTES, f"{user.id[:60]}: {title} of {len(value.encode())} bytes")
    for number, email in enumerate(user.trait.emails):
        check.expect(is_address(email.address), f"{user.id[:60]}: {email.address[:60]!r} is no e-mail address")
        check.expect(email.is_primary == (number == 0), f"{user.id[:60]}: primary address at place {number}")
