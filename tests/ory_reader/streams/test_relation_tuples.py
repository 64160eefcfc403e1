"""The bound of relation tuples, chosen namespaces, and a read that goes on where plain tokens last."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ory_sandbox import Sandbox
from tests.command import Finished, run_tap
from tests.faults.sandbox import FaultySandbox

if TYPE_CHECKING:
    from pathlib import Path


def run(sandbox: Sandbox, *arguments: str, **settings: Any) -> Finished:
    given = {"base_url": "http://127.0.0.1:1", "permissions_url": sandbox.permissions_url, "page_size": 20, **settings}
    variables = {f"TAP_ORY_{name.upper()}": str(value) for name, value in given.items()}
    return run_tap("--select", "relation_tuples", *arguments, environment=variables)


def records(run: Finished) -> list[str]:
    found = [message["record"] for message in run.messages if message["type"] == "RECORD"]
    return [json.dumps([each[name] for name in ("namespace", "object", "relation", "subject")]) for each in found]


def state(run: Finished) -> dict[str, Any]:
    last: dict[str, Any] = [message["value"] for message in run.messages if message["type"] == "STATE"][-1]
    return last


def is_activated(run: Finished) -> bool:
    return any(message["type"] == "ACTIVATE_VERSION" for message in run.messages)


def test_more_than_the_bound_ends_the_read_and_none_goes_on_with_it() -> None:
    with Sandbox(10, tuples=100) as sandbox:
        ended = run(sandbox, max_relation_tuples=99)
        enough = run(sandbox, max_relation_tuples=100)
    assert ended.code == 1
    assert not is_activated(ended)
    assert "snapshot" not in state(ended)["bookmarks"]["relation_tuples"]
    (error,) = ended.logged("ERROR")
    assert "more than 99 relation tuples" in error
    assert "set max_relation_tuples higher" in error
    assert (enough.code, is_activated(enough)) == (0, True)


def test_chosen_namespaces_are_read_and_an_unknown_one_is_named() -> None:
    with Sandbox(30, tuples=100) as sandbox:
        chosen = run(sandbox, namespaces='["Team", "Role", "Team"]')
        unknown = run(sandbox, namespaces='["Team", "Nope"]')
        team = [each for each in sandbox.holdings.tuples if each["namespace"] == "Team"]
    assert len(records(chosen)) == len({*records(chosen)}) == len(team)
    assert is_activated(chosen)
    assert (unknown.code, is_activated(unknown)) == (1, False)
    (error,) = unknown.logged("ERROR")
    assert "no namespace 'Nope', which the setting namespaces names" in error


@pytest.mark.parametrize("settings", [{}, {"namespaces": '["Team", "Document"]'}])
def test_an_interrupted_read_goes_on_where_it_can(settings: dict[str, str], tmp_path: Path) -> None:
    fault = {"do": "status", "status": 401, "on": "tuples", "at": 4}
    with FaultySandbox(30, tuples=200, faults=[fault]) as sandbox:
        cut = run(sandbox, **settings)
        kept = tmp_path / "state.json"
        kept.write_text(json.dumps(state(cut)))
        whole = run(sandbox, "--state", str(kept), **settings)
        expected = {json.dumps(each, sort_keys=True) for each in sandbox.holdings.tuples}
    assert (cut.code, is_activated(cut), len(records(cut)) > 0) == (1, False, True)
    assert (whole.code, is_activated(whole)) == (0, True)
    goes_on = not settings
    assert ("snapshot" in state(cut)["bookmarks"]["relation_tuples"]) is goes_on
    assert len({*records(cut), *records(whole)}) == len(expected)
    assert (len(records(whole)) < len(expected)) is goes_on
