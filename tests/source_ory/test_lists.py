"""Streams of several lists in one read: each list is a read by itself, with states and an end of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.faults.sandbox import FaultySandbox
from tests.source_ory.support import Files, run

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = 40
LISTS = ("users", "sessions", "identity_schemas")


def chosen(files: Files, config: Path, *names: str, mode: str = "full_refresh") -> Path:
    return files.catalog([each for each in files.discovered(config) if each["name"] in names], mode)


def states_in(told: Any) -> list[Any]:
    """The last state of each stream."""
    found = {state["stream"]["stream_descriptor"]["name"]: state for state in told.of("STATE")}
    return list(found.values())


def test_each_list_ends_by_itself(files: Files) -> None:
    with FaultySandbox(PEOPLE) as sandbox:
        config = files.write({"base_url": sandbox.url, "page_size": 20})
        told = run("read", "--config", config, "--catalog", chosen(files, config, *LISTS))
        assert told.code == 0, told.output
        counts = {name: len(records) for name, records in told.records.items()}
        assert counts == {"users": PEOPLE, "sessions": len(sandbox.holdings.sessions), "identity_schemas": 4}
        assert told.statuses == [(name, status) for name in LISTS for status in ("STARTED", "RUNNING", "COMPLETE")]
        assert all(state["stream"]["stream_state"]["finished"] for state in states_in(told))


def test_what_was_read_before_one_fails_stays_complete(files: Files) -> None:
    fault = {"on": "sessions", "at": 3, "times": None, "do": "status", "status": 401}
    with FaultySandbox(PEOPLE, faults=[fault]) as sandbox:
        config = files.write({"base_url": sandbox.url, "page_size": 20})
        told = run("read", "--config", config, "--catalog", chosen(files, config, *LISTS))
    assert told.code == 1
    assert told.statuses[-1] == ("sessions", "INCOMPLETE")
    assert ("users", "COMPLETE") in told.statuses
    states = {
        state["stream"]["stream_descriptor"]["name"]: state["stream"]["stream_state"] for state in states_in(told)
    }
    assert "finished" in states["users"]
    assert "snapshot" in states["sessions"]


def test_new_sessions_are_a_sync_mode(files: Files) -> None:
    with FaultySandbox(PEOPLE) as sandbox:
        config = files.write({"base_url": sandbox.url, "page_size": 20, "lookback_seconds": 0})
        catalog = chosen(files, config, "sessions", mode="incremental")
        first = run("read", "--config", config, "--catalog", catalog)
        again = run("read", "--config", config, "--catalog", catalog, "--state", files.write(states_in(first)))
        everything = {session["id"] for session in sandbox.holdings.sessions}
        newest = max(session["issued_at"] for session in sandbox.holdings.sessions)
    assert {record["id"] for record in first.records["sessions"]} == everything
    assert [record["issued_at"] for record in again.records["sessions"]] == [newest]
