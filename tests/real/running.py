"""Real servers for tests: where one cannot be had the test is skipped, or fails in CI."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from tests.real.build import ServerUnavailableError
from tests.real.process import OryServer

T = TypeVar("T", bound=OryServer)


@contextmanager
def running(make: Callable[[], T]) -> Iterator[T]:
    """Run a real server."""
    try:
        server = make()
    except ServerUnavailableError as error:
        if os.environ.get("CI") or os.environ.get("TAP_ORY_REQUIRE_REAL"):
            pytest.fail(f"a real server of Ory's is required here: {error}", pytrace=False)
        pytest.skip(str(error))
    with server:
        yield server
