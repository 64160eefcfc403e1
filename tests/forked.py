"""Runs one command again and again without importing it each time: `python forked.py module:function`.

Each line of standard input is a run: a JSON object with `argv`, `environment` (added to ours) and the paths
`stdin`, `stdout` and `stderr`. Of each, two lines are written: the process id once it begins; once it is over the
exit code (negative: the signal) and the most memory it had, in KiB. A run is a fork of this process from before
any thread began, so it shares nothing with other runs but what importing left.

Uses the standard library only: it is run by the Python of whatever has the command installed.
"""

from __future__ import annotations

import importlib
import json
import operator
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


def main() -> None:
    # The folder of this file, whose folders bear the names of the packages that they test.
    del sys.path[0]
    module, _, name = sys.argv[1].partition(":")
    function = operator.attrgetter(name)(importlib.import_module(module))
    run = _serve()
    if run:
        _become(run)
        function()


def _serve() -> dict[str, Any]:
    """Fork for each line; return its run in the fork, and nothing here when there are no more."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            run: dict[str, Any] = json.loads(line)
            return run
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        _, status, used = os.wait4(pid, 0)
        # In KiB on Linux, in bytes on macOS.
        peak = used.ru_maxrss // (1024 if sys.platform == "darwin" else 1)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)} {peak}\n")
        sys.stdout.flush()
    return {}


def _become(run: dict[str, Any]) -> None:
    """Be as a process is that was started for this run."""
    flags = {"stdin": os.O_RDONLY, "stdout": os.O_WRONLY | os.O_CREAT, "stderr": os.O_WRONLY | os.O_CREAT}
    for number, (name, flag) in enumerate(flags.items()):
        opened = os.open(run[name], flag, 0o600)
        os.dup2(opened, number)
        os.close(opened)
        mode = "r" if name == "stdin" else "w"
        setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 a number
    sys.argv = run["argv"]
    os.environ.update(run["environment"])


if __name__ == "__main__":
    main()
