"""Many runs of one command without the seconds that its imports take; see `tests/forked.py`.

Knows nothing of what the command is.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Queue
from types import TracebackType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing_extensions import Self

ROOT: Final = Path(__file__).parents[1]


class Run:
    """A process under way; `peak_kib` is the most memory that it had, once it is over."""

    def __init__(self, server: "subprocess.Popen[str]") -> None:
        self._server = server
        self.pid = int(self._line())
        self.peak_kib = 0
        self._code: int | None = None

    def kill(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if the process is over already."""
        if self._code is None:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def is_there(self) -> bool:
        """Whether the process is still there."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def wait(self) -> int:
        """Return the exit code once it is over; the negative number of a signal that ended it."""
        if self._code is None:
            code, peak = self._line().split()
            self._code, self.peak_kib = int(code), int(peak)
        return self._code

    def _line(self) -> str:
        assert self._server.stdout
        return self._server.stdout.readline()


class Forker:
    """Runs one command, one run at a time, from `with` to the end of the block."""

    def __init__(self, function: str, python: Path = Path(sys.executable)) -> None:
        """`function` is the command, `module:function`; `python` has it installed."""
        self._command = [str(python), str(Path(__file__).with_name("forked.py")), function]

    def __enter__(self) -> "Self":
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._server = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._server.communicate()

    def start(
        self,
        argv: Sequence[str],
        *,
        stdout: Path,
        stderr: Path,
        stdin: Path = Path(os.devnull),
        environment: Mapping[str, str] | None = None,
    ) -> Run:
        """Begin a run; `wait` for it before the next."""
        run = {
            "argv": [*argv],
            "environment": dict(environment or {}),
            "stdin": str(stdin),
            "stdout": str(stdout),
            "stderr": str(stderr),
        }
        assert self._server.stdin
        self._server.stdin.write(json.dumps(run) + "\n")
        self._server.stdin.flush()
        return Run(self._server)


class Forkers:
    """Some forkers of one command, for as many threads."""

    def __init__(self, number: int, function: str, python: Path = Path(sys.executable)) -> None:
        self._free: Queue[Forker] = Queue()
        self._opened = ExitStack()
        for _ in range(number):
            self._free.put(self._opened.enter_context(Forker(function, python)))

    @contextmanager
    def one(self) -> Iterator[Forker]:
        """One of them, nobody else's meanwhile."""
        forker = self._free.get()
        try:
            yield forker
        finally:
            self._free.put(forker)

    def close(self) -> None:
        """End them all."""
        self._opened.close()
