"""Files that unpack to far more than users take, and databases that C1's tools would not take."""

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import zstandard

from benchmarks.measure import LAUNCHER
from target_c1 import c1z
from target_c1.c1z import MAGIC, unpack_c1z
from target_c1.errors import FileFormatError, RefusedError
from tests.target_c1.support import (
    TARGET,
    environment,
    publish,
    settings_in_environment,
    to_lines,
    user,
    users_read,
    whole_read,
)

BOMB_BYTES = 955_000_000
MIB = 1024**2


@pytest.fixture(scope="module", params=[BOMB_BYTES, -1], ids=["size told", "size not told"])
def bomb(request: pytest.FixtureRequest) -> bytes:
    """A few kilobytes that unpack to far more than any file of users of that size."""
    zeros, piece = zstandard.ZstdCompressor(level=3).compressobj(size=request.param), bytes(BOMB_BYTES // 1000)
    return MAGIC + b"".join(zeros.compress(piece) for _ in range(1000)) + zeros.flush()


def test_a_previous_file_that_unpacks_without_bounds_is_not_compared(bomb: bytes, tmp_path: Path) -> None:
    path, messages, said = tmp_path / "users.c1z", tmp_path / "messages", tmp_path / "said"
    path.write_bytes(bomb)
    assert len(bomb) < 30_000
    messages.write_bytes(to_lines(users_read(50)))
    variables = environment(**settings_in_environment({"path": str(path)}))
    limited = ["/bin/sh", "-c", f'ulimit -f {100 * MIB // 512} && exec "$@"', "sh"]
    reading, writing = os.pipe()
    launcher = [sys.executable, "-E", "-S", "-c", LAUNCHER, str(writing)]
    with said.open("wb") as log, os.fdopen(reading) as told:
        subprocess.run(
            [*limited, *launcher, *TARGET, "--config", "ENV", "--input", messages],
            env=variables,
            stderr=log,
            pass_fds=[writing],
            check=True,
        )
        os.close(writing)
        code, _, _, peak_mb = told.read().split()
    assert code == "1"
    assert re.search(
        "Not published: .* cannot be compared .*: its 29,... bytes unpack to more than 67,108,864", said.read_text()
    )
    assert float(peak_mb) * MIB < BOMB_BYTES / 2
    assert path.read_bytes() == bomb


def test_a_file_that_c1_would_not_unpack_is_not_unpacked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path, database = tmp_path / "users.c1z", tmp_path / "database"
    publish(users_read(50), path)
    unpack_c1z(path, database)
    size = database.stat().st_size
    monkeypatch.setattr(c1z, "MAX_DATABASE_BYTES", size - 1)
    with pytest.raises(FileFormatError, match=f"unpack to more than {size - 1:,}, what C1's newest tools take"):
        unpack_c1z(path, database)
    before = path.read_bytes()
    with pytest.raises(RefusedError, match=f"the users take {size:,} bytes, C1's readers refuse more than"):
        publish(users_read(50), path, max_drop_percent=100)
    assert path.read_bytes() == before


def test_users_who_share_what_is_long_are_compared_although_their_file_packs_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "users.c1z"
    long = {"policy": "x" * 20_000}
    messages = whole_read(user(number, profile=long) for number in range(200))
    publish(messages, path)
    monkeypatch.setattr(c1z, "_SMALL_DATABASE_BYTES", 0)
    unpacked = 200 * 40_000
    assert unpacked > 100 * path.stat().st_size, "the ratio alone would refuse it"
    publish(messages, path)


ENDLESS = (
    "create view v1_resources as with recursive n(i) as (select 1 union all select i + 1 from n) "
    "select 'user' as resource_type_id, 'user:' || i as external_id from n"
)


def test_a_previous_file_with_rows_without_end_is_not_compared(tmp_path: Path) -> None:
    path, database = tmp_path / "users.c1z", tmp_path / "database"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(ENDLESS)
    path.write_bytes(MAGIC + zstandard.compress(database.read_bytes()))
    with pytest.raises(RefusedError, match="v1_resources is no table"):
        publish(users_read(5), path)
