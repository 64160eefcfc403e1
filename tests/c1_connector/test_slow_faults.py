"""Faults, and a day of service, that take their time: all at once, each with a C1 and a project of its own."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest

from ory_sandbox import Sandbox
from tests.c1_connector.connector import connector, ids_in, until
from tests.c1_connector.fake_c1 import FakeC1, fake_c1
from tests.c1_connector.test_endings import a_day_of_service_leaves_nothing_behind
from tests.c1_connector.test_faults import ONE_BY_ONE, ids_of, outcome, slow_project
from tests.servers import run_kratos

Code = grpc.StatusCode


def c1_is_gone_for_half_a_minute_in_mid_sync(c1: FakeC1, tmp_path: Path) -> None:
    c1.next_heartbeat = 5
    with slow_project(10) as ory, connector(c1.environment(BATON_BASE_URL=ory.url, **ONE_BY_ONE), tmp_path) as running:
        task = c1.give()
        until(lambda: ory.requests.count > 4, "the read")
        c1.front.stop()
        threading.Event().wait(30)
        c1.front.start()
        assert outcome(c1, task, running) == (0, "")
        assert ids_in(c1.uploads[task][0], tmp_path) == ids_of(ory)


def c1_is_gone_for_half_a_minute_in_mid_upload(c1: FakeC1, tmp_path: Path) -> None:
    c1.next_heartbeat, c1.slow_upload = 5, 600
    with Sandbox(300) as ory, connector(c1.environment(BATON_BASE_URL=ory.url), tmp_path) as running:
        task = c1.give()
        until(lambda: c1.count("UploadAsset"), "the upload")
        c1.front.stop()
        threading.Event().wait(30)
        c1.slow_upload = 0
        c1.front.start()
        assert outcome(c1, task, running) == (0, "")
        assert ids_in(c1.uploads[task][0], tmp_path) == ids_of(ory)
    assert c1.count("UploadAsset") == 2


def nine_failed_heartbeats_in_a_row_end_the_work(c1: FakeC1, tmp_path: Path) -> None:
    c1.trouble = lambda method, number: Code.UNAVAILABLE if method == "Heartbeat" and number > 1 else None
    with slow_project(40) as ory, connector(c1.environment(BATON_BASE_URL=ory.url, **ONE_BY_ONE), tmp_path) as running:
        assert outcome(c1, c1.give(), running) == (1, "9 heartbeats in a row failed.")
    assert c1.count("Heartbeat") == 10
    assert not c1.count("UploadAsset")


def kratos_is_gone_in_mid_sync_for_a_while(c1: FakeC1, tmp_path: Path) -> None:
    pages = {"TAP_ORY_PAGE_SIZE": "1", "TAP_ORY_CONCURRENCY": "1"}
    with run_kratos("v1.3.1", 1000) as kratos:
        with connector(c1.environment(BATON_BASE_URL=kratos.admin_url, **pages), tmp_path) as running:
            task = c1.give()
            until(lambda: "Users of identity schema" in running.output, "the first page")
            kratos.stop()
            until(lambda: "Try 2 follows" in running.output, "a request that failed")
            kratos.start()
            assert outcome(c1, task, running) == (0, "")
        assert ids_in(c1.uploads[task][0], tmp_path) == sorted(kratos.all_ids())


def polls_that_fail_are_repeated_ever_more_slowly(c1: FakeC1, tmp_path: Path) -> None:
    c1.trouble = lambda method, number: Code.INTERNAL if method == "GetTask" and number in {2, 3} else None
    with Sandbox(300) as ory, connector(c1.environment(BATON_BASE_URL=ory.url), tmp_path) as running:
        until(lambda: c1.count("GetTask") >= 4, "the fourth poll")
        assert outcome(c1, c1.give(), running) == (0, "")
    polls = [event.time for event in c1.events if event.method == "GetTask"]
    assert polls[2] - polls[1] > 0.9
    assert polls[3] - polls[2] > 3.9


def without_next_poll_there_is_no_busy_loop(c1: FakeC1, tmp_path: Path) -> None:
    c1.next_poll = None
    with connector(c1.environment(), tmp_path):
        until(lambda: c1.count("GetTask") >= 7, "seven polls")
    polls = [event.time for event in c1.events if event.method == "GetTask"]
    assert polls[6] - polls[0] >= 2.9


def a_token_end_point_that_is_down_for_a_while(c1: FakeC1, tmp_path: Path) -> None:
    c1.token_statuses.extend([503, 503])
    with Sandbox(300) as ory, connector(c1.environment(BATON_BASE_URL=ory.url), tmp_path) as running:
        assert outcome(c1, c1.give(), running) == (0, "")
    assert c1.count("token") == 3


def c1_never_answers_when_it_is_stopped(c1: FakeC1, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with connector(c1.environment(BATON_C1_API_HOST=address), tmp_path) as running:
            taken, _ = silent.accept()
            with taken:
                assert running.terminate() == 143


def as_many_tasks_at_a_time_as_are_allowed(c1: FakeC1, tmp_path: Path) -> None:
    with slow_project(6) as ory:
        variables = c1.environment(BATON_BASE_URL=ory.url, BATON_TASK_CONCURRENCY="2", **ONE_BY_ONE)
        with connector(variables, tmp_path) as running:
            tasks = [c1.give() for _ in range(3)]
            until(lambda: running.output.count("(sync_full) begins") == 2, "two reads")
            assert not c1.given(tasks[2])
            assert [outcome(c1, task, running) for task in tasks] == [(0, "")] * 3
    begun = {task: min(e.time for e in c1.events if (e.method, e.task_id) == ("Heartbeat", task)) for task in tasks}
    ended = {e.task_id: e.time for e in c1.events if e.method == "FinishTask"}
    assert begun[tasks[1]] < ended[tasks[0]]
    assert begun[tasks[2]] > min(ended[tasks[0]], ended[tasks[1]])


def kratos_is_gone_in_mid_sync_for_good(c1: FakeC1, tmp_path: Path) -> None:
    with ExitStack() as stack:
        ory = stack.enter_context(slow_project(10))
        with connector(c1.environment(BATON_BASE_URL=ory.url, **ONE_BY_ONE), tmp_path) as running:
            task = c1.give()
            until(lambda: ory.requests.count > 4, "the read")
            stack.close()
            until(lambda: "Try 3 follows" in running.output, "failed requests")
            beats = c1.count("Heartbeat", task)
            until(lambda: c1.count("Heartbeat", task) > beats + 1, "heartbeats all the while")
            c1.cancelled.add(task)
            assert outcome(c1, task, running)[0] == 1
    assert not c1.count("UploadAsset")


def cancelled_in_mid_read_no_request_is_made_any_more(c1: FakeC1, tmp_path: Path) -> None:
    with slow_project(30) as ory, connector(c1.environment(BATON_BASE_URL=ory.url, **ONE_BY_ONE), tmp_path) as running:
        task = c1.give()
        until(lambda: ory.requests.count > 4, "the read")
        c1.cancelled.add(task)
        assert outcome(c1, task, running) == (1, "C1 has cancelled the task.")
        made = ory.requests.count
        assert not list(running.temporary.iterdir())
        polls = c1.count("GetTask")
        until(lambda: c1.count("GetTask") > polls + 2, "further polls")
        assert ory.requests.count == made
    assert not c1.count("UploadAsset")


def finish_task_is_repeated(c1: FakeC1, tmp_path: Path) -> None:
    c1.trouble = lambda method, number: Code.UNAVAILABLE if method == "FinishTask" and number < 3 else None
    with Sandbox(300) as ory, connector(c1.environment(BATON_BASE_URL=ory.url), tmp_path) as running:
        assert outcome(c1, c1.give(), running) == (0, "")
    assert c1.count("FinishTask") == 3
    assert c1.count("UploadAsset") == 1


FAULTS: list[Callable[[FakeC1, Path], None]] = [
    a_day_of_service_leaves_nothing_behind,
    c1_is_gone_for_half_a_minute_in_mid_sync,
    c1_is_gone_for_half_a_minute_in_mid_upload,
    nine_failed_heartbeats_in_a_row_end_the_work,
    kratos_is_gone_in_mid_sync_for_a_while,
    polls_that_fail_are_repeated_ever_more_slowly,
    without_next_poll_there_is_no_busy_loop,
    a_token_end_point_that_is_down_for_a_while,
    c1_never_answers_when_it_is_stopped,
    as_many_tasks_at_a_time_as_are_allowed,
    kratos_is_gone_in_mid_sync_for_good,
    cancelled_in_mid_read_no_request_is_made_any_more,
    finish_task_is_repeated,
]


@pytest.fixture(scope="module")
def under_way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, "Future[None]"]]:
    """Let all of them happen, a few at the same time: most of it is waiting."""
    # Not in the threads: pytest's factory is not made for several at once.
    home = tmp_path_factory.mktemp("faults")

    def happen(fault: Callable[[FakeC1, Path], None]) -> None:
        directory = home / fault.__name__
        directory.mkdir()
        with fake_c1(directory) as c1:
            fault(c1, directory)

    with ThreadPoolExecutor(5) as pool:
        yield {fault.__name__: pool.submit(happen, fault) for fault in FAULTS}


@pytest.mark.parametrize("name", [fault.__name__ for fault in FAULTS])
def test_fault(under_way: dict[str, "Future[None]"], name: str) -> None:
    under_way[name].result()
