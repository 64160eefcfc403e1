"""Servers for the tests to talk to: each is started for the first test that asks for it."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.real.build import KratosUnavailableError
from tests.real.server import Kratos, Release

# More than a page of 1,000, and a multiple of the page sizes 1, 7, 350 and 525.
PEOPLE = 1050


def _kratos(release: Release) -> Kratos:
    try:
        return Kratos(release)
    except KratosUnavailableError as error:
        if os.environ.get("CI") or os.environ.get("TAP_ORY_REQUIRE_REAL"):
            pytest.fail(f"a real Ory Kratos is required here: {error}", pytrace=False)
        pytest.skip(str(error))


@pytest.fixture
def start_kratos() -> Iterator[Callable[[Release], Kratos]]:
    """Starts empty real servers of a release that are this test's own."""
    with ExitStack() as servers:
        yield lambda release: servers.enter_context(_kratos(release))


@pytest.fixture(scope="session")
def kratos_v1_0() -> Iterator[Kratos]:
    """A real Ory Kratos v1.0.0 (offset pagination) with PEOPLE people, shared: only read from it."""
    with _kratos("v1.0.0") as kratos:
        kratos.fill(PEOPLE)
        yield kratos


@pytest.fixture(scope="session")
def kratos_v1_3() -> Iterator[Kratos]:
    """A real Ory Kratos v1.3.1 (keyset pagination) with PEOPLE people, shared: only read from it."""
    with _kratos("v1.3.1") as kratos:
        kratos.fill(PEOPLE)
        yield kratos
