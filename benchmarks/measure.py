"""What a command costs: CPU of the whole process tree, wall time, peak memory. Knows nothing of taps. Linux only."""

from __future__ import annotations

import os
import subprocess
import sys
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
#: What a pipe may hold: a block of lines and more, so that who writes it does not wait for who reads.
PIPE_BYTES = 1024 * 1024
#: Starts a command and tells what it cost. A process of its own, as Linux counts what the parent held into the peak
#: memory of its child, and this one holds next to nothing.
LAUNCHER = """
import os, sys, time
os.set_inheritable(int(sys.argv[1]), False)
began = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ), 0)
wall = time.perf_counter() - began
told = (os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)
os.write(int(sys.argv[1]), ' '.join(map(str, told)).encode())
"""


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU (user and system, with all descendants), seconds on the clock, peak resident MB of one process."""

    cpu: float
    wall: float
    peak_mb: float


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
    reading, writing = os.pipe()
    launcher = [sys.executable, "-E", "-S", "-c", LAUNCHER, str(writing), *map(str, command)]
    with open(output or os.devnull, "wb") as out, tempfile.TemporaryFile() as err:  # noqa: PTH123
        with os.fdopen(reading, "rb") as told, pinned(cpus):
            done = subprocess.run(launcher, stdout=out, stderr=err, env=environment, pass_fds=[writing], check=False)
            os.close(writing)
            code, *cost = told.read().split() or [b"%d" % done.returncode]
        if int(code):
            err.seek(0)
            said = err.read().decode(errors="replace")[-2000:]
            message = f"{' '.join(map(str, command))} ended with {int(code)}: {said}"
            raise RuntimeError(message)
    return Cost(*map(float, cost))


def cpu_after_first(line: bytes, command: Sequence[str | Path], *, environment: Mapping[str, str]) -> float:
    """Run a command to its end; give its CPU seconds from the first line with `line` in it: without its start-up.

    What it prints goes through a pipe and nowhere. A start-up costs ten times what a short read does, so that its
    noise would hide it: it is left out too.

    Raises:
        RuntimeError: It failed, or there was no such line.
    """
    with pinned(CLIENT_CPUS):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, bufsize=0, pipesize=PIPE_BYTES
        )
    with pinned(SERVER_CPUS), process.stdout as out:  # type: ignore[union-attr]
        seen = b""
        while line not in seen and (piece := out.read(PIPE_BYTES)):
            seen = seen[-len(line) :] + piece
        # The CPU clock of another process, as clock_getcpuclockid(3) makes it on Linux.
        began = time.clock_gettime(~process.pid << 3 | 2) if line in seen else None
        while out.read(PIPE_BYTES):
            pass
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or began is None:
        message = f"{' '.join(map(str, command))} ended with {process.returncode}, or without {line!r}"
        raise RuntimeError(message)
    return usage.ru_utime + usage.ru_stime - began
