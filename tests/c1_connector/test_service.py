"""The real process against a C1 of our own, from Hello to the uploaded file."""

import json
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import requests

from ory_sandbox import Sandbox
from target_c1.decoding import DecodedUser
from target_c1.users import STATUS_NAMES
from tests.c1_connector.connector import connector, until, users_in
from tests.c1_connector.fake_c1 import FakeC1
from tests.real.server import Kratos
from tests.servers import run_kratos


def status_and_traits(users: Iterable[DecodedUser]) -> dict[str, tuple[str, Any]]:
    return {user.id: (STATUS_NAMES[user.resource.status.status], user.profile["traits"]) for user in users}


def change(kratos: Kratos, seed: int) -> None:
    """Let people come, go, be locked and get another name."""
    named = [row["id"] for row in kratos.all_rows() if row["state"] == "active" and "name" in row["traits"]]
    gone, locked, renamed = named[:3]
    kratos.delete(gone)
    kratos.fill(10, seed=seed)
    for who, path, value in ((locked, "/state", "inactive"), (renamed, "/traits/name", {"first": f"Number {seed}"})):
        patch = [{"op": "replace", "path": path, "value": value}]
        response = requests.patch(f"{kratos.admin_url}admin/identities/{who}", json=patch, timeout=120)
        response.raise_for_status()


def test_hello_then_three_syncs_of_a_real_kratos_that_changes_in_between(c1: FakeC1, tmp_path: Path) -> None:
    states = {"active": "enabled", "inactive": "disabled"}
    with run_kratos("v1.3.1", 250) as kratos:
        variables = c1.environment(BATON_BASE_URL=kratos.admin_url)
        with connector(variables, tmp_path) as running:
            greeting = c1.give("hello")
            until(lambda: c1.count("Hello", greeting), "the hello task")
            seen = []
            for seed in (2, 3, 4):
                task = c1.give()
                until(lambda task=task: c1.finished[task], "the sync")  # type: ignore[misc]
                assert c1.finished[task][0].WhichOneof("final_state") == "success", running.output
                (body,) = c1.uploads[task]
                there = {row["id"]: (states[row["state"]], row["traits"]) for row in kratos.all_rows()}
                assert status_and_traits(users_in(body, tmp_path)) == there
                seen.append(there)
                change(kratos, seed)
            assert running.terminate() == 143
    assert [event.method for event in c1.events[:3]] == ["token", "Hello", "GetTask"]
    assert [event.method for event in c1.events if event.deadline is None and event.method != "token"] == []
    assert c1.front.connections == 1
    assert not list(running.temporary.iterdir())
    assert not c1.finished[greeting]
    assert len(seen[2]) == 250 + 2 * 9
    for before, after in pairwise(seen):
        assert len([who for who in before.keys() & after.keys() if before[who] != after[who]]) == 2


def test_logs_are_one_json_object_a_line_without_secrets(c1: FakeC1, ory: Sandbox, tmp_path: Path) -> None:
    variables = c1.environment(BATON_BASE_URL=ory.url, BATON_LOG_FORMAT="json", TAP_ORY_API_TOKEN="ory_pat_very-secret")
    with connector(variables, tmp_path) as running:
        task = c1.give()
        until(lambda: c1.finished[task], "the sync")
        running.terminate()
    events = [json.loads(line) for line in running.output.splitlines()]
    # The closing sentence of a read has its numbers beside it.
    assert all({"time", "level", "logger", "message"} == set(event) - {"read"} for event in events)
    assert any(f"Task {task} (sync_full) is done" in event["message"] for event in events)
    secrets = [c1.client_secret, c1.client_secret.rpartition(":")[2], "ory_pat_very-secret", *c1.tokens]
    assert [secret for secret in secrets if secret in running.output] == []


def test_what_is_not_supported_is_refused_for_good(c1: FakeC1, tmp_path: Path) -> None:
    with connector(c1.environment(BATON_BASE_URL="http://127.0.0.1:9"), tmp_path) as running:
        kinds = ["grant", "create_account", "list_events", ""]
        tasks = [c1.give(kind) for kind in kinds]
        until(lambda: all(c1.finished[task] for task in tasks), "the refusals")
        running.terminate()
    for task in tasks:
        (finish,) = c1.finished[task]
        assert (finish.status.code, finish.error.non_retryable) == (12, True)
        assert running.output.count(task) == 1
    assert not c1.count("Heartbeat")
