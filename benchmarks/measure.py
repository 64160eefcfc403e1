"""What a command costs: CPU of the whole process tree, wall time, peak memory. Knows nothing of taps. Linux only."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

ALL_CPUS = sorted(os.sched_getaffinity(0))
#: Who serves has a CPU of its own, so that a client's time is the client's.
SERVER_CPUS = ALL_CPUS[-1:]
CLIENT_CPUS = ALL_CPUS[:-1] or ALL_CPUS


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU (user and system, with all descendants), seconds on the clock, peak resident MB of one process.

    A process is counted with what its parent held when it was forked, so who measures has to stay small.
    """

    cpu: float
    wall: float
    peak_mb: float


def own_peak_mb() -> float:
    """The peak resident MB of this process: nothing smaller can be measured."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def pinned(cpus: Collection[int]) -> Iterator[None]:
    """Let processes that this thread starts meanwhile run on these CPUs only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def run(
    command: Sequence[str | Path],
    *,
    output: Path | None = None,
    environment: Mapping[str, str] | None = None,
    cpus: Collection[int] = CLIENT_CPUS,
) -> Cost:
    """Run a command to its end; what it prints goes into `output`, or nowhere.

    Raises:
        RuntimeError: It failed; with the end of what it said on stderr.
    """
    with open(output or os.devnull, "wb") as out, tempfile.TemporaryFile() as err:  # noqa: PTH123
        began = time.perf_counter()
        with pinned(cpus):
            process = subprocess.Popen(command, stdout=out, stderr=err, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            err.seek(0)
            said = err.read().decode(errors="replace")[-2000:]
            message = f"{' '.join(map(str, command))} ended with {process.returncode}: {said}"
            raise RuntimeError(message)
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)
