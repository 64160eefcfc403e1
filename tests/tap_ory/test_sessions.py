"""A read of sessions that goes wrong, is cut, or looks for new ones only: every session once, or no version."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any
from unittest import mock

import pytest

from ory_reader.errors import TapOryError
from ory_reader.sync import states
from tap_ory.stream import OryStream
from tap_ory.tap import TapOry
from tests.command import records, sync, unchanged_signals
from tests.faults.sandbox import FaultySandbox

PEOPLE, SIZE = 200, 20
Json = dict[str, Any]


def catalog(**of_stream: Any) -> Json:
    """A catalog of this one stream, selected."""
    with unchanged_signals():
        tap = TapOry(validate_config=False, setup_mapper=False)
    tap._discovers = True
    (stream,) = (each for each in tap.catalog_dict["streams"] if each["stream"] == "sessions")
    found: Json = json.loads(json.dumps(stream))
    (root,) = (entry for entry in found["metadata"] if not entry["breadcrumb"])
    root["metadata"]["selected"] = True
    return {"streams": [{**found, **of_stream}]}


def read(sandbox: FaultySandbox, state: Json | None = None, **more: Any) -> tuple[bytes, Json, TapOryError | None]:
    """What a run writes, the state that it leaves, and what ended it."""
    taps: list[TapOry] = []
    config = {"base_url": sandbox.url, "page_size": SIZE, **more.pop("config", {})}
    output, error = b"", None
    lines: list[bytes] = []
    kept = mock.patch("tap_ory.block_writer.BlockWriter.write_block", lambda _, block: lines.append(block))
    with kept, mock.patch("time.sleep"):
        try:
            output = sync(config, catalog=more.pop("catalog", None) or catalog(), state=state, prepare=taps.append)
        except TapOryError as failed:
            error = failed
    return b"".join(lines) + output, json.loads(json.dumps(taps[0].state)), error


def ids(output: bytes) -> Counter[str]:
    return Counter(record["id"] for record in records(output))


def is_activated(output: bytes) -> bool:
    return b'"ACTIVATE_VERSION"' in output


def expected(sandbox: FaultySandbox) -> Counter[str]:
    return Counter(session["id"] for session in sandbox.holdings.sessions)


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "reset"},
        {"do": "cut"},
        {"do": "cut", "framing": "close"},
        {"do": "status", "status": 503},
        {"do": "status", "status": 429},
        {"do": "status", "status": 500, "times": 2},
        {"do": "zipped", "keep": 0.5},
        {"do": "pretty", "times": None},
        {"do": "byte-order-mark"},
    ],
    ids=str,
)
@pytest.mark.parametrize("at", [1, 4])
def test_what_goes_away_loses_nothing_and_doubles_nothing(fault: Json, at: int) -> None:
    with FaultySandbox(PEOPLE, faults=[{"on": "sessions", "at": at, **fault}]) as sandbox:
        output, state, error = read(sandbox)
        assert error is None
        assert ids(output) == expected(sandbox)
        assert is_activated(output)
        assert "snapshot" not in state["bookmarks"]["sessions"]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"do": "status", "status": 401, "times": None}, "401 Unauthorized"),
        ({"do": "status", "status": 404, "times": None}, "404 Not Found"),
        ({"do": "status", "status": 500, "times": None}, "500 Internal Server Error"),
        ({"do": "outage"}, "connection refused"),
        ({"do": "body", "text": "<html></html>", "times": None}, "instead of JSON"),
        ({"do": "next-token", "token": "nonsense"}, "a page token that holds no id and time"),
    ],
    ids=str,
)
def test_what_does_not_ends_the_read_and_the_next_run_goes_on(fault: Json, says: str) -> None:
    with FaultySandbox(PEOPLE, faults=[{"on": "sessions", "at": 5, **fault}]) as sandbox:
        output, state, error = read(sandbox)
        everything = expected(sandbox)
        assert says in str(error)
        assert not is_activated(output)
        assert set(ids(output).values()) == {1}
    assert state["bookmarks"]["sessions"]["snapshot"]["slices"]
    with FaultySandbox(PEOPLE) as mended:
        # Of another address no read is gone on with.
        rest, _, error = read(mended)
        assert error is None
        assert ids(rest) == everything


def test_a_server_that_links_back_to_what_was_read_ends_the_read() -> None:
    with FaultySandbox(PEOPLE) as sandbox:
        newest = max(sandbox.holdings.sessions, key=lambda each: each["issued_at"])
    moment = newest["issued_at"][:19].replace("T", " ")
    token = base64.urlsafe_b64encode(f"id={newest['id']}/created_at={moment}".encode()).decode().rstrip("=")
    fault = {"do": "next-token", "token": token, "on": "sessions", "at": 3, "times": None}
    with FaultySandbox(PEOPLE, faults=[fault]) as looping:
        output, _, error = read(looping)
    assert "leads back" in str(error)
    assert not is_activated(output)
    assert set(ids(output).values()) == {1}


def test_a_read_that_was_cut_goes_on_behind_its_last_row() -> None:
    pages: list[int] = []
    write = OryStream.write

    def cut(self: OryStream, decoder: Any, rows: list[Any]) -> None:
        if len(pages) == 5:
            msg = "the target is gone"
            raise TapOryError(msg)
        pages.append(len(rows))
        write(self, decoder, rows)

    with FaultySandbox(PEOPLE) as sandbox:
        with mock.patch.object(OryStream, "write", cut):
            first, state, error = read(sandbox)
        assert str(error) == "the target is gone"
        ((token, upper),) = state["bookmarks"]["sessions"]["snapshot"]["slices"]
        assert upper is None
        before = sandbox.requests.count
        rest, state, error = read(sandbox, state=state)
        assert error is None
        asked = [seen.target for seen in list(sandbox.requests.log)[before:]]
        assert all("page_token=" in target for target in asked)
        assert any(token in target for target in asked)
        # Exactly once in both together: what the token brings again is known by its id.
        assert ids(first) + ids(rest) == expected(sandbox)
        assert len(ids(first)) == sum(pages)
        versions = {json.loads(line)["version"] for line in (first + rest).splitlines() if b'"RECORD"' in line}
        assert len(versions) == 1
        assert is_activated(rest)
        assert "snapshot" not in state["bookmarks"]["sessions"]


def test_only_new_ones_are_read_up_to_the_bookmark_less_the_look_back() -> None:
    config = {"lookback_seconds": 86_400}
    incremental = catalog(replication_method="INCREMENTAL", replication_key="issued_at")
    with FaultySandbox(PEOPLE) as sandbox:
        output, state, _ = read(sandbox, catalog=incremental, config=config)
        assert ids(output) == expected(sandbox)
        assert not is_activated(output)
        newest = max(session["issued_at"] for session in sandbox.holdings.sessions)
        bookmark = state["bookmarks"]["sessions"]["replication_key_value"]
        assert bookmark.rstrip("0Z") == newest.rstrip("0Z")
        state["bookmarks"]["sessions"]["replication_key_value"] = "2025-04-02T00:00:00Z"
        before = sandbox.requests.count
        again, _, _ = read(sandbox, state=state, catalog=incremental, config=config)
        since = Counter(each["id"] for each in sandbox.holdings.sessions if each["issued_at"] >= "2025-04-01T00:00:00")
        assert ids(again) == since
        pages = [seen for seen in list(sandbox.requests.log)[before:] if "sessions" in seen.target]
        assert len(since) / SIZE <= len(pages) <= len(since) / (SIZE - 1) + 2


def test_a_list_that_was_finished_leaves_what_is_left_of_another() -> None:
    left: Json = {"version": 100, "slices": [[None, None]]}
    bookmarks: dict[str, Json] = {
        "identities": {"snapshot": left},
        "users": {"snapshot": left, "finished": {"3": 99}},
        "sessions": {"finished": {"7": 200}, "snapshot": {"version": 150}},
    }
    kept = states.without_finished(bookmarks)
    assert kept["identities"]["snapshot"] == kept["users"]["snapshot"] == left
    assert "snapshot" not in kept["sessions"]
    bookmarks["users"]["finished"]["4"] = 100
    assert "snapshot" not in states.without_finished(bookmarks)["identities"]
