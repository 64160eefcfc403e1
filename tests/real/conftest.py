"""Servers of other people's that the tests in this folder share.

postgres         a running PostgreSQL, shared by all tests: each takes a schema of its own
target_postgres  makes a target-postgres that writes into a schema of it, as told
project          the repository's Meltano project in a directory of its own, and its target-postgres
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.real.postgres import Postgres
from tests.real.target_postgres import TargetPostgres, forked_targets
from tests.real.targets import NotInstalledError, venv

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL; where none can be had, the test is skipped, or fails in CI."""
    try:
        server = Postgres()
        venv("target-postgres")
    except NotInstalledError as error:
        if os.environ.get("CI") or os.environ.get("TAP_ORY_REQUIRE_REAL"):
            pytest.fail(f"PostgreSQL and target-postgres are required here: {error}", pytrace=False)
        pytest.skip(str(error))
    with server:
        yield server


@pytest.fixture(scope="session")
def target_postgres(postgres: Postgres) -> Iterator[Callable[[str], TargetPostgres]]:
    """Makes a target that writes into a schema as told; take another name than other tests do."""
    processes = forked_targets(2)
    yield lambda schema: TargetPostgres(postgres, processes, schema)
    processes.close()


@pytest.fixture
def project(tmp_path: Path, target_postgres: Callable[[str], TargetPostgres]) -> tuple[Path, TargetPostgres]:
    """The repository's Meltano project in a directory of its own, with target-postgres; nothing is to be installed."""
    target = target_postgres(f"meltano_{os.urandom(4).hex()}")
    meltano = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    (tap,) = [plugin for plugin in meltano["plugins"]["extractors"] if plugin["name"] == "tap-ory"]
    del tap["pip_url"]
    tap["executable"] = str(Path(sys.executable).with_name("tap-ory"))
    loader = {
        "name": "target-postgres",
        "namespace": "target_postgres",
        "executable": str(venv("target-postgres") / "bin" / "target-postgres"),
        "config": target.settings,
    }
    meltano["plugins"]["loaders"] = [loader]
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(meltano))
    return tmp_path, target
