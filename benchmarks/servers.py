"""The servers that are read: the sandbox in a process of its own, and a real Ory Kratos."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks.environments import CACHE
from benchmarks.measure import ALL_CPUS, SERVER_CPUS, pinned
from tests.real.server import Kratos

if TYPE_CHECKING:
    from typing_extensions import Self

SECONDS_TO_STOP = 10


class Servers:
    """Starts servers as they are asked for, keeps them, and ends them with the block."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._sandboxes: dict[tuple[int, float, str, str], str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def sandbox(self, identities: int, *, latency_ms: float = 0, names: str = "mixed", manner: str = "v1.3") -> str:
        """The URL of a sandbox that behaves like a server of that manner; for `names` see there."""
        wanted = identities, latency_ms, names, manner
        if wanted not in self._sandboxes:
            options = ("--latency-ms", str(latency_ms), "--names", names, "--manner", manner)
            self._sandboxes[wanted] = self._start(identities, *options)[0]
        return self._sandboxes[wanted]

    def tuples(self, number: int) -> str:
        """The URL of a sandbox that behaves like Keto v0.13."""
        return self._start(number // 10, "--tuples", str(number))[3]

    def sessions(self, number: int, people: int) -> str:
        """The URL of a server with so many sessions as no sandbox holds."""
        command = [sys.executable, "-m", "benchmarks.many_sessions", str(number), str(people)]
        with pinned(SERVER_CPUS):
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._stack.callback(_stop, process)
        return process.stdout.readline().strip() if process.stdout else ""

    def _start(self, identities: int, *options: str) -> list[str]:
        """Start a sandbox and return its URLs."""
        command = [sys.executable, "-m", "ory_sandbox", "--identities", str(identities), *options]
        with pinned(SERVER_CPUS):
            process = subprocess.Popen(
                [*command, "--cache-dir", str(CACHE / "people")], stdout=subprocess.PIPE, text=True
            )
        self._stack.callback(_stop, process)
        urls = [process.stdout.readline().strip() for _ in range(4)] if process.stdout else []
        if not all(urls):
            message = "the sandbox did not start"
            raise RuntimeError(message)
        return urls

    def kratos(self, identities: int) -> str:
        """The URL of a real Kratos v1.3.1 with so many people in it; it may use every CPU.

        Raises:
            ServerUnavailableError: None can be built here.
        """
        with pinned(ALL_CPUS):
            return self._stack.enter_context(Kratos("v1.3.1", identities)).admin_url


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
