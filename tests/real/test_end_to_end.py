"""The tap on each of the five servers: every id exactly once, every value as the server gave it."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest

from ory_reader.errors import TapOryError
from ory_reader.http.client import OryClient
from ory_reader.pagination.page import Page
from ory_reader.pagination.unreadable_rows import Fetch
from ory_reader.resources.identities import page_fetcher
from tap_ory.tap import TapOry
from tests.conftest import PEOPLE
from tests.servers import Server

Message = dict[str, Any]


def sync(server: Server, **settings: Any) -> list[Message]:
    """All messages of a full read, in this process."""
    tap = TapOry(config={"base_url": server.admin_url, "api_token": server.api_token, **settings})
    return run(tap.sync_all)


def run(action: Callable[[], object]) -> list[Message]:
    """What an action writes to stdout, as messages."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with mock.patch.object(sys, "stdout", out):
        action()
        out.flush()
    out.seek(0)
    return [json.loads(line) for line in out]


@pytest.fixture(autouse=True)
def no_signal_handlers() -> Iterator[None]:
    """A tap in this process must not take over what Ctrl-C does to pytest."""
    with mock.patch("tap_ory.tap.TapOry._setup_signal_handlers"):
        yield


def records(messages: list[Message]) -> list[Message]:
    return [m["record"] for m in messages if m["type"] == "RECORD" and m["stream"] == "identities"]


def source(server: Server, **params: Any) -> dict[str, Message]:
    """Every identity as the list endpoint gives it, found by plain requests that follow the links' tokens."""
    rows: list[Message] = []
    token: dict[str, str] = {}
    while True:
        response = server.identities(page_size=500, **token, **params)
        rows += response.json()
        following = response.links.get("next")
        if not following or not response.json():
            break
        token = {"page_token": following["url"].split("page_token=")[1].split("&")[0]}
    assert sorted(row["id"] for row in rows) == sorted(server.all_ids())
    return {row["id"]: row for row in rows}


def assert_whole(server: Server, messages: list[Message], expected: dict[str, Message]) -> None:
    got = records(messages)
    assert sorted(record["id"] for record in got) == sorted(expected)
    assert all(expected[record["id"]] == without_derived(record) for record in got)
    assert [m["type"] for m in messages[-2:]] == ["ACTIVATE_VERSION", "STATE"]


def without_derived(record: Message) -> Message:
    """The record without what the tap adds to the server's own fields."""
    return {name: value for name, value in record.items() if name != "nonconforming_traits"}


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("page_size", [7, 250, 500, 1000])
def test_every_identity_once_as_it_is(server: Server, page_size: int, concurrency: int) -> None:
    messages = sync(server, page_size=page_size, concurrency=concurrency)
    assert len(records(messages)) == PEOPLE
    assert_whole(server, messages, source(server))


def test_last_page_exactly_full(server: Server) -> None:
    assert PEOPLE % 350 == 0
    assert_whole(server, sync(server, page_size=350, concurrency=1), source(server))


def test_one_row_a_page(start_server: Callable[[int], Server]) -> None:
    server = start_server(30)
    for concurrency in (1, 4):
        assert_whole(server, sync(server, page_size=1, concurrency=concurrency), source(server))


def test_nobody(empty_server: Server) -> None:
    messages = sync(empty_server)
    assert records(messages) == []
    assert [m["type"] for m in messages[-2:]] == ["ACTIVATE_VERSION", "STATE"]


def test_credentials_without_their_secrets(server: Server) -> None:
    messages = sync(server, credential_metadata=True)
    assert_whole(server, messages, source(server, include_credential="link_recovery"))
    if server.family == "keyset":
        credentials = [value for record in records(messages) for value in record["credentials"].values()]
        assert {"type", "identifiers"} <= set(credentials[0])
        assert not [value for value in credentials if "config" in value]


def test_deleted_behind_the_cursor_of_an_offset_server(start_server: Callable[[int], Server]) -> None:
    """Rows that shift are found by reading again; on a keyset server nothing shifts."""
    server = start_server(60)
    ids = server.all_ids()
    deleted: list[str] = []

    def delete_once(body: bytes) -> None:
        if not deleted:
            deleted.append(json.loads(body)[0]["id"])
            server.delete(deleted[0])

    def fetching(api: OryClient) -> Fetch:
        fetch = page_fetcher(api)

        def then_delete(token: str | None, size: int | None) -> Page:
            fetched = fetch(token, size)
            delete_once(fetched.body)
            return fetched

        return then_delete

    with mock.patch("ory_reader.resources.identities.page_fetcher", fetching):
        messages = sync(server, page_size=1, concurrency=1)
    got = [record["id"] for record in records(messages)]
    assert len(got) == len(set(got))
    assert set(got) >= set(ids) - set(deleted)


def test_a_row_that_the_server_cannot_read(
    start_server: Callable[[int], Server], caplog: pytest.LogCaptureFixture
) -> None:
    server = start_server(60)
    bad = server.all_ids()[31]
    server.spoil(bad)
    expected = set(server.all_ids()) - {bad}
    tap = TapOry(config={"base_url": server.admin_url, "api_token": server.api_token, "page_size": 20})
    errors: list[str] = []

    def sync_and_fail() -> None:
        with pytest.raises(TapOryError) as error:
            tap.sync_all()
        errors.append(str(error.value))

    with mock.patch("time.sleep"):
        messages = run(sync_and_fail)
    assert "ACTIVATE_VERSION" not in [m["type"] for m in messages]
    if server.family == "keyset":
        assert {record["id"] for record in records(messages)} == expected
        told = [record.getMessage() for record in caplog.records if record.getMessage().startswith("Not delivered")]
        assert len(told) == 1
        assert told[0].endswith(f"up to {bad}.")
        assert "1 stretch(es) of identities" in errors[0]
    else:
        assert "One unreadable row stops" in errors[0]
