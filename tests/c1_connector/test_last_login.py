"""When people last signed in reaches C1 on every road: files of target-c1, and both ways of ory-connector."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

from ory_sandbox import Sandbox
from tests.c1_connector.connector import connector, until, users_in
from tests.command import run_tap
from tests.target_c1.protobuf import new, user_trait
from tests.target_c1.support import blobs_of, run_command, settings_in_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.c1_connector.fake_c1 import FakeC1

PEOPLE = 30
Logins = dict[str, str]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(PEOPLE) as running:
        yield running


@pytest.fixture(scope="module")
def expected(sandbox: Sandbox) -> Logins:
    """Of each who has a session the second of the last sign-in; what the others have is nothing."""
    newest: Logins = {}
    for session in sandbox.holdings.sessions:
        who, when = session["identity_id"], session["authenticated_at"][:19]
        newest[who] = max(when, newest.get(who, when))
    assert 0 < len(newest) < PEOPLE
    return newest


def known(found: dict[str, str | None]) -> Logins:
    """What a file tells, to the second; everybody must be in it."""
    assert len(found) == PEOPLE
    return {who: when[:19] for who, when in found.items() if when}


def in_c1z(blobs: list[bytes]) -> Logins:
    found: dict[str, str | None] = {}
    for blob in blobs:
        message = new("Resource").FromString(blob)
        trait = user_trait(message)
        found[message.id.resource] = trait.last_login.ToJsonString() if trait.HasField("last_login") else None
    return known(found)


@pytest.mark.parametrize("kind", ["csv", "json", "c1z"])
def test_in_each_format_of_the_target(sandbox: Sandbox, expected: Logins, kind: str, tmp_path: Path) -> None:
    environment = {"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_LAST_LOGIN": "true"}
    lines = run_tap("--select", "users", environment=environment).stdout.encode()
    path = tmp_path / f"users.{kind}"
    done = run_command(lines, "--config", "ENV", **settings_in_environment({"path": str(path)}))
    assert done.code == 0, done.stderr
    if kind == "csv":
        with path.open(newline="") as file:
            found = known({row["User ID"]: row["Last Login"] for row in csv.DictReader(file)})
    elif kind == "json":
        found = known({user["id"]: user.get("last_login") for user in json.loads(path.read_text())["users"]})
    else:
        found = in_c1z(blobs_of(path, tmp_path))
    assert found == expected


def test_in_the_file_of_the_connector(sandbox: Sandbox, expected: Logins, tmp_path: Path) -> None:
    path = tmp_path / "users.c1z"
    variables = {"BATON_BASE_URL": sandbox.url, "TAP_ORY_LAST_LOGIN": "true"}
    with connector(variables, tmp_path, "--file", str(path)) as running:
        assert running.wait() == 0, running.output
    assert in_c1z(blobs_of(path, tmp_path)) == expected


def test_in_what_the_connector_uploads(sandbox: Sandbox, expected: Logins, c1: FakeC1, tmp_path: Path) -> None:
    variables = c1.environment(BATON_BASE_URL=sandbox.url, TAP_ORY_LAST_LOGIN="true")
    with connector(variables, tmp_path) as running:
        task = c1.give()
        until(lambda: c1.finished[task], "the sync")
        assert c1.finished[task][0].WhichOneof("final_state") == "success", running.output
        (body,) = c1.uploads[task]
    users_in(body, tmp_path)
    assert in_c1z(blobs_of(tmp_path / "uploaded.c1z", tmp_path)) == expected
