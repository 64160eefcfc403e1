"""A real Kratos restarted in mid-read, and Meltano runs that were cut: what was there throughout arrives.

Meltano runs a copy of the repository's own project, with a state and a table of its own for each test.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import patient_tap
from tests.faults.sandbox import FaultySandbox
from tests.forking import Forker
from tests.real.people import people
from tests.runs import TAP, TapRun, ids_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.real.server import Kratos, Release
    from tests.real.target_postgres import TargetPostgres

SECONDS = 60
PEOPLE = 3000


def wait_for(what: str, happened: Callable[[], Any]) -> None:
    """Wait until something has happened, look closely, and give up after a minute."""
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.005)


def test_a_real_server_restarts_while_identities_come_and_go(
    tmp_path: Path,
    start_kratos: Callable[[Release, int], Kratos],
    target_postgres: Callable[[str], TargetPostgres],
) -> None:
    kratos = start_kratos("v1.3.1", PEOPLE)
    target = target_postgres("restart")
    settings = {"base_url": kratos.admin_url, "page_size": 20, "concurrency": 4}
    with Forker(TAP) as forker:
        complete = TapRun(forker, tmp_path / "complete", settings, environment={patient_tap.CLOCK: "-100"}).output()
        assert complete.code == 0, complete.stderr
        target.load(complete.stdout)

        before = set(kratos.all_ids())
        run = TapRun(forker, tmp_path / "cut", settings, environment={patient_tap.PAUSE: "0.2"})
        wait_for("the first pages", lambda: run.stdout.read_bytes().count(b"\n") > 200)
        run.process.kill(signal.SIGSTOP)
        read = ids_of(run.stdout.read_bytes().split(b"\n")[:-1])
        assert 0 < len(read) < PEOPLE
        kratos.stop()
        run.process.kill(signal.SIGCONT)
        wait_for("a try that fails", lambda: b"Try 2 follows" in run.stderr.read_bytes())
        run.process.kill(signal.SIGSTOP)
        kratos.start()
        unread = sorted(before - set(read))
        for identity in [*read[:3], *unread[:2], unread[-1]]:
            kratos.delete(identity)
        for body in people(20, seed=7):
            kratos.create(body)
        run.process.kill(signal.SIGCONT)
        cut = run.output()
        assert cut.code == 0, cut.stderr
        after = set(kratos.all_ids())
        assert len(cut.ids) == len(set(cut.ids))
        assert before & after <= set(cut.ids)
        target.load(cut.stdout)
        assert before & after <= {row["id"] for row in target.rows(columns="id")}

        following = TapRun(forker, tmp_path / "next", settings, environment={patient_tap.CLOCK: "10"}).output()
        assert following.code == 0, following.stderr
        target.load(following.stdout)
    rows = [row["id"] for row in target.rows(columns="id")]
    assert sorted(rows) == sorted(kratos.all_ids())
    assert len(before - set(rows)) == 6


@pytest.fixture
def started(project: tuple[Path, TargetPostgres]) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts `meltano run` against a server; what is still running at the end of the test is ended."""
    processes = []

    def start(base_url: str) -> subprocess.Popen[str]:
        own = ("TAP_ORY_", "BATON_", "MELTANO_")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(own)},
            "TAP_ORY_BASE_URL": base_url,
            "TAP_ORY_PAGE_SIZE": "20",
        }
        command = [str(Path(sys.executable).with_name("meltano")), "run", "tap-ory", "target-postgres"]
        processes.append(
            subprocess.Popen(
                command, cwd=project[0], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
        )
        return processes[-1]

    yield start
    for process in processes:
        if process.poll() is None:
            process.terminate()
            process.communicate()


def syncing_tap(meltano: subprocess.Popen[str]) -> int | None:
    """The process id of the tap that this Meltano has started to read, not to discover."""
    for process in Path(f"/proc/{meltano.pid}/task").glob("*/children"):
        for pid in process.read_text().split():
            if "--catalog" in Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
                return int(pid)
    return None


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the tap through Linux's /proc")
@pytest.mark.parametrize("ending", ["the tap is killed", "the server turns the key away"])
def test_meltano_goes_on_with_a_run_that_was_cut(
    project: tuple[Path, TargetPostgres], started: Callable[[str], subprocess.Popen[str]], ending: str
) -> None:
    _, target = project
    killed = ending == "the tap is killed"
    # The tap writes a state every five seconds: the read takes longer, and is cut behind the first of them.
    pages = PEOPLE // 20
    fault = {"do": "status", "status": 401, "at": pages - 20}
    with FaultySandbox(PEOPLE, latency_ms=200, faults=[] if killed else [fault]) as sandbox:
        first = started(sandbox.url)
        if killed:
            wait_for("the most of a read", lambda: sandbox.requests.count > pages - 20)
            pid = syncing_tap(first)
            assert pid
            os.kill(pid, signal.SIGKILL)
        printed, _ = first.communicate(timeout=SECONDS)
        assert first.returncode != 0, printed
        asked = sandbox.requests.count
        second = started(sandbox.url)
        printed, _ = second.communicate(timeout=SECONDS)
        assert second.returncode == 0, printed
        assert "Going on with the read that began at" in printed
        assert sandbox.requests.count - asked < pages
        rows = [row["id"] for row in target.rows(columns="id")]
        assert sorted(rows) == sorted(identity["id"] for identity in sandbox.identities)
