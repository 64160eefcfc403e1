"""The tap ended at any moment: by kill -9, by signals, by a reader that goes away. Nothing is lost by it.

What counts as arrived is what a target has acknowledged: the lines up to the last whole STATE. The random moments
are of a seed that each failure names.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import pytest

from ory_sandbox import Sandbox
from tests import patient_tap
from tests.forking import Forkers
from tests.runs import TAP, Output, TapRun, ids_of, is_activation, is_state
from tests.stuck import wait_until_stuck

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PEOPLE: Final = 20_000
KILLS: Final = 200
PROCESSES: Final = 3
VERSION: Final = re.compile(rb'"version":(\d+)')


class Runs:
    """Runs against one server, some at once, each cut at a moment of its own."""

    def __init__(self, sandbox: Sandbox, taps: Forkers, home: Path) -> None:
        self._sandbox, self._taps, self._home = sandbox, taps, home
        self._settings = {"base_url": sandbox.url, "page_size": 500, "concurrency": 4}
        self.ids = {identity["id"] for identity in sandbox.identities}
        whole = self.run("whole", 0)
        self.size = len(whole.stdout)
        assert whole.code == 0, whole.stderr
        assert set(whole.ids) == self.ids

    def run(
        self,
        name: str,
        clock: int,
        state: dict[str, Any] | None = None,
        end: tuple[signal.Signals, float, float] | None = None,
    ) -> Output:
        """Run the tap, and if told to end it by a signal: so many seconds after it has written more than a share.

        The share is of what a whole read writes; of none, however little, the moment may be before the first line.
        """
        home = self._home / name
        environment = {patient_tap.CLOCK: str(clock), patient_tap.STATE_INTERVAL: "0.05"}
        with self._taps.one() as forker:
            run = TapRun(forker, home, self._settings, state, environment)
            if end:
                number, share, seconds = end
                while run.process.is_there() and run.stdout.stat().st_size <= share * self.size:
                    time.sleep(0.002)
                threading.Event().wait(seconds)
                run.process.kill(number)
            output = run.output()
        shutil.rmtree(home)
        return output


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    taps = Forkers(PROCESSES, TAP)
    with Sandbox(PEOPLE, latency_ms=40) as sandbox:
        yield Runs(sandbox, taps, tmp_path_factory.mktemp("kill"))
    taps.close()


def in_parallel(function: Any, seeds: range) -> list[Any]:
    with ThreadPoolExecutor(PROCESSES) as threads:
        return [*threads.map(function, seeds)]


def versions(lines: list[bytes]) -> dict[str, bytes]:
    """The version of each record, by id; the last one counts, as it does in a table."""
    found = ((line, VERSION.search(line, line.rfind(b',"version":'))) for line in lines)
    return {identity: version[1] for line, version in found if version for identity in ids_of([line])}


def test_killed_at_any_moment(runs: Runs) -> None:
    """`kill -9`, once or twice, then a run to the end: the union of what arrived is everything."""

    def attempt(seed: int) -> tuple[int, bool]:
        rng = random.Random(seed)
        table: dict[str, bytes] = {}
        state = None
        resumed = False
        kills = rng.choice((1, 1, 2))
        for number in range(kills + 1):
            # By what it has written, as a slow machine takes any time for that.
            share = rng.uniform(-0.1, 1)
            end = None if number == kills else (signal.SIGKILL, share, rng.uniform(0, 0.5 if share < 0 else 0.05))
            # Each run at another time, so that each has another version unless it goes on with one.
            output = runs.run(f"{seed}-{number}", 10 * number, state, end)
            activations = [place for place, line in enumerate(output.lines) if is_activation(line)]
            for place in activations:
                activated = VERSION.search(output.lines[place])
                held = {**table, **versions(output.lines[:place])}
                assert activated, seed
                # Whoever activates a version deletes all rows of another one.
                assert {identity for identity, version in held.items() if version == activated[1]} == runs.ids, seed
            table.update(versions(output.acknowledged))
            resumed = resumed or "Going on with the read" in output.stderr
            state = output.state or state
            if number == kills:
                assert output.code == 0, (seed, output.stderr)
                assert set(table) == runs.ids, seed
                assert len(activations) == 1, seed
        return kills, resumed

    attempts = in_parallel(attempt, range(KILLS))
    # Many moments were in the middle of a read, or this has shown nothing.
    assert sum(resumed for _, resumed in attempts) > KILLS // 4


@pytest.mark.parametrize(("number", "code", "times"), [(signal.SIGTERM, 143, KILLS), (signal.SIGINT, 130, KILLS // 10)])
def test_ended_by_a_signal(runs: Runs, number: signal.Signals, code: int, times: int) -> None:
    """The block at hand is finished and the state written: what is left comes in the next run, and only that."""

    def attempt(seed: int) -> bool:
        rng = random.Random(seed)
        first = runs.run(f"{number}-{seed}-0", 0, None, (number, rng.uniform(0, 0.7), rng.uniform(0, 0.05)))
        assert is_state(first.lines[-1]), seed
        if first.code in {0, -number}:
            # It came after the last line, in the first case even after Python's own handling of signals.
            assert set(first.ids) == runs.ids, seed
            assert any(map(is_activation, first.lines)), seed
            return False
        assert first.code == code, (seed, first.stderr)
        assert first.stdout.endswith(b"\n"), seed
        assert not any(map(is_activation, first.lines)) or set(first.ids) == runs.ids, seed
        assert first.errors == [], seed
        second = runs.run(f"{number}-{seed}-1", 10, first.state)
        assert second.code == 0, (seed, second.stderr)
        if first.state and first.state["bookmarks"]["identities"].get("snapshot"):
            assert sorted(first.ids + second.ids) == sorted(runs.ids), seed
        else:
            assert set(second.ids) == runs.ids, seed
        return True

    assert sum(in_parallel(attempt, range(times))) > times // 2


def tap(tmp_path: Path, url: str, *, unbuffered: bool = False, **settings: Any) -> subprocess.Popen[bytes]:
    """A run of the command itself, whose output the test reads."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"base_url": url, **settings}))
    command = [sys.executable, "-m", "tap_ory", "--config", str(config)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1" if unbuffered else ""}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    with Sandbox(5000) as sandbox, tap(tmp_path, sandbox.url) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith(b'{"type":"SCHEMA"')
        process.stdout.close()
        errors = process.stderr.read().decode()
        assert process.wait(30) == 141
    assert "ERROR" not in errors
    assert "Traceback" not in errors
    assert "BrokenPipe" not in errors


@pytest.mark.parametrize("unbuffered", [False, True])
def test_a_signal_cuts_no_block(tmp_path: Path, unbuffered: bool) -> None:  # noqa: FBT001
    with Sandbox(5000) as sandbox, tap(tmp_path, sandbox.url, unbuffered=unbuffered) as process:
        assert process.stdout
        lines = [process.stdout.readline()]
        wait_until_stuck(sandbox)
        process.send_signal(signal.SIGTERM)
        lines += process.stdout.read().splitlines()
        assert process.wait(30) == 143
    messages = [json.loads(line) for line in lines]
    assert [message["type"] for message in messages[-2:]] == ["RECORD", "STATE"]
    assert len(ids_of(lines)) % 500 == 0


@pytest.mark.parametrize("unbuffered", [False, True])
def test_a_second_signal_does_not_wait_for_a_reader_that_is_stuck(tmp_path: Path, unbuffered: bool) -> None:  # noqa: FBT001
    with Sandbox(5000) as sandbox, tap(tmp_path, sandbox.url, unbuffered=unbuffered) as process:
        assert process.stdout
        assert process.stdout.readline().startswith(b'{"type":"SCHEMA"')
        wait_until_stuck(sandbox)
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 143
