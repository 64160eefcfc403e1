"""A Spark session in a process of its own, asked by lines of JSON: see `jobs.py`."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.command import KEY, clean_environment
from tests.real.targets import venv

if TYPE_CHECKING:
    from typing_extensions import Self

ROOT = Path(__file__).parents[2]
#: Four tasks at once, each tried up to four times, as on a cluster.
MASTER = "local[4,4]"


class Spark:
    """A session, from `with` to the end of the block."""

    def __init__(self, directory: Path) -> None:
        """`directory` gets the event log and what Spark says.

        Raises:
            NotInstalledError: if PySpark cannot be had.
        """
        self.events, self.log = directory / "events", directory / "log"
        self._python = venv("spark") / "bin" / "python"

    def __enter__(self) -> Self:
        """Start it."""
        self.events.mkdir()
        environment = {
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).with_name("hurried"))]),
            "PYSPARK_PYTHON": str(self._python),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "TAP_ORY_API_TOKEN": KEY,
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [self._python, Path(__file__).with_name("jobs.py"), MASTER, self.events],
                env=clean_environment(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._answer()
        return self

    def __exit__(self, *_: object) -> None:
        """Let it end, which completes its event log."""
        self.process.communicate(timeout=60)

    def ask(self, do: str, **question: Any) -> dict[str, Any]:
        """Have something done, and return what came of it."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"do": do, **question}) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def workers(self) -> list[int]:
        """The process ids of all Python workers that are there."""
        parents = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    command = (entry / "cmdline").read_bytes()
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                except OSError:
                    continue
                if b"pyspark.daemon" in command:
                    parents[int(entry.name)] = parent
        # Those that the daemon forked; itself it is no worker.
        return [pid for pid, parent in parents.items() if parent in parents and self._is_ours(parents[parent])]

    def _is_ours(self, pid: int) -> bool:
        while pid > 1:
            if pid == self.process.pid:
                return True
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        return False

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.log.read_text(errors="replace")[-4000:]
        answer: dict[str, Any] = json.loads(line)
        return answer


def has_java() -> bool:
    """Whether there is a Java to run Spark on."""
    try:
        return subprocess.run(["java", "-version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def required() -> bool:
    """Whether a missing Spark is an error here."""
    return bool(os.environ.get("CI"))
