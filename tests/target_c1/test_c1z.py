"""The .c1z file: its envelope, its database as any SQLite reader finds it, and bytes that can be repeated."""

import sqlite3
import string
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

import pytest
import zstandard

from target_c1.c1z import Stamp, read_c1z_ids, unpack_c1z
from target_c1.errors import FileFormatError
from tests.target_c1.protobuf import new, user_trait
from tests.target_c1.support import (
    blobs_of,
    fixed_stamp,
    publish,
    rows_of,
    user,
    users_read,
    whole_read,
)

#: Table: columns as (name, type, not null, default, primary key), and indexes as (name, unique, columns).
TABLES = {
    "v1_resource_types": (
        [
            ("id", "integer", 0, None, 1),
            ("external_id", "text", 1, None, 0),
            ("data", "blob", 1, None, 0),
            ("sync_id", "text", 1, None, 0),
            ("discovered_at", "datetime", 1, None, 0),
        ],
        [("idx_resource_types_external_sync_v1", 1, ["external_id", "sync_id"])],
    ),
    "v1_resources": (
        [
            ("id", "integer", 0, None, 1),
            ("resource_type_id", "text", 1, None, 0),
            ("external_id", "text", 1, None, 0),
            ("parent_resource_type_id", "text", 0, None, 0),
            ("parent_resource_id", "text", 0, None, 0),
            ("data", "blob", 1, None, 0),
            ("sync_id", "text", 1, None, 0),
            ("discovered_at", "datetime", 1, None, 0),
        ],
        [
            ("idx_resources_external_sync_v1", 0, ["parent_resource_type_id", "parent_resource_id"]),
            ("idx_resources_parent_resource_id_v1", 1, ["external_id", "sync_id"]),
            ("idx_resources_resource_type_id_v1", 0, ["resource_type_id"]),
        ],
    ),
    "v1_sync_runs": (
        [
            ("id", "integer", 0, None, 1),
            ("sync_id", "text", 1, None, 0),
            ("started_at", "datetime", 1, None, 0),
            ("ended_at", "datetime", 0, None, 0),
            ("sync_token", "text", 1, None, 0),
            ("sync_type", "text", 1, "'full'", 0),
            ("parent_sync_id", "text", 1, "''", 0),
            ("linked_sync_id", "text", 1, "''", 0),
            ("supports_diff", "integer", 1, "0", 0),
        ],
        [("idx_sync_runs_sync_id_v1", 1, ["sync_id"])],
    ),
    "v1_entitlements": (
        [
            ("id", "integer", 0, None, 1),
            ("resource_type_id", "text", 1, None, 0),
            ("resource_id", "text", 1, None, 0),
            ("external_id", "text", 1, None, 0),
            ("data", "blob", 1, None, 0),
            ("sync_id", "text", 1, None, 0),
            ("discovered_at", "datetime", 1, None, 0),
        ],
        [],
    ),
    "v1_grants": (
        [
            ("id", "integer", 0, None, 1),
            ("resource_type_id", "text", 1, None, 0),
            ("resource_id", "text", 1, None, 0),
            ("entitlement_id", "text", 1, None, 0),
            ("principal_resource_type_id", "text", 1, None, 0),
            ("principal_resource_id", "text", 1, None, 0),
            ("external_id", "text", 1, None, 0),
            ("expansion", "blob", 0, None, 0),
            ("needs_expansion", "integer", 1, "0", 0),
            ("data", "blob", 1, None, 0),
            ("sync_id", "text", 1, None, 0),
            ("discovered_at", "datetime", 1, None, 0),
        ],
        [],
    ),
    "v1_assets": (
        [
            ("id", "integer", 0, None, 1),
            ("external_id", "text", 1, None, 0),
            ("content_type", "text", 1, None, 0),
            ("data", "blob", 1, None, 0),
            ("sync_id", "text", 1, None, 0),
            ("discovered_at", "datetime", 1, None, 0),
        ],
        [],
    ),
    "v1_connector_sessions": (
        [
            ("id", "integer", 0, None, 1),
            ("sync_id", "text", 1, None, 0),
            ("key", "text", 1, None, 0),
            ("value", "blob", 1, None, 0),
        ],
        [],
    ),
}
NUMBER = 1234


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database in a file of NUMBER users."""
    directory = tmp_path_factory.mktemp("c1z")
    publish(users_read(NUMBER), directory / "users.c1z", fixed_stamp(), app_name="Acme", display_name="Person")
    # Not with the project's own unpacking: five bytes, and then what the zstd library makes of the rest.
    data = (directory / "users.c1z").read_bytes()
    assert data[:5] == bytes([0x43, 0x31, 0x5A, 0x46, 0x00])
    path = directory / "users.sqlite"
    path.write_bytes(zstandard.ZstdDecompressor(max_window_size=32 * 2**20).decompress(data[5:]))
    return path


def test_the_envelope_is_one_zstd_frame_with_a_window_that_readers_take(database: Path) -> None:
    data = database.with_suffix(".c1z").read_bytes()[5:]
    parameters = zstandard.get_frame_parameters(data)
    assert parameters.window_size <= 32 * 2**20
    assert parameters.has_checksum
    reader = zstandard.ZstdDecompressor().decompressobj()
    reader.decompress(data)
    assert reader.eof
    assert reader.unused_data == b""


def test_the_database_is_sound(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert connection.execute("pragma page_size").fetchall() == [(4096,)]
        assert connection.execute("pragma journal_mode").fetchall() != [("wal",)]


def assert_tables(connection: sqlite3.Connection) -> None:
    """Every table and index is there as C1 has it, and nothing else."""
    names = connection.execute("select name from sqlite_master where type = 'table' order by name").fetchall()
    assert [name for (name,) in names] == sorted(TABLES)
    for table, (columns, indexes) in TABLES.items():
        found = connection.execute(f"pragma table_info({table})").fetchall()
        assert [(name, kind.lower(), *rest) for _, name, kind, *rest in found] == columns
        found = connection.execute(f"pragma index_list({table})").fetchall()
        assert sorted((name, unique) for _, name, unique, *_ in found) == [each[:2] for each in indexes]
        for name, _, indexed in indexes:
            assert [row[2] for row in connection.execute(f"pragma index_info({name})")] == indexed


def test_every_table_and_index_is_c1s(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        assert_tables(connection)


def test_there_is_one_finished_sync(database: Path) -> None:
    time = "2026-01-02 03:04:05.678901"
    with closing(sqlite3.connect(database)) as connection:
        ((number, sync_id, *rest),) = connection.execute("select * from v1_sync_runs")
    assert (number, rest) == (1, [time, time, "", "full", "", "", 0])
    letters = string.digits + string.ascii_uppercase + string.ascii_lowercase
    value = sum(letters.index(letter) * 62**place for place, letter in enumerate(reversed(sync_id)))
    assert len(sync_id) == 27
    assert value.to_bytes(20, "big") == (1_767_323_045 - 1_400_000_000).to_bytes(4, "big") + bytes(range(16))


def test_a_sync_id_is_a_ksuid() -> None:
    # The example of KSUID's own documentation.
    stamp = Stamp(
        now=lambda: datetime.fromtimestamp(1_400_000_000 + 107_608_047, timezone.utc),
        random_bytes=lambda size: bytes.fromhex("B5A1CD34B5F99D1154FB6853345C9735")[:size],
    )
    assert stamp.sync_id() == "0ujtsYcgvSTl8PAuAdqWYSMnLOv"
    assert len(Stamp().sync_id()) == 27


def test_there_is_one_resource_type(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        ((external_id, data, sync_id, discovered_at),) = connection.execute(
            "select external_id, data, sync_id, discovered_at from v1_resource_types"
        )
        assert (external_id, discovered_at) == ("user", "2026-01-02 03:04:05.678901")
        assert connection.execute("select sync_id from v1_sync_runs").fetchall() == [(sync_id,)]
    kind = new("ResourceType").FromString(data)
    assert (kind.id, kind.display_name, kind.description, list(kind.traits)) == ("user", "Person", "Users of Acme", [1])
    assert kind.annotations[0].Unpack(new("SkipEntitlementsAndGrants"))


def test_there_is_one_row_for_each_user(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        (sync,) = connection.execute("select sync_id from v1_sync_runs").fetchone()
        rows = connection.execute("select * from v1_resources order by id").fetchall()
    assert len(rows) == NUMBER
    for number, row in enumerate(rows):
        expected = user(number)
        assert row[:5] == (number + 1, "user", f"user:{expected['id']}", None, None)
        assert row[6:] == (sync, "2026-01-02 03:04:05.678901")
        resource = new("Resource").FromString(row[5])
        assert (resource.id.resource_type, resource.id.resource) == ("user", expected["id"])
        assert user_trait(resource).emails[0].address == expected["email"]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        publish(users_read(NUMBER), tmp_path / name, fixed_stamp(), format="c1z")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_ids_and_times_differ_between_runs(tmp_path: Path) -> None:
    found = set()
    for name in ("first", "second"):
        publish(users_read(1), tmp_path / name, format="c1z")
        found.add(rows_of(tmp_path / name, "select sync_id, started_at from v1_sync_runs", tmp_path)[0])
    assert len({sync for sync, _ in found}) == len({time for _, time in found}) == 2


@pytest.mark.parametrize("order", [(0, 1, 2, 1), (0, 1, 1, 2), (1, 1, 0, 2), (1, 0, 2, 0, 1, 2, 0)])
@pytest.mark.parametrize("apart", [0, 700])
def test_a_repeated_id_is_one_user_as_it_came_last(order: tuple[int, ...], apart: int, tmp_path: Path) -> None:
    # 700 other users between two of them put them into different batches of rows.
    records = []
    others = 100
    for place, number in enumerate(order):
        records.append(user(number, display_name=f"place {place}", status="enabled" if place else "disabled"))
        for _ in range(apart):
            records.append(user(others))
            others += 1
    publish(whole_read(records), tmp_path / "users.c1z")
    names = {}
    for blob in blobs_of(tmp_path / "users.c1z", tmp_path):
        resource = new("Resource").FromString(blob)
        names[int(resource.id.resource[-12:])] = resource.display_name
    last = {number: f"place {max(at for at, each in enumerate(order) if each == number)}" for number in (0, 1, 2)}
    assert {number: name for number, name in names.items() if number < 100} == last
    assert len(names) == 3 + apart * len(order)


BROKEN = {
    "empty": (b"", "something else"),
    "gzip": (b"\x1f\x8b\x08\x00" + bytes(40), "gzip"),
    "a bare database": (b"SQLite format 3\x00" + bytes(100), "SQLite"),
    "version 3": (b"C1Z3\x00" + bytes(40), "version 3"),
    "no zstd": (b"C1ZF\x00" + b"x" * 40, "broken"),
    "the magic alone": (b"C1ZF\x00", "does not end"),
    "no database": (b"C1ZF\x00" + zstandard.compress(b"hello" * 100), "database cannot be read"),
    "an empty database": (b"C1ZF\x00" + zstandard.compress(b""), "database cannot be read"),
}


@pytest.mark.parametrize(("data", "says"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_c1z_is_said_to_be_what_it_is(data: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "users.c1z"
    path.write_bytes(data)
    with pytest.raises(FileFormatError, match=says):
        list(read_c1z_ids(path, tmp_path / "database"))


@pytest.mark.parametrize("cut", [6, 100, -1, -20])
def test_a_cut_file_is_refused(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "users.c1z"
    publish(users_read(50), path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(FileFormatError):
        unpack_c1z(path, tmp_path / "database")


def test_a_file_with_something_after_its_stream_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "users.c1z"
    publish(users_read(50), path)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(FileFormatError, match="after"):
        unpack_c1z(path, tmp_path / "database")
