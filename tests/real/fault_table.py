"""The fault matrix: each fault against the tap and a real target-postgres, and `docs/faults.md` of what came out.

For each fault a target that already holds a complete set is given the run with the fault, then runs without it
that go on from its state. `python -m tests.real.fault_table` writes the page anew.
"""

from __future__ import annotations

import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ory_sandbox import Sandbox
from tests import patient_tap
from tests.faults.sandbox import FaultySandbox
from tests.forking import Forkers
from tests.real.fault_cases import CASES, Case
from tests.real.postgres import Postgres
from tests.real.target_postgres import TargetPostgres, forked_targets
from tests.runs import TAP, Output, TapRun, is_activation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE: Final = Path(__file__).parents[2] / "docs" / "faults.md"
KEY: Final = "ory_pat_never_to_be_seen_again"
PEOPLE: Final = 400
PROCESSES: Final = 3
HEAD: Final = """# What goes wrong, and what then

Made by `python -m tests.real.fault_table`; a test does the same and compares. Each line is a server with {people}
identities, 4 readers and pages of 20, and a target-postgres with `hard_delete` whose table held a complete set
before; then some identities were deleted and some created. The fault hits the fifth request unless its name says
otherwise.

- **Exit**: the tap's exit code, with the one line that it said if that was not 0.
- **Version**: whether the run activated its version, which deletes from the table what it did not bring.
- **Lost**: rows that the source has and the table lacks: of those that existed throughout the run if it succeeded,
  of those that the table had before if it failed.
- **Twice**: rows that are in the table, or came out of the run, more than once.
- **Then**: whether the table is the same as the source: at the latest after the next run, which goes on from the
  state that the first one left.

| Fault | Exit | Version | Lost | Twice | Then |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Line:
    """What came of one fault."""

    case: Case
    outputs: tuple[Output, ...]
    said: tuple[str, ...]
    activated: bool
    lost: int
    twice: int
    same_in_the_end: bool

    def __str__(self) -> str:
        first = self.outputs[0]
        ended = f"{first.code}: {' '.join(self.said)}" if first.code else "0"
        version = "activated" if self.activated else "kept"
        then = "the same" if self.same_in_the_end else "**not the same**"
        return f"| {self.case.name} | {ended} | {version} | {self.lost} | {self.twice} | {then} |"


class Matrix:
    """Runs faults: some at once, each with a server and a table of its own."""

    def __init__(self, postgres: Postgres, taps: Forkers, targets: Forkers, home: Path) -> None:
        self._postgres, self._taps, self._targets, self._home = postgres, taps, targets, home
        self._complete = TargetPostgres(postgres, targets, "complete")
        with Sandbox(PEOPLE) as sandbox:
            # Of some time ago, so that no other run has the same version.
            complete = self.run("complete", sandbox, clock=-100)
        assert complete.code == 0, complete.stderr
        self._complete.load(complete.stdout)

    def lines(self) -> list[Line]:
        """Every case's line, in order."""
        with ThreadPoolExecutor(PROCESSES) as threads:
            return [*threads.map(self._line, range(len(CASES)), CASES)]

    def run(  # noqa: PLR0913 the circumstances of a run
        self,
        name: str,
        sandbox: Sandbox,
        *,
        state: Mapping[str, Any] | None = None,
        clock: float = 0,
        timeout: float = 60,
        pause: float = 0.05,
        log_level: str = "info",
    ) -> Output:
        """Run the tap and wait for its end."""
        settings = {"base_url": sandbox.url, "api_token": KEY, "page_size": 20, "request_timeout": timeout}
        environment = {
            patient_tap.CLOCK: str(clock),
            patient_tap.PAUSE: str(pause),
            "TAP_ORY_LOGLEVEL": log_level,
        }
        with self._taps.one() as tap:
            return TapRun(tap, self._home / name, settings, state, environment).output()

    def _line(self, number: int, case: Case) -> Line:
        target = TargetPostgres(self._postgres, self._targets, f"fault_{number}")
        target.copy_of(self._complete)
        had = set(_ids(target))
        with FaultySandbox(PEOPLE, manner=case.manner, faults=case.faults) as sandbox:
            _change(sandbox)
            before = _source(sandbox)
            first = self.run(f"{number}-0", sandbox, clock=case.clocks[0], timeout=case.timeout, pause=case.pause)
            after = _source(sandbox)
            target.load(b"\n".join(first.lines) + b"\n")
            wanted = before & after if first.code == 0 else had & before & after
            lost, twice = len(wanted - set(_ids(target))), _repeated(_ids(target)) + _repeated(first.ids)
            outputs, same = [first], _same(target, sandbox, first)
            # The same address without the fault: what the state of the first run is good for.
            sandbox.mend()
            for again, clock in enumerate(case.clocks[1:], 1):
                if same:
                    break
                outputs.append(self.run(f"{number}-{again}", sandbox, state=outputs[-1].state, clock=clock))
                target.load(outputs[-1].stdout)
                lost += len(wanted - set(_ids(target)))
                same = _same(target, sandbox, outputs[-1])
        return Line(
            case,
            tuple(outputs),
            tuple(_anonymous(error) for error in first.errors),
            any(map(is_activation, first.lines)),
            lost,
            twice,
            same,
        )


def render(lines: list[Line]) -> str:
    """The page, as Markdown."""
    return HEAD.format(people=PEOPLE) + "".join(f"{line}\n" for line in lines)


@contextmanager
def matrix(postgres: Postgres) -> Iterator[Matrix]:
    """A matrix on a running server, ready to be run."""
    with ExitStack() as opened:
        home = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        taps, targets = Forkers(PROCESSES, TAP), forked_targets(2)
        opened.callback(taps.close)
        opened.callback(targets.close)
        yield Matrix(postgres, taps, targets, home)


def _change(sandbox: Sandbox) -> None:
    """What happened at the source since the complete run: some were deleted, some created."""
    for place in (300, 200, 3):
        sandbox.delete(sandbox.identities[place]["id"])
    for number in range(3):
        identity = f"{number * 7:x}0000000-0000-4000-8000-00000000000{number}"
        sandbox.put({"id": identity, "traits": {"email": f"new-{number}@example.com"}})


def _source(sandbox: Sandbox) -> set[str]:
    return {identity["id"] for identity in sandbox.identities}


def _ids(target: TargetPostgres) -> list[str]:
    return [row["id"] for row in target.rows(columns="id")]


def _same(target: TargetPostgres, sandbox: Sandbox, output: Output) -> bool:
    """Whether a run succeeded, and the table has the same rows as the source."""
    return output.code == 0 and sorted(_ids(target)) == sorted(_source(sandbox))


def _repeated(ids: list[str]) -> int:
    return len(ids) - len(set(ids))


def _anonymous(error: str) -> str:
    """An error line without time, port and ids: between which of them depends on how the readers met."""
    for pattern, words in (
        (r"^.*?\| ERROR +\| [^|]* \| ", ""),
        (r"http://127\.0\.0\.1:\d+", "{base_url}"),
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "{id}"),
    ):
        error = re.sub(pattern, words, error)
    return error


def main() -> None:
    with Postgres() as postgres, matrix(postgres) as faults:
        PAGE.write_text(render(faults.lines()), encoding="utf-8")


if __name__ == "__main__":
    main()
