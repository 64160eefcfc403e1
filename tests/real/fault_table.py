"""The fault matrix: each fault against the tap and a real target-postgres, and `docs/faults.md` of what came out.

For each fault a target that already holds a complete set is given the run with the fault, then runs without it
that go on from its state. `python -m tests.real.fault_table` writes the page anew.
"""

from __future__ import annotations

import json
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
- **Wrong**: records of the run that are not what an undisturbed read gives for the same identity; looked at for the
  stream `users`, which is made of the identity schemas.
- **At `/schemas`**: what the same fault does at the list of identity schemas, to a run that reads `users`: its exit
  code, and how many of its users are lost or wrong. A run that ended writes none.
- **Then**: whether the table is the same as the source: at the latest after the next run, which goes on from the
  state that the first one left.

| Fault | Exit | Version | Lost | Twice | Wrong | At `/schemas` | Then |
|---|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Aside:
    """What came of the same fault at the list of identity schemas, of a run that reads users."""

    output: Output
    lost: int
    wrong: int
    keys: frozenset[tuple[str, str | None]]

    def __str__(self) -> str:
        return f"{self.output.code}, {self.lost} lost, {self.wrong} wrong"


@dataclass(frozen=True)
class Line:
    """What came of one fault."""

    case: Case
    outputs: tuple[Output, ...]
    said: tuple[str, ...]
    activated: bool
    lost: int
    twice: int
    wrong: int
    same_in_the_end: bool
    at_schemas: Aside | None
    keys: frozenset[tuple[str, str | None]]

    def __str__(self) -> str:
        first = self.outputs[0]
        ended = f"{first.code}: {' '.join(self.said)}" if first.code else "0"
        version = "activated" if self.activated else "kept"
        then = "the same" if self.same_in_the_end else "**not the same**"
        wrong = self.wrong if self.case.stream == "users" else "-"
        aside = self.at_schemas or "-"
        return f"| {self.case.name} | {ended} | {version} | {self.lost} | {self.twice} | {wrong} | {aside} | {then} |"


class Matrix:
    """Runs faults: some at once, each with a server and a table of its own."""

    def __init__(self, postgres: Postgres, taps: Forkers, targets: Forkers, home: Path) -> None:
        self._postgres, self._taps, self._targets, self._home = postgres, taps, targets, home
        self._complete = TargetPostgres(postgres, targets, "complete")
        for stream in ("identities", "users"):
            with Sandbox(PEOPLE) as sandbox:
                # Of some time ago, so that no other run has the same version.
                complete = self.run(f"complete-{stream}", sandbox, stream, clock=-100)
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
        stream: str = "identities",
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
            return TapRun(tap, self._home / name, settings, state, environment, select=stream).output()

    def _line(self, number: int, case: Case) -> Line:
        target = TargetPostgres(self._postgres, self._targets, f"fault_{number}")
        stream = case.stream
        target.copy_of(self._complete, stream)
        had = set(_ids(target, stream))
        with FaultySandbox(PEOPLE, manner=case.manner, faults=case.faults) as sandbox:
            _change(sandbox)
            before = _source(sandbox)
            # With all that it can say: the key must be in none of it.
            circumstances: dict[str, Any] = {"timeout": case.timeout, "pause": case.pause, "log_level": "debug"}
            first = self.run(f"{number}-0", sandbox, stream, clock=case.clocks[0], **circumstances)
            keys = _keys(sandbox)
            after = _source(sandbox)
            target.load(b"\n".join(first.lines) + b"\n")
            wanted = before & after if first.code == 0 else had & before & after
            ids = _ids(target, stream)
            lost, twice = len(wanted - set(ids)), _repeated(ids) + _repeated(first.ids)
            outputs, same = [first], _same(target, sandbox, first, stream)
            # The same address without the fault: what the state of the first run is good for.
            sandbox.mend()
            for again, clock in enumerate(case.clocks[1:], 1):
                if same:
                    break
                outputs.append(self.run(f"{number}-{again}", sandbox, stream, state=outputs[-1].state, clock=clock))
                target.load(outputs[-1].stdout)
                lost += len(wanted - set(_ids(target, stream)))
                same = _same(target, sandbox, outputs[-1], stream)
            wrong = self._wrong(f"{number}", sandbox, outputs) if stream == "users" else 0
        return Line(
            case,
            tuple(outputs),
            tuple(_anonymous(error) for error in first.errors),
            any(map(is_activation, first.lines)),
            lost,
            twice,
            wrong,
            same,
            self._at_schemas(number, case) if case.at_schemas else None,
            keys,
        )

    def _at_schemas(self, number: int, case: Case) -> Aside:
        """Read users from a server whose list of identity schemas has the fault."""
        with FaultySandbox(PEOPLE, faults=case.at_schemas) as sandbox:
            output = self.run(
                f"{number}-schemas", sandbox, "users", timeout=case.timeout, pause=case.pause, log_level="debug"
            )
            keys = _keys(sandbox)
            lost = len(_source(sandbox) - set(output.ids)) if output.code == 0 else 0
            sandbox.mend()
            return Aside(output, lost, self._wrong(f"{number}-schemas", sandbox, [output]), keys)

    def _wrong(self, name: str, sandbox: Sandbox, outputs: list[Output]) -> int:
        """How many records are not what an undisturbed read of the same people gives."""
        right = _records(self.run(f"{name}-undisturbed", sandbox, "users"))
        return sum(
            record != right[identity]
            for output in outputs
            for identity, record in _records(output).items()
            if identity in right
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


def _ids(target: TargetPostgres, stream: str) -> list[str]:
    return [row["id"] for row in target.rows(stream, columns="id")]


def _records(output: Output) -> dict[str, Any]:
    messages = [json.loads(line) for line in output.lines if line.startswith(b'{"type":"RECORD"')]
    return {message["record"]["id"]: message["record"] for message in messages}


def _keys(sandbox: Sandbox) -> frozenset[tuple[str, str | None]]:
    """What was sent as a key, and to whom."""
    return frozenset((seen.role, seen.headers.get("authorization")) for seen in [*sandbox.requests.log])


def _same(target: TargetPostgres, sandbox: Sandbox, output: Output, stream: str) -> bool:
    """Whether a run succeeded, and the table has the same rows as the source."""
    return output.code == 0 and sorted(_ids(target, stream)) == sorted(_source(sandbox))


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
