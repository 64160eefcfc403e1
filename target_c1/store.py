"""The SQLite file that users are spilled to while the input is read: the layout of C1's .c1z file, version 1.

It is a .c1z's database from the start, and for the other formats a place for their rows that is sorted, without
repetition and not in memory. Knows neither what is in a row nor where the file goes. Nothing in it is safe from a
crash: only what is published from it is.
"""

from __future__ import annotations

import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from target_c1.errors import PublishError
from target_c1.messages import USER_TYPE
from target_c1.scope import FULL
from target_c1.users import STATUS_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PAGE_SIZE = 4096
#: Rows of one statement, at two parameters each: SQLite takes 32,766 parameters, before 3.32 it took 999.
BATCH_ROWS = 2000 if sqlite3.sqlite_version_info >= (3, 32) else 400
#: Bytes of rows that are kept in memory at most, beyond one row.
BATCH_BYTES = 8_000_000
_CACHE_KIB = 32_000

TABLES: dict[str, str] = {
    "v1_resource_types": "id integer primary key, external_id text not null, data blob not null, "
    "sync_id text not null, discovered_at datetime not null",
    "v1_resources": "id integer primary key, resource_type_id text not null, external_id text not null, "
    "parent_resource_type_id text, parent_resource_id text, data blob not null, "
    "sync_id text not null, discovered_at datetime not null",
    "v1_sync_runs": "id integer primary key, sync_id text not null, started_at datetime not null, ended_at datetime, "
    "sync_token text not null, sync_type text not null default 'full', parent_sync_id text not null default '', "
    "linked_sync_id text not null default '', supports_diff integer not null default 0",
    "v1_entitlements": "id integer primary key, resource_type_id text not null, resource_id text not null, "
    "external_id text not null, data blob not null, sync_id text not null, discovered_at datetime not null",
    "v1_grants": "id integer primary key, resource_type_id text not null, resource_id text not null, "
    "entitlement_id text not null, principal_resource_type_id text not null, principal_resource_id text not null, "
    "external_id text not null, expansion blob, needs_expansion integer not null default 0, data blob not null, "
    "sync_id text not null, discovered_at datetime not null",
    "v1_assets": "id integer primary key, external_id text not null, content_type text not null, data blob not null, "
    "sync_id text not null, discovered_at datetime not null",
    "v1_connector_sessions": "id integer primary key, sync_id text not null, key text not null, value blob not null",
}
#: Name: (table, columns, unique). The names of two indexes of v1_resources are swapped in C1's own files too.
INDEXES: dict[str, tuple[str, tuple[str, ...], bool]] = {
    "idx_resource_types_external_sync_v1": ("v1_resource_types", ("external_id", "sync_id"), True),
    "idx_resources_resource_type_id_v1": ("v1_resources", ("resource_type_id",), False),
    "idx_resources_external_sync_v1": (
        "v1_resources",
        ("parent_resource_type_id", "parent_resource_id"),
        False,
    ),
    "idx_resources_parent_resource_id_v1": ("v1_resources", ("external_id", "sync_id"), True),
    "idx_sync_runs_sync_id_v1": ("v1_sync_runs", ("sync_id",), True),
}


def _upsert(rows: int) -> str:
    """Return the statement for so many rows; its first three parameters are the same for all, then come two a row."""
    values = ", ".join(f"(?1, ?{2 * row + 4}, ?{2 * row + 5}, ?2, ?3)" for row in range(rows))
    return (
        f"insert into v1_resources (resource_type_id, external_id, data, sync_id, discovered_at) values {values} "  # noqa: S608 - numbers only
        "on conflict (external_id, sync_id) do update set data = excluded.data"
    )


_UPSERT_BATCH = _upsert(BATCH_ROWS)


class Store:
    """The rows of one read: at most one an id, the last that came."""

    def __init__(self, path: Path, sync_id: str, started_at: str, sync_type: str = FULL) -> None:
        """Create the file at `path`, which must not exist.

        `sync_type` is one of `scope.SYNC_TYPES`; `started_at` is `YYYY-MM-DD HH:MM:SS.ffffff`, UTC.

        Raises:
            PublishError: if it can't be written.
        """
        self.path = path
        self.sync_id = sync_id
        self.duplicates = 0
        self._started_at = started_at
        self._sync_type = sync_type
        self._new_batch()
        #: One byte a user, the status of the row with that number; counting needs no second pass over the blobs.
        self._statuses = bytearray()
        # SQLite writes in a thread of its own: it needs no interpreter while it does, and that is a sixth of all work.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._written: Future[None] | None = None
        with _disk_errors():
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            execute = self._connection.execute
            for pragma in (
                f"page_size = {PAGE_SIZE}",
                "journal_mode = off",
                "synchronous = off",
                "locking_mode = exclusive",
                f"cache_size = -{_CACHE_KIB}",
            ):
                execute(f"pragma {pragma}")
            for table, columns in TABLES.items():
                execute(f"create table {table} ({columns})")
            for name, (table, indexed, unique) in INDEXES.items():
                execute(f"create {'unique ' if unique else ''}index {name} on {table} ({', '.join(indexed)})")

    def add(self, identifier: str, status: int, data: bytes) -> None:
        """Take the row of a user; an id that was there already gets the new row.

        Raises:
            PublishError: if the disk is full.
        """
        self._batch += (f"{USER_TYPE}:{identifier}", data)
        self._batch_statuses.append(status)
        self._batch_bytes += len(data)
        if len(self._batch_statuses) >= BATCH_ROWS or self._batch_bytes >= BATCH_BYTES:
            self._hand_over()

    def _hand_over(self) -> None:
        """Let the batch be written, once the one before is: two batches are in memory at most."""
        self._wait()
        self._written = self._writer.submit(self._write, self._batch, self._batch_statuses)
        self._new_batch()

    def _wait(self) -> None:
        if self._written is not None:
            self._written.result()
            self._written = None

    def _flush(self) -> None:
        """Write what is left, so that this thread may ask."""
        if self._batch:
            self._hand_over()
        self._wait()

    def _new_batch(self) -> None:
        #: Ids and rows by turns.
        self._batch: list[str | bytes] = []
        self._batch_statuses = bytearray()
        self._batch_bytes = 0

    def _write(self, batch: list[str | bytes], statuses: bytearray) -> None:
        rows = len(statuses)
        with _disk_errors():
            execute = self._connection.execute
            statement = _UPSERT_BATCH if rows == BATCH_ROWS else _upsert(rows)
            execute(statement, [USER_TYPE, self.sync_id, self._started_at, *batch])
            (last,) = execute("select max(id) from v1_resources").fetchone()
            new = last - len(self._statuses)
            if new == rows:
                self._statuses += statuses
                return
            self.duplicates += rows - new
            self._statuses += bytes(new)
            for external_id, status in zip(batch[::2], statuses, strict=True):
                key = (external_id, self.sync_id)
                found = execute("select id from v1_resources where external_id = ? and sync_id = ?", key)
                self._statuses[found.fetchone()[0] - 1] = status

    def clear(self) -> None:
        """Forget all rows."""
        self._wait()
        self._new_batch()
        self._statuses.clear()
        self.duplicates = 0
        with _disk_errors():
            self._connection.execute("delete from v1_resources")

    def keep(self, identifiers: Iterable[str]) -> None:
        """Forget all users but these, once the last one is there; of the others nothing is left in the file."""
        self._flush()
        with _disk_errors():
            execute = self._connection.execute
            execute("create temp table kept (external_id text primary key)")
            rows = ((f"{USER_TYPE}:{identifier}",) for identifier in identifiers)
            self._connection.executemany("insert or ignore into kept values (?)", rows)
            execute("delete from v1_resources where external_id not in (select external_id from kept)")
            execute("drop table kept")
            execute("vacuum")
            self._statuses = bytearray(
                self._statuses[number - 1] for (number,) in execute("select id from v1_resources")
            )

    def count_by_status(self) -> dict[str, int]:
        """Return the number of users of each status that occurs, by C1's name for it."""
        self._flush()
        counts = {name: self._statuses.count(number) for number, name in enumerate(STATUS_NAMES)}
        return {name: count for name, count in counts.items() if count}

    def count_missing(self, identifiers: Iterable[str]) -> tuple[int, int]:
        """Return how many `identifiers` there are, and how many of them have no row."""
        self._flush()
        total = missing = 0
        with _disk_errors():
            for identifier in identifiers:
                total += 1
                key = (f"{USER_TYPE}:{identifier}", self.sync_id)
                found = self._connection.execute(
                    "select 1 from v1_resources where external_id = ? and sync_id = ?", key
                ).fetchone()
                missing += found is None
        return total, missing

    def rows(self) -> Iterator[bytes]:
        """Yield every row, in the order of the first arrival of its user."""
        self._flush()
        with _disk_errors():
            for (data,) in self._connection.execute("select data from v1_resources order by id"):
                yield data

    def finish_sync(self, resource_type: bytes, ended_at: str) -> None:
        """Make the file that of one finished sync, with one resource type, and close it."""
        self._flush()
        with _disk_errors():
            self._connection.execute(
                "insert into v1_resource_types (external_id, data, sync_id, discovered_at) values (?, ?, ?, ?)",
                (USER_TYPE, resource_type, self.sync_id, self._started_at),
            )
            self._connection.execute(
                "insert into v1_sync_runs (sync_id, started_at, ended_at, sync_token, sync_type) "
                "values (?, ?, ?, '', ?)",
                (self.sync_id, self._started_at, ended_at, self._sync_type),
            )
        self.close()

    def close(self) -> None:
        """Let go of the file, whatever of it is written."""
        self._writer.shutdown()
        self._connection.close()


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Turn SQLite's errors, which are the disk's, into one line."""
    try:
        yield
    except sqlite3.Error as error:
        msg = f"The users cannot be kept on disk while they are read ({error}): is the disk full?"
        raise PublishError(msg) from error
