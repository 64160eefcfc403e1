"""Servers for the tests to talk to: each is started for the first test that asks for it.

    server        one of the five kinds with PEOPLE people, shared by all tests: only read from it
    empty_server  likewise, with nobody
    start_server  starts servers of the kind with as many people as told, for this test alone
    kratos_v1_0, kratos_v1_3  the two real ones with PEOPLE people, shared: only read from them
    start_kratos  starts real ones of a release with as many people as told, for this test alone

A test that uses one of the first three runs once for each kind.
"""

import logging
import os
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from typing import Any

import hypothesis
import pytest

from tests.real.server import Kratos, Release
from tests.servers import KINDS, Kind, Server, run_kratos, run_server
from tests.workers import Scheduling, rank

# In commands that tests run, the SDK's word to users of an old Python is none of what they count.
os.environ.setdefault("PYTHONWARNINGS", "ignore:Python 3.10 reached its end of life")

# How long an example takes is the machine's affair.
hypothesis.settings.register_profile("any-machine", deadline=None)
hypothesis.settings.load_profile("any-machine")

# More than a page of 1,000, and a multiple of the page sizes 1, 7, 175 and 350.
PEOPLE = 1050


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI set nothing is skipped, for whatever reason: what would be has failed."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Nothing may be skipped in CI: {report.longrepr}"
    return report


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


@pytest.fixture(autouse=True)
def _nothing_is_heard_of_earlier_tests(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep out of `caplog` what readers of a read that was cut still say: they may be trying to reach its server."""
    earlier = {thread.ident for thread in threading.enumerate() if thread.name.startswith("reader-")}
    if not earlier:
        yield
        return

    def is_of_this_test(record: logging.LogRecord) -> bool:
        return record.thread not in earlier

    handler = request.getfixturevalue("caplog").handler
    handler.addFilter(is_of_this_test)
    yield
    handler.removeFilter(is_of_this_test)


@pytest.fixture(scope="session", params=KINDS, ids=str)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind of server in turn."""
    each: Kind = request.param
    return each


@pytest.fixture(scope="session")
def server(kind: Kind) -> Iterator[Server]:
    """A server with PEOPLE people, shared: only read from it."""
    with run_server(kind, PEOPLE) as running:
        yield running


@pytest.fixture(scope="session")
def empty_server(kind: Kind) -> Iterator[Server]:
    """A server with nobody, shared: only read from it."""
    with run_server(kind, 0) as running:
        yield running


@pytest.fixture
def start_server(kind: Kind) -> Iterator[Callable[[int], Server]]:
    """Starts servers with as many people as told, for this test alone."""
    with ExitStack() as servers:
        yield lambda number: servers.enter_context(run_server(kind, number))


@pytest.fixture(scope="session")
def kratos_v1_0() -> Iterator[Kratos]:
    """A real Ory Kratos v1.0.0 (offset pagination) with PEOPLE people, shared: only read from it."""
    with run_kratos("v1.0.0", PEOPLE) as kratos:
        yield kratos


@pytest.fixture(scope="session")
def kratos_v1_3() -> Iterator[Kratos]:
    """A real Ory Kratos v1.3.1 (keyset pagination) with PEOPLE people, shared: only read from it."""
    with run_kratos("v1.3.1", PEOPLE) as kratos:
        yield kratos


@pytest.fixture
def start_kratos() -> Iterator[Callable[[Release, int], Kratos]]:
    """Starts real servers of a release with as many people as told, for this test alone."""
    with ExitStack() as servers:
        yield lambda release, number: servers.enter_context(run_kratos(release, number))
