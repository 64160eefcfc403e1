"""The conversation: how many connections it opens."""

import threading
from typing import Any

import pytest
import urllib3.util.connection

from ory_reader.config.settings import Settings
from ory_reader.http.client import OryClient
from ory_reader.resources.identities import IDENTITIES, IdentityRead
from ory_sandbox import Sandbox

PEOPLE, PAGE_SIZE, READERS = 400, 20, 4


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that a connection was opened to."""
    addresses: list[Any] = []
    connect = urllib3.util.connection.create_connection

    def noting(address: Any, *args: Any, **kwargs: Any) -> Any:
        addresses.append(address)
        return connect(address, *args, **kwargs)

    monkeypatch.setattr(urllib3.util.connection, "create_connection", noting)
    return addresses


def api_of(sandbox: Sandbox) -> OryClient:
    config = {"base_url": sandbox.url, "page_size": PAGE_SIZE, "concurrency": READERS}
    return OryClient(Settings.from_config(config, "1"))


def test_a_thread_goes_on_with_the_connection_of_another(opened: list[Any]) -> None:
    with Sandbox(1) as sandbox:
        api = api_of(sandbox)
        api.get(IDENTITIES.path)
        other = threading.Thread(target=api.get, args=(IDENTITIES.path,))
        other.start()
        other.join()
    assert len(opened) == 1


def test_two_requests_at_once_have_a_connection_each(opened: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(1) as sandbox:
        api = api_of(sandbox)
        together = threading.Barrier(2)
        learn = api.rate_limiter.learn

        def meet(*args: Any) -> None:
            """Called while the answer is still to be read."""
            together.wait(timeout=30)
            learn(*args)

        monkeypatch.setattr(api.rate_limiter, "learn", meet)
        other = threading.Thread(target=api.get, args=(IDENTITIES.path,))
        other.start()
        api.get(IDENTITIES.path)
        other.join()
    assert len(opened) == 2


def test_a_read_opens_no_more_connections_than_it_has_readers(opened: list[Any]) -> None:
    with Sandbox(PEOPLE) as sandbox:
        read = IdentityRead(api_of(sandbox))
        pages = list(read.pages())
    assert len(pages) >= PEOPLE // PAGE_SIZE
    assert 1 <= len(opened) <= READERS
