"""Reads that end without being whole, in this process: what is said of them. And states of any shape."""

from typing import Any

import pytest

from command_basics.signals import Termination
from ory_reader.errors import IncompleteError, UnavailableError
from ory_reader.resources.identities import IdentityRead
from ory_sandbox import Sandbox
from source_ory import source
from source_ory.catalog import bookmarks
from tests.source_ory.support import Run, said

CATALOG: dict[str, Any] = {
    "streams": [{"stream": {"name": "identities", "json_schema": {"type": "object"}}, "sync_mode": "full_refresh"}]
}


def said_in(capsys: pytest.CaptureFixture[str]) -> Run:
    return said(0, capsys.readouterr().out.encode())


def test_unreadable_identities_leave_the_read_incomplete(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The pauses between the tries are the conversation's business, and its tests'.
    monkeypatch.setattr("time.sleep", lambda _: None)
    spoilt = sandbox.identities[700]["id"]
    sandbox.make_unreadable(spoilt)
    with pytest.raises(IncompleteError):
        source.read({"base_url": sandbox.url}, CATALOG, None, Termination())
    told = said_in(capsys)
    assert told.statuses == [("identities", "STARTED"), ("identities", "RUNNING"), ("identities", "INCOMPLETE")]
    others = {identity["id"] for identity in sandbox.identities} - {spoilt}
    assert {record["id"] for record in told.records["identities"]} == others
    assert sum(float(state["sourceStats"]["recordCount"]) for state in told.of("STATE")) == len(others)


def test_a_read_that_may_have_missed_identities_is_incomplete(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def restless(read: IdentityRead) -> Any:
        yield from pages(read)
        read.whole = False

    pages = IdentityRead.pages
    monkeypatch.setattr(IdentityRead, "pages", restless)
    with pytest.raises(UnavailableError, match="kept changing"):
        source.read({"base_url": sandbox.url}, CATALOG, None, Termination())
    assert said_in(capsys).statuses[-1] == ("identities", "INCOMPLETE")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        ([], None),
        ({"bookmarks": 1}, None),
        ([{"type": "GLOBAL", "global": {}}], None),
        ([{"type": "LEGACY", "data": {}}], None),
        (17, None),
        ([{"stream": {"stream_descriptor": {"name": "a"}, "stream_state": 17}}], None),
        ([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "a"}}}], {"a": {}}),
        ([{"stream": {"stream_descriptor": {"name": "a"}, "stream_state": {"snapshot": 1}}}], {"a": {"snapshot": 1}}),
    ],
)
def test_states_become_bookmarks(given: Any, expected: dict[str, Any] | None) -> None:
    assert bookmarks(given) == (expected or {})
