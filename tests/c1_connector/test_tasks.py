"""Tasks with all that can be in them, and the answers of a connector made with C1's published SDK v0.25.0."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from c1_connector import baton_pb2 as pb
from c1_connector.errors import ConnectorError
from c1_connector.wanted import wanted
from ory_sandbox import Sandbox
from target_c1.scope import Scope
from tests.c1_connector.connector import Connector, connector, ids_in, until
from tests.c1_connector.fake_c1 import RECORDED, FakeC1
from tests.c1_connector.test_endings import HURRIED
from tests.c1_connector.test_faults import ids_of, outcome
from tests.target_c1.support import rows_of

Code = grpc.StatusCode
HURRIED_COMMAND = (sys.executable, "-c", HURRIED)
#: Also the name of an identity schema, which the tap logs.
KEY = "preset://basic"


def _users(*ids: str) -> list[dict[str, Any]]:
    return [_resource(each) for each in ids]


def _resource(identifier: str, kind: str = "user") -> dict[str, Any]:
    return {"id": {"resource_type": kind, "resource": identifier}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, Scope("full")),
        ({"sync_resource_type_ids": ["user"]}, Scope("full")),
        ({"skip_entitlements_and_grants": True}, Scope("resources_only")),
        ({"targeted_sync_resources": _users("ann", "ben", "ann")}, Scope("partial", ("ann", "ben"))),
        (
            {"targeted_sync_resources": _users("ann"), "skip_entitlements_and_grants": True},
            Scope("partial", ("ann",)),
        ),
        (
            {"targeted_sync_resources": [_resource("x", "group")], "sync_resource_type_ids": ["user"]},
            Scope("partial", ()),
        ),
    ],
)
def test_what_a_sync_asks_for(body: dict[str, Any], expected: Scope) -> None:
    assert wanted(pb.SyncFullTask(**body)) == expected


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"sync_resource_type_ids": ["group"]}, "no resource type 'group'"),
        ({"sync_resource_type_ids": ["user", "group"]}, "no resource type 'group'"),
        ({"sync_resource_type_ids": ["group"], "targeted_sync_resources": _users("ann")}, "no resource type 'group'"),
        ({"sync_resource_type_ids": [""]}, "no resource type ''"),
        ({"targeted_sync_resources": _users("")}, "no id"),
        ({"targeted_sync_resources": [{}]}, "no id"),
        ({"targeted_sync_resources": [_resource("ann", "")]}, "no id"),
        ({"targeted_sync_resources": _users("ann", "")}, "no id"),
        ({"targeted_sync_resources": [_resource("eng", "group")]}, "no resource type 'group'"),
    ],
)
def test_what_no_sync_can_ask_for(body: dict[str, Any], words: str) -> None:
    with pytest.raises(ConnectorError, match=words) as refused:
        wanted(pb.SyncFullTask(**body))
    assert refused.value.code == 2


@pytest.fixture
def running(c1: FakeC1, ory: Sandbox, tmp_path: Path) -> Iterator[Connector]:
    with connector(c1.environment(BATON_BASE_URL=ory.url, TAP_ORY_API_TOKEN=KEY), tmp_path) as running:
        yield running


def test_each_sync_is_of_the_type_and_of_the_users_that_c1_wants(
    c1: FakeC1, ory: Sandbox, running: Connector, tmp_path: Path
) -> None:
    everybody = ids_of(ory)
    some = everybody[7:150:70]
    tasks = {
        c1.give(): ("full", everybody),
        c1.give(skip_entitlements_and_grants=True): ("resources_only", everybody),
        c1.give(targeted_sync_resources=_users(*some, "gone-meanwhile")): ("partial", some),
        c1.give(targeted_sync_resources=_users("gone-meanwhile")): ("partial", []),
    }
    for task, (kind, ids) in tasks.items():
        assert outcome(c1, task, running) == (0, "")
        (body,) = c1.uploads[task]
        assert ids_in(body, tmp_path, kind) == ids
        # A user who was left out leaves no room behind.
        assert rows_of(tmp_path / "uploaded.c1z", "pragma freelist_count", tmp_path) == [(0,)]
        # Nor is anybody else in what SQLite has freed.
        assert (everybody[0].encode() in (tmp_path / "unpacked.sqlite").read_bytes()) == (everybody[0] in ids)


def test_every_kind_of_task_with_all_its_fields_is_answered(c1: FakeC1, tmp_path: Path) -> None:
    c1.next_poll = 0.001
    with connector(c1.environment(), tmp_path, command=HURRIED_COMMAND):
        answers = _answers_to_all(c1)
    well = {kind for kind, answer in answers.items() if answer.WhichOneof("final_state") == "success"}
    assert well == {"action_list_schemas", "list_event_feeds"}
    codes = {kind: (each.status.code, each.error.non_retryable) for kind, each in answers.items() if kind not in well}
    # The recorded sync asks for a resource type that we do not have.
    assert {kind for kind, code in codes.items() if code == (2, False)} == {"sync_full", "event_feed"}
    assert {kind for kind, code in codes.items() if code == (12, True)} == set(codes) - {"sync_full", "event_feed"}
    assert not c1.count("UploadAsset")


def _answers_to_all(c1: FakeC1) -> dict[str, pb.FinishTaskRequest]:
    tasks = {kind: c1.give_recorded(kind) for kind in RECORDED if kind not in {"none", "hello"}}
    greeting = c1.give_recorded("hello")
    until(lambda: all(c1.finished[task] for task in tasks.values()), "the answers")
    until(lambda: c1.count("Hello", greeting), "the hello task")
    assert not c1.finished[greeting]
    return {kind: c1.finished[task][0] for kind, task in tasks.items()}


@pytest.mark.parametrize(
    ("kind", "message"),
    [("action_list_schemas", "ListActionSchemasResponse"), ("list_event_feeds", "ListEventFeedsResponse")],
)
def test_what_there_is_nothing_of_is_a_success_with_nothing_in_it(
    c1: FakeC1, running: Connector, kind: str, message: str
) -> None:
    task = c1.give(kind)
    until(lambda: c1.finished[task], "the answer")
    (answer,) = c1.finished[task]
    assert answer.WhichOneof("final_state") == "success"
    # As the SDK's own answer was seen to be.
    assert (answer.success.response.type_url, answer.success.response.value) == (
        f"type.googleapis.com/c1.connector.v2.{message}",
        b"",
    )
    assert (c1.count("Heartbeat"), c1.count("UploadAsset")) == (0, 0)


def test_a_task_that_is_debugged_has_its_log_uploaded_after_the_users(
    c1: FakeC1, ory: Sandbox, running: Connector, tmp_path: Path
) -> None:
    secrets = [c1.client_secret, c1.client_secret.rpartition(":")[2], KEY]
    until(lambda: c1.tokens, "a token")
    # A heartbeat that fails is logged, here with an answer that repeats the token.
    c1.slow_upload, c1.words = 3, f"token {c1.tokens[0]} refused"
    c1.trouble = lambda method, number: Code.INTERNAL if (method, number) == ("Heartbeat", 3) else None
    task = c1.give(debug=True)
    other = c1.give()
    until(lambda: c1.finished[task] and c1.finished[other], "the syncs")
    assert c1.finished[task][0].WhichOneof("final_state") == "success", running.output
    users, log = c1.uploads[task]
    assert ids_in(users, tmp_path) == ids_of(ory)
    lines = log.decode().splitlines()
    assert any(f"Task {task}: heartbeat failed" in line for line in lines)
    assert any("DEBUG" in line for line in lines)
    assert any("target-c1" in line and "Published 300 users" in line for line in lines)
    assert any("token [hidden] refused" in line for line in lines)
    assert any("Users of identity schema [hidden]" in line for line in lines)
    assert not [line for line in lines if other in line]
    assert [secret for secret in (*secrets, *c1.tokens) if secret in log.decode() + running.output] == []
    # What the log has of the read is on stderr as well.
    assert next(line for line in lines if "Published 300" in line) in running.output
    assert not list(running.temporary.iterdir())


def test_a_log_that_c1_does_not_take_is_tried_again_and_then_fails_the_task(c1: FakeC1, running: Connector) -> None:
    c1.trouble = lambda method, number: Code.UNAVAILABLE if method == "UploadAsset" and number > 1 else None
    task = c1.give(debug=True)
    until(lambda: c1.finished[task], "FinishTask")
    assert (c1.finished[task][0].status.code, c1.finished[task][0].error.non_retryable) == (14, False)
    assert c1.count("UploadAsset") == 4


def test_a_sync_that_fails_uploads_no_log_that_could_be_taken_for_users(
    c1: FakeC1, ory: Sandbox, tmp_path: Path
) -> None:
    with connector(c1.environment(BATON_BASE_URL="http://127.0.0.1:9"), tmp_path) as running:
        task = c1.give(debug=True)
        assert outcome(c1, task, running)[0] == 2
    assert not c1.count("UploadAsset")
