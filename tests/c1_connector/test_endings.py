"""SIGTERM at any moment, and a day of service: nothing half arrives, and nothing grows."""

import random
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from ory_sandbox import Sandbox
from tests.c1_connector.connector import Connector, connector, ids_in, until
from tests.c1_connector.fake_c1 import FakeC1, fake_c1
from tests.c1_connector.test_faults import ids_of

MOMENTS = 20
#: Each moment is up to a second after the first call of one of these.
STAGES = ("token", "GetTask", "Heartbeat", "UploadAsset", "FinishTask")
#: A sync an hour, a poll every ten seconds; all of it as fast as it goes.
SYNCS = 24
POLLS = 24 * 3600 // 10
WARM_UP = 4
HURRIED = """
from c1_connector import service, tasks
service.MIN_POLL, tasks.MIN_HEARTBEAT = 0.001, 0.1
from c1_connector.command import run
run()
"""
MIB = 1 << 20


def test_sigterm_at_any_moment(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    moments = [random.Random(seed + number).uniform(0, 1) for number in range(MOMENTS)]

    def stop_after(number: int) -> str:
        directory = tmp_path / str(number)
        directory.mkdir()
        with fake_c1(directory) as c1, connector(c1.environment(BATON_BASE_URL=ory.url), directory) as running:
            task = c1.give()
            until(lambda: c1.count(STAGES[number % len(STAGES)]), "the stage")
            threading.Event().wait(moments[number])
            code = running.terminate()
            assert code == 143, (seed, number, code, running.output)
            assert not list(running.temporary.iterdir()), (seed, number)
            return _ending(c1, task, running, directory)

    with Sandbox(300, latency_ms=5) as ory, ThreadPoolExecutor(3) as pool:
        endings = list(pool.map(stop_after, range(MOMENTS)))
        whole = ids_of(ory)
    assert whole
    # The moments are no use if they all fall into the same part of a life.
    assert len(set(endings)) > 1, (seed, endings)


def _ending(c1: FakeC1, task: str, running: Connector, directory: Path) -> str:
    """How a task stood when the connector was stopped; what has arrived is whole, what began was given back."""
    for body in c1.uploads[task]:
        assert len(ids_in(body, directory)) == 300
    if not c1.count("Heartbeat", task):
        assert not c1.finished[task]
        return "not begun"
    (finish,) = c1.finished[task]
    if finish.WhichOneof("final_state") == "success":
        assert c1.uploads[task], running.output
        return "done"
    assert finish.status.code == 1
    assert not finish.error.non_retryable
    return "given back"


class Size(NamedTuple):
    """What a process holds."""

    memory: int
    threads: int
    descriptors: int
    temporary: int


def _size(running: Connector) -> Size:
    process = Path(f"/proc/{running.process.pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return Size(
        int(status["VmRSS"].split()[0]) * 1024,
        int(status["Threads"]),
        len(list((process / "fd").iterdir())),
        len(list(running.temporary.rglob("*"))),
    )


def a_day_of_service_leaves_nothing_behind(c1: FakeC1, tmp_path: Path) -> None:
    """A test that runs beside the slow faults."""
    c1.token_life = 12  # renewed every other second, as if it were an hour
    c1.next_poll, c1.next_heartbeat = 0.001, 0.1
    hurried = (sys.executable, "-c", HURRIED)
    with Sandbox(300) as ory, connector(c1.environment(BATON_BASE_URL=ory.url), tmp_path, command=hurried) as running:

        def serve(number: int) -> None:
            for _ in range(number):
                task = c1.give()
                c1.give("hello")
                refused = c1.give("grant")
                until(lambda task=task, refused=refused: c1.finished[task] and c1.finished[refused], "a sync")  # type: ignore[misc]
                assert c1.finished[task][0].WhichOneof("final_state") == "success", running.output
                assert len(c1.uploads.pop(task)) == 1

        serve(WARM_UP)
        before = _size(running)
        serve(SYNCS)
        until(lambda: c1.count("GetTask") >= POLLS, "a day's polls")
        until(lambda: _size(running).threads <= before.threads, "the end of the last task's threads")
        after = _size(running)
    assert c1.count("token") > 5
    assert after.memory - before.memory < 3 * MIB, (before, after)
    assert after.descriptors <= before.descriptors, (before, after)
    assert after.temporary == before.temporary == 0
