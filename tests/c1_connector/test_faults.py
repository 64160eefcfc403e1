"""What goes wrong on either side, and that each time the users arrive whole or not at all."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from ory_sandbox import Sandbox
from tests.c1_connector.connector import Connector, connector, ids_in, until
from tests.c1_connector.fake_c1 import FakeC1

Code = grpc.StatusCode
#: Small pages, one after the other: a read of 300 identities takes 30 answers.
ONE_BY_ONE = {"TAP_ORY_PAGE_SIZE": "10", "TAP_ORY_CONCURRENCY": "1"}


@contextmanager
def slow_project(seconds: float) -> Iterator[Sandbox]:
    """A project whose 300 identities take so long to read, ONE_BY_ONE."""
    with Sandbox(300, latency_ms=1000 * seconds / 33) as sandbox:
        yield sandbox


def ids_of(ory: Sandbox) -> list[str]:
    return sorted(identity["id"] for identity in ory.identities)


def outcome(c1: FakeC1, task: str, running: Connector) -> tuple[int, str]:
    """How a task ended: gRPC's number (0: well) and the sentence."""
    until(lambda: c1.finished[task], "FinishTask")
    (finish,) = c1.finished[task]
    good = finish.WhichOneof("final_state") == "success"
    assert good == (len(c1.uploads[task]) == 1), running.output
    assert good or not finish.error.non_retryable
    return finish.status.code, finish.status.message


@pytest.mark.parametrize("status", [400, 401])
def test_refused_credentials_end_it_at_once(c1: FakeC1, tmp_path: Path, status: int) -> None:
    c1.token_statuses.append(status)
    with connector(c1.environment(TAP_ORY_LOGLEVEL="debug", GRPC_TRACE="all"), tmp_path) as running:
        assert running.wait() == 16
    assert "C1 refused the client id and secret" in running.output
    # Whatever the answer says, as it may repeat what was sent.
    assert not re.search(r"client_assertion|eyJ", running.output)
    assert [event.method for event in c1.events] == ["token"]


def test_a_token_that_is_refused_is_not_shown_even_if_c1_repeats_it(c1: FakeC1, tmp_path: Path) -> None:
    c1.accepting = False
    with connector(c1.environment(), tmp_path) as running:
        assert running.wait() == 16
    assert (c1.count("token"), c1.count("Hello")) == (2, 2)
    assert "token Bearer [hidden] refused" in running.output
    assert not [token for token in c1.tokens if token in running.output]


def test_a_token_that_is_refused_in_mid_life_is_bought_anew_once(c1: FakeC1, ory: Sandbox, tmp_path: Path) -> None:
    with connector(c1.environment(BATON_BASE_URL=ory.url), tmp_path) as running:
        until(lambda: c1.count("GetTask"), "the first poll")
        c1.revoke_tokens()
        assert outcome(c1, c1.give(), running) == (0, "")
    assert c1.count("token") == 2


def test_a_token_is_renewed_before_it_expires(c1: FakeC1, tmp_path: Path) -> None:
    c1.token_life = 12
    with connector(c1.environment(), tmp_path):
        until(lambda: c1.count("token") >= 2, "the second token")
    bought = [event.time for event in c1.events if event.method == "token"]
    assert bought[1] - bought[0] > 1.9
    assert not c1.count("Heartbeat")


@pytest.mark.parametrize("fails", [False, True])
def test_cancelled_before_it_began_or_without_a_first_heartbeat_nobody_is_told(
    c1: FakeC1, ory: Sandbox, tmp_path: Path, *, fails: bool
) -> None:
    with connector(c1.environment(BATON_BASE_URL=ory.url), tmp_path) as running:
        if fails:
            c1.trouble = lambda method, number: Code.INTERNAL if (method, number) == ("Heartbeat", 1) else None
        task = c1.give()
        if not fails:
            c1.cancelled.add(task)
        until(lambda: c1.count("Heartbeat", task), "the first heartbeat")
        assert outcome(c1, c1.give(), running) == (0, "")
    assert not c1.finished[task]


def test_cancelled_in_mid_upload_it_is_ended(c1: FakeC1, ory: Sandbox, tmp_path: Path) -> None:
    c1.slow_upload = 600
    with connector(c1.environment(BATON_BASE_URL=ory.url), tmp_path) as running:
        task = c1.give()
        until(lambda: c1.count("UploadAsset"), "the upload")
        c1.cancelled.add(task)
        until(lambda: c1.finished[task], "FinishTask")
        assert outcome(c1, task, running)[0] == 1


@pytest.mark.parametrize(("cuts", "code"), [([1], 0), ([2, 3], 0), ([1, 2, 3], 13)])
def test_an_upload_that_is_cut_is_tried_three_times(
    c1: FakeC1, ory: Sandbox, tmp_path: Path, cuts: list[int], code: int
) -> None:
    c1.upload_cuts.extend(cuts)
    with connector(c1.environment(BATON_BASE_URL=ory.url), tmp_path) as running:
        task = c1.give()
        assert outcome(c1, task, running)[0] == code
    assert c1.count("UploadAsset") == min(len(cuts) + 1, 3)
    assert [ids_in(body, tmp_path) for body in c1.uploads[task]] == ([] if code else [ids_of(ory)])


def test_a_failed_read_ends_with_the_sentence_of_the_tap(c1: FakeC1, tmp_path: Path) -> None:
    with connector(c1.environment(BATON_BASE_URL="http://127.0.0.1:9"), tmp_path) as running:
        code, sentence = outcome(c1, c1.give(), running)
    assert code == 2
    assert "http://127.0.0.1:9" in sentence
    assert sentence in running.output
    assert not c1.count("UploadAsset")


def test_a_service_that_is_killed_ends_its_reads(c1: FakeC1, tmp_path: Path) -> None:
    with slow_project(30) as ory, connector(c1.environment(BATON_BASE_URL=ory.url, **ONE_BY_ONE), tmp_path) as running:
        c1.give()
        until(lambda: ory.requests.count > 4, "the read")
        running.process.kill()
        running.wait()
        made = ory.requests.count
        # A read that went on would have asked for three pages more.
        threading.Event().wait(3)
        assert ory.requests.count <= made + 1
    assert not c1.count("UploadAsset")


def test_sigterm_gives_the_task_back(c1: FakeC1, tmp_path: Path) -> None:
    with slow_project(30) as ory, connector(c1.environment(BATON_BASE_URL=ory.url, **ONE_BY_ONE), tmp_path) as running:
        task = c1.give()
        until(lambda: ory.requests.count > 4, "the read")
        assert running.terminate() == 143
        # Which would have taken half a minute to the end.
        assert ory.requests.count < 33
    assert outcome(c1, task, running) == (1, "The connector is being stopped.")
    assert not list(running.temporary.iterdir())


def test_c1_that_is_not_trusted_is_given_up(c1: FakeC1, tmp_path: Path) -> None:
    variables = c1.environment()
    del variables["BATON_C1_CA_BUNDLE"]
    with connector(variables, tmp_path) as running:
        assert running.wait() == 4
    assert "is not trusted" in running.output
    # Not after half a minute, as if it could not be reached.
    assert len(running.output.splitlines()) == 1
    assert c1.events == []
