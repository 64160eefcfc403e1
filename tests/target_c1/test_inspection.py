"""`--inspect`: what it prints of a good file, and that each of its checks can fail."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import zstandard

from target_c1 import inspection
from target_c1.c1z import MAGIC, unpack_c1z
from target_c1.inspection import inspect_file
from tests.target_c1.protobuf import new, user_trait
from tests.target_c1.support import publish, run_command, user, users_read, whole_read


def inspect(path: Path) -> tuple[bool, str]:
    lines: list[str] = []
    return inspect_file(str(path), lines.append), "\n".join(lines)


def test_a_good_file(tmp_path: Path) -> None:
    path = tmp_path / "users.c1z"
    odd = user(3, display_name="名前\n\x1b[31m", email=None, emails=[], status=None)
    publish(whole_read([*(user(number) for number in range(20) if number != 3), odd]), path, app_name="Acme")
    done = run_command(b"", "--inspect", str(path))
    assert done.code == 0
    assert "20 users (1 unspecified, 17 enabled, 2 disabled)" in done.stdout
    assert "resource type user ('User', Users of Acme)" in done.stdout
    assert "(full), started 20" in done.stdout
    assert "00000000-0000-4000-8000-000000000000  'Ada 0'  enabled  user0@example.com" in done.stdout
    assert done.stdout.count("  enabled  ") + done.stdout.count("  unspecified  ") == 5
    assert done.stdout.count("passed  ") == 9
    assert "FAILED" not in done.stdout
    assert "\x1b" not in done.stdout


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = run_command(b"", "--inspect", str(tmp_path / "nothing.c1z"))
    assert done.code == 1
    assert "No such file" in done.logged("ERROR")[0]
    assert "Traceback" not in done.stderr


def rewrite(path: Path, change: Callable[[sqlite3.Connection], object], tmp_path: Path) -> None:
    """Change the database in a .c1z, with other means than ours."""
    database = tmp_path / "changing"
    unpack_c1z(path, database)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        change(connection)
    path.write_bytes(MAGIC + zstandard.compress(database.read_bytes()))
    database.unlink()


def sql(*statements: str) -> Callable[[sqlite3.Connection], None]:
    def change(connection: sqlite3.Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    return change


def user_blob(**changes: object) -> Callable[[sqlite3.Connection], None]:
    """Set fields of the first user, in the resource, in its trait (`trait_`) or in its id (`id_`)."""

    def change(connection: sqlite3.Connection) -> None:
        (blob,) = connection.execute("select data from v1_resources where id = 1").fetchone()
        resource = new("Resource").FromString(blob)
        trait = user_trait(resource)
        for name, value in changes.items():
            if name == "address":
                trait.emails[0].address = value
            elif name == "is_primary":
                trait.emails[0].is_primary = value
            elif name == "trait_status":
                trait.status.status = value
            elif name == "trait_age":
                trait.profile["age"] = value
            elif name == "id":
                resource.id.resource = value
            else:
                setattr(resource, name, value)
        resource.annotations[0].Pack(trait)
        connection.execute("update v1_resources set data = ? where id = 1", (resource.SerializeToString(),))

    return change


def type_blob(**changes: object) -> Callable[[sqlite3.Connection], None]:
    def change(connection: sqlite3.Connection) -> None:
        (blob,) = connection.execute("select data from v1_resource_types").fetchone()
        kind = new("ResourceType").FromString(blob)
        for name, value in changes.items():
            kind.ClearField(name)
            if value:
                setattr(kind, name, value)
        connection.execute("update v1_resource_types set data = ?", (kind.SerializeToString(),))

    return change


DAMAGES = {
    "pages": (sql("pragma page_size = 8192", "vacuum"), "pages of 4096 bytes", "8192"),
    "wal": (sql("pragma journal_mode = wal"), "write-ahead log", "header"),
    "index": (sql("drop index idx_sync_runs_sync_id_v1"), "tables and indexes", "idx_sync_runs_sync_id_v1"),
    "not unique": (
        sql(
            "drop index idx_resources_parent_resource_id_v1",
            "create index idx_resources_parent_resource_id_v1 on v1_resources (external_id, sync_id)",
        ),
        "tables and indexes",
        "idx_resources_parent_resource_id_v1",
    ),
    "other columns": (
        sql(
            "drop index idx_resources_resource_type_id_v1",
            "create index idx_resources_resource_type_id_v1 on v1_resources (external_id)",
        ),
        "tables and indexes",
        "idx_resources_resource_type_id_v1",
    ),
    "table": (sql("drop table v1_grants"), "tables and indexes", "v1_grants"),
    "column": (sql("alter table v1_assets drop column content_type"), "tables and indexes", "content_type"),
    "no sync": (sql("delete from v1_sync_runs"), "one finished, full sync", "there are 0"),
    "two syncs": (
        sql(
            "insert into v1_sync_runs (sync_id, started_at, sync_token) values ('x', '2026-01-01 00:00:00.000000', '')"
        ),
        "one finished, full sync",
        "there are 2",
    ),
    "unfinished": (sql("update v1_sync_runs set ended_at = null"), "one finished, full sync", "has not ended"),
    "partial": (sql("update v1_sync_runs set sync_type = 'partial'"), "one finished, full sync", "partial"),
    "token": (sql("update v1_sync_runs set sync_token = 't'"), "one finished, full sync", "'t'"),
    "no ksuid": (sql("update v1_sync_runs set sync_id = 'x'"), "one finished, full sync", "no KSUID"),
    "rows of another sync": (sql("update v1_resources set sync_id = 'x'"), "one finished, full sync", "'x'"),
    "times": (sql("update v1_resources set discovered_at = '2026-01-01T00:00:00Z'"), "times are", "T00"),
    "no type": (sql("delete from v1_resource_types"), "resource type is user", "there are []"),
    "type's id": (type_blob(id="person"), "resource type is user", "'person'"),
    "type's trait": (type_blob(traits=None), "resource type is user", "traits []"),
    "type's annotation": (type_blob(annotations=None), "resource type is user", "does not skip"),
    "type's blob": (sql("update v1_resource_types set data = x'ff'"), "resource type is user", "is no ResourceType"),
    "blob": (sql("update v1_resources set data = x'ff' where id = 1"), "can be decoded", "is no Resource"),
    "no trait": (sql("update v1_resources set data = x'' where id = 1"), "can be decoded", "no user trait"),
    "id": (user_blob(id="other"), "can be decoded", "user:other inside"),
    "type": (sql("update v1_resources set resource_type_id = 'x' where id = 1"), "can be decoded", "'x'"),
    "no name": (user_blob(display_name=""), "1 to 1024 bytes", "display name of 0 bytes"),
    "long name": (user_blob(display_name="x" * 1025), "1 to 1024 bytes", "display name of 1025 bytes"),
    "address": (user_blob(address="nobody"), "1 to 1024 bytes", "'nobody' is no e-mail address"),
    "no primary": (user_blob(is_primary=False), "1 to 1024 bytes", "primary address"),
    "status": (user_blob(trait_status=2), "say the same", "status"),
    "profile": (user_blob(trait_age=37), "say the same", "profile"),
}


@pytest.mark.parametrize(("damage", "check", "says"), DAMAGES.values(), ids=DAMAGES)
def test_each_check_can_fail(
    damage: Callable[[sqlite3.Connection], object], check: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "users.c1z"
    publish(users_read(20), path)
    rewrite(path, damage, tmp_path)
    passed, printed = inspect(path)
    assert not passed
    failed = [part for part in printed.split("passed  ") for part in part.split("FAILED  ")[1:]]
    assert any(check in each and says in each for each in failed), printed


def test_a_damaged_database(tmp_path: Path) -> None:
    path = tmp_path / "users.c1z"
    publish(users_read(200), path)
    database = tmp_path / "database"
    unpack_c1z(path, database)
    data = bytearray(database.read_bytes())
    data[-4096 * 20 : -4096 * 10] = b"\x55" * 4096 * 10
    path.write_bytes(MAGIC + zstandard.compress(bytes(data)))
    passed, printed = inspect(path)
    assert not passed
    assert "FAILED  the database" in printed


def test_an_envelope_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "users.c1z"
    path.write_bytes(b"\x1f\x8b\x08")
    passed, printed = inspect(path)
    assert not passed
    assert printed.splitlines() == [
        "FAILED  the envelope is C1ZF and one whole zstd stream",
        "        it does not begin with b'C1ZF\\x00': it is a gzip file",
    ]


def test_only_the_first_failures_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "users.c1z"
    publish(users_read(20), path)
    rewrite(path, sql("update v1_resources set data = x'ff'"), tmp_path)
    passed, printed = inspect(path)
    assert not passed
    assert printed.count("is no Resource") == 3
    assert "and 17 more" in printed


def test_a_database_that_old_tools_of_c1_refuse_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, database = tmp_path / "users.c1z", tmp_path / "database"
    publish(users_read(20), path)
    unpack_c1z(path, database)
    size = database.stat().st_size
    monkeypatch.setattr(inspection, "OLD_MAX_DATABASE_BYTES", size)
    assert inspect(path)[0]
    monkeypatch.setattr(inspection, "OLD_MAX_DATABASE_BYTES", size - 1)
    passed, printed = inspect(path)
    assert not passed
    assert f"it unpacks to {size:,} bytes: C1's older tools refuse more than {size - 1:,}" in printed
    assert "20 users" in printed


def test_a_size_that_every_tool_of_c1_refuses_is_named_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "users.c1z"
    claimed = zstandard.ZstdCompressor().compressobj(size=11 * 1024**3)
    path.write_bytes(MAGIC + claimed.compress(b"SQLite format 3") + claimed.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
    passed, printed = inspect(path)
    assert not passed
    assert "unpack to more than 10,737,418,240, what C1's newest tools take" in printed
