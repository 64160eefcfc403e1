"""Runs of the tap: settings and a state in; lines, states and an exit code out. Quick, as each is a fork.

Knows what the lines of Singer are, and nothing of what a test expects in them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests import patient_tap
from tests.forking import Forker, Run

TAP = "tests.patient_tap:main"
RECORD = re.compile(rb'\{"type":"RECORD","stream":"(?:identities|users)","record":\{"id":"([0-9a-f-]{36})"')
TRACEBACK = "Traceback (most recent call last):"


@dataclass(frozen=True)
class Output:
    """What a run has written, up to its last whole line, and how it ended (None: not yet)."""

    stdout: bytes
    stderr: str
    code: int | None
    peak_kib: int = 0

    @cached_property
    def lines(self) -> list[bytes]:
        """The whole lines; of a process that was killed, the last may not be one."""
        return self.stdout.split(b"\n")[:-1]

    @cached_property
    def ids(self) -> list[str]:
        """The ids of all records, in order."""
        return ids_of(self.lines)

    @property
    def state(self) -> dict[str, Any] | None:
        """The last state, None if there is none."""
        return next((json.loads(line)["value"] for line in reversed(self.lines) if is_state(line)), None)

    @property
    def acknowledged(self) -> list[bytes]:
        """The lines up to the last state: those that a target had written when it acknowledged that."""
        last = max((number for number, line in enumerate(self.lines) if is_state(line)), default=-1)
        return self.lines[: last + 1]

    @property
    def errors(self) -> list[str]:
        """The lines on stderr that are errors; a traceback, which debugging asks for, is part of the line before."""
        errors, in_traceback = [], False
        for line in self.stderr.splitlines():
            logged = LOG_LINE.match(line)
            in_traceback = not logged and (in_traceback or line == TRACEBACK)
            if " | ERROR " in line or not (logged or in_traceback):
                errors.append(line)
        return errors


LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \| (DEBUG|INFO|WARNING|ERROR) ")


def ids_of(lines: list[bytes]) -> list[str]:
    """The ids of the records among some lines."""
    return [found[1].decode() for found in map(RECORD.match, lines) if found]


def is_state(line: bytes) -> bool:
    """Whether a line is a STATE."""
    return line.startswith(b'{"type":"STATE"')


def is_activation(line: bytes) -> bool:
    """Whether a line is an ACTIVATE_VERSION."""
    return line.startswith(b'{"type":"ACTIVATE_VERSION"')


class TapRun:
    """One run, from its start; its files lie in a directory of its own."""

    def __init__(  # noqa: PLR0913 the circumstances of a run
        self,
        forker: Forker,
        home: Path,
        settings: Mapping[str, Any],
        state: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        *,
        select: str | None = None,
    ) -> None:
        home.mkdir(parents=True)
        self.stdout, self.stderr = home / "stdout", home / "stderr"
        config, state_file = home / "config.json", home / "state.json"
        # A run that is killed at once has written nothing, which is not the same as no files.
        self.stdout.touch()
        self.stderr.touch()
        config.write_text(json.dumps(settings))
        arguments = ["tap-ory", "--config", str(config)]
        if select is not None:
            arguments += ["--select", select]
        if state is not None:
            state_file.write_text(json.dumps(state))
            arguments += ["--state", str(state_file)]
        self.process: Run = forker.start(
            arguments,
            stdout=self.stdout,
            stderr=self.stderr,
            environment={patient_tap.PAUSE: "0.05", **(environment or {})},
        )

    def output(self) -> Output:
        """Wait for its end and return what it wrote."""
        code = self.process.wait()
        stderr = self.stderr.read_text(encoding="utf-8", errors="replace")
        return Output(self.stdout.read_bytes(), stderr, code, self.process.peak_kib)
