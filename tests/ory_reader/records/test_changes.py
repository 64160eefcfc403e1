"""Change-based reads: what counts as a change, what is sent again, and where the bookmark stands."""

import io
import json
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest import mock

import pytest

from ory_reader.errors import AccessError, SettingsError
from ory_reader.pagination.id_ranges import token
from ory_reader.records.changes import ChangesDecoder, canonical
from ory_reader.records.decoder import RecordDecoder
from ory_reader.records.projection import Projection
from ory_sandbox import Sandbox
from tap_ory.block_writer import BlockWriter
from tap_ory.tap import TapOry
from tests.command import records, sync, unchanged_signals
from tests.faults.sandbox import FaultySandbox

WHOLE = Projection()
FIELDS = Projection(fields={"id": WHOLE, "updated_at": WHOLE, "changed_at": WHOLE})


def kept(changed: ChangesDecoder, year: int) -> str:
    """The bookmark of a read that began then."""
    return str(changed.bookmark(datetime(year, 1, 1, tzinfo=timezone.utc))["replication_key_value"])


def encoder(bookmark: object = None, lookback: int = 0) -> ChangesDecoder:
    return ChangesDecoder(RecordDecoder(FIELDS), bookmark, timedelta(seconds=lookback))


def page(*rows: dict[str, Any]) -> bytes:
    return json.dumps([{"id": token(number), **row} for number, row in enumerate(rows)]).encode()


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000000Z"),
        ("2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.100000000Z"),
        ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456789Z"),
        ("2026-01-02T03:04:05.5+02:00", "2026-01-02T01:04:05.500000000Z"),
        # Go's zero time, and what else has a year of fewer than four digits.
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000000Z"),
        ("0999-12-31T23:59:59.5+00:30", "0999-12-31T23:29:59.500000000Z"),
        ("0001-01-01T00:00:00+01:00", None),
        ("2026-13-02T03:04:05Z", None),
        ("yesterday", None),
        (17, None),
        (None, None),
    ],
)
def test_times_become_text_that_compares(time: object, expected: str | None) -> None:
    assert canonical(time) == expected


@pytest.mark.parametrize(
    "later",
    [
        {"updated_at": "2026-05-05T00:00:00.72Z"},
        {"state_changed_at": "2026-05-05T00:00:00.72Z"},
        {"verifiable_addresses": [{"verified_at": "2026-05-05T00:00:00.72Z"}, {}, 3]},
        {"credentials": {"password": {"updated_at": "2026-05-05T00:00:00.72Z"}, "odd": 1}},
    ],
)
def test_each_clock_moves_changed_at(later: dict[str, Any]) -> None:
    early = {"updated_at": "2026-01-01T00:00:00Z", "state_changed_at": "2026-01-01T00:00:00Z"}
    changed = encoder("2026-05-05T00:00:00.719Z")
    (record,) = changed.dicts(changed.rows(page({**early, **later}, early)))
    assert record["id"] == token(0)
    assert record["changed_at"] == "2026-05-05T00:00:00.720000000Z"


def test_lookback_sends_again() -> None:
    rows = page({"updated_at": "2026-05-05T00:00:00Z"}, {"updated_at": "2026-05-05T00:09:59Z"})
    bookmark = "2026-05-05T00:10:00Z"
    assert [len(encoder(bookmark, lookback).rows(rows)) for lookback in (0, 1, 599, 600)] == [0, 1, 1, 2]


def test_a_bookmark_of_the_first_centuries_is_a_time_like_any_other() -> None:
    rows = page({"updated_at": "0001-01-01T00:00:00Z"}, {"updated_at": "0998-12-31T23:59:59Z"}, {"updated_at": "1001"})
    assert [row.id for row in encoder("0999-01-01T00:00:00Z").rows(rows)] == [token(2)]
    assert [row.id for row in encoder("0999-01-01T00:00:00Z", 1).rows(rows)] == [token(1), token(2)]
    assert len(encoder("0001-01-01T00:00:00Z", 600).rows(rows)) == 3
    changed = encoder()
    changed.rows(page({"updated_at": "0001-01-01T00:00:00Z"}))
    assert kept(changed, 2026) == "0001-01-01T00:00:00.000000000Z"


def test_what_tells_no_time_is_never_left_out() -> None:
    changed = encoder("2026-05-05T00:00:00Z")
    assert [row.id for row in changed.rows(page({}, {"updated_at": 3}))] == [token(0), token(1)]


def test_an_odd_row_beside_it_changes_nothing() -> None:
    odd = b'{"id":"%b","traits":["\\ud800",%b],"updated_at":"2020-01-01T00:00:00Z"}' % (token(9).encode(), b"9" * 5000)
    rows = page({"updated_at": "2026-05-05T00:00:00.5Z"})
    changed = encoder("2026-05-05T00:00:00Z")
    assert [row.id for row in changed.rows(rows[:-1] + b"," + odd + b"]")] == [token(0)]


def test_bookmark_passes_neither_the_newest_change_nor_the_beginning_of_the_read() -> None:
    changed = encoder()
    changed.rows(page({"updated_at": "2026-05-05T00:00:00.25Z"}))
    assert kept(changed, 2027) == "2026-05-05T00:00:00.250000000Z"
    assert kept(changed, 2026) == "2026-01-01T00:00:00.000000000Z"


def test_bookmark_never_goes_back() -> None:
    changed = encoder("2026-05-05T00:00:00Z")
    changed.rows(page({"updated_at": "2026-01-01T00:00:00Z"}))
    assert kept(changed, 2027) == "2026-05-05T00:00:00.000000000Z"


def catalog(replication_key: str | None = "changed_at", name: str = "identities") -> dict[str, Any]:
    made: dict[str, Any] = TapOry(validate_config=False).catalog_dict
    (stream,) = (stream for stream in made["streams"] if stream["stream"] == name)
    stream.update(replication_method="INCREMENTAL", replication_key=replication_key)
    stream["metadata"] = [
        {**entry, "metadata": {"inclusion": "available", "selected": True}} for entry in stream["metadata"]
    ]
    return {"streams": [stream]}


@pytest.mark.parametrize("name", ["identities", "users"])
def test_second_run_sends_what_changed_since_the_first(name: str) -> None:
    with Sandbox(200) as sandbox:
        config = {"base_url": sandbox.url, "lookback_seconds": 0}
        first = sync(config, catalog=catalog(name=name))
        assert len(records(first)) == 200
        assert b'"ACTIVATE_VERSION"' not in first
        state = json.loads(first.splitlines()[-1])["value"]
        bookmark = state["bookmarks"][name]["replication_key_value"]
        changed = {**sandbox.identities[17], "updated_at": datetime.now(timezone.utc).isoformat()}
        sandbox.put(changed)
        again = records(sync(config, catalog=catalog(name=name), state=state))
    assert changed["id"] in {record["id"] for record in again}
    assert len(again) < 10
    assert all(record["changed_at"] >= bookmark for record in again)


@pytest.mark.parametrize("name", ["identities", "users"])
def test_the_bookmark_of_another_project_leaves_nobody_out(name: str, caplog: pytest.LogCaptureFixture) -> None:
    def run(sandbox: Sandbox, state: dict[str, Any]) -> tuple[set[str], dict[str, Any], list[str]]:
        caplog.clear()
        output = sync({"base_url": sandbox.url, "lookback_seconds": 0}, catalog=catalog(name=name), state=state)
        said = [line.getMessage() for line in caplog.records if line.getMessage().startswith("The bookmark")]
        return {record["id"] for record in records(output)}, json.loads(output.splitlines()[-1])["value"], said

    with Sandbox(50) as one, Sandbox(40, seed=7) as other:
        everybody = {identity["id"] for identity in other.identities}
        _, state, said = run(one, {})
        assert said == []
        found, moved, said = run(other, state)
        assert found == everybody
        (line,) = said
        assert repr(name) in line
        assert "another base_url" in line
        # It is the other's from now on; of before, when nothing told whose it is, it is taken as it is.
        found, _, said = run(other, moved)
        assert len(found) < 5
        assert said == []
        del moved["bookmarks"][name]["replication_source"]
        found, _, said = run(other, moved)
        assert len(found) < 5
        assert said == []


@pytest.mark.parametrize("name", ["identities", "users"])
def test_another_replication_key_is_refused(name: str) -> None:
    with unchanged_signals(), pytest.raises(SettingsError, match="'updated_at' cannot serve"):
        _ = TapOry(config={"base_url": "http://127.0.0.1:1"}, catalog=catalog("updated_at", name)).streams


def test_an_interrupted_read_goes_on_and_its_bookmark_is_of_its_beginning() -> None:
    taps: list[TapOry] = []
    written = io.BytesIO()
    fault = {"do": "status", "status": 401, "at": 6}
    with FaultySandbox(200, faults=[fault]) as sandbox:
        config = {"base_url": sandbox.url, "page_size": 20, "lookback_seconds": 0}
        before = datetime.now(timezone.utc)
        kept_apart = mock.patch.object(BlockWriter, "write_block", lambda _, block: written.write(block))
        with kept_apart, pytest.raises(AccessError):
            sync(config, catalog=catalog(), prepare=taps.append)
        state = json.loads(json.dumps(taps[0].state))
        began = datetime.fromisoformat(state["bookmarks"]["identities"]["snapshot"]["started_at"])
        assert before <= began
        # Of after the first run began, among what that has read and among what it has not: by a clock that is ahead.
        ahead = (began + timedelta(hours=1)).isoformat()
        for place in (0, 199):
            sandbox.put({**sandbox.identities[place], "updated_at": ahead})
        output = sync(config, catalog=catalog(), state=state)
        ids = {identity["id"] for identity in sandbox.identities}
    assert {record["id"] for record in records(written.getvalue() + output)} == ids
    assert b'"ACTIVATE_VERSION"' not in output
    kept = json.loads(output.splitlines()[-1])["value"]["bookmarks"]["identities"]
    assert "snapshot" not in kept
    assert kept["replication_key_value"] <= f"{began:%Y-%m-%dT%H:%M:%S}.000000000Z"
