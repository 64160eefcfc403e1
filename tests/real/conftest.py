"""Servers of other people's that the tests in this folder share.

postgres         a running PostgreSQL, shared by all tests: each takes a schema of its own
target_postgres  makes a target-postgres that writes into a schema of it, as told
"""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.real.postgres import Postgres
from tests.real.target_postgres import TargetPostgres, forked_targets
from tests.real.targets import NotInstalledError, venv


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
