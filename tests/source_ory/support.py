"""Runs source-ory and the tap as commands and reads what they say. Knows nothing of what a test expects."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
SOURCE = (sys.executable, "-m", "source_ory")
SECONDS = 60
#: The settings of a test must come from its file alone.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("TAP_ORY_", "BATON_"))}


@dataclass(frozen=True)
class Run:
    """What a run of source-ory said: its exit code and its lines, raw and decoded, numbers as they were written."""

    code: int
    output: bytes
    messages: list[Json]

    def of(self, kind: str) -> list[Json]:
        """The bodies of one type of message."""
        bodies = {"CONNECTION_STATUS": "connectionStatus"}
        return [message[bodies.get(kind, kind.lower())] for message in self.messages if message["type"] == kind]

    def traces(self, kind: str) -> list[Json]:
        return [trace[kind.lower()] for trace in self.of("TRACE") if trace["type"] == kind]

    @property
    def statuses(self) -> list[tuple[str, str]]:
        found = self.traces("STREAM_STATUS")
        return [(status["stream_descriptor"]["name"], status["status"]) for status in found]

    @property
    def records(self) -> dict[str, list[Json]]:
        streams = defaultdict(list)
        for record in self.of("RECORD"):
            streams[record["stream"]].append(record["data"])
        return streams

    @property
    def error(self) -> tuple[str, str]:
        """Type and sentence of the one error."""
        (error,) = self.traces("ERROR")
        return error["failure_type"], error["message"]


def run(*arguments: str | Path) -> Run:
    """Run source-ory to its end."""
    done = subprocess.run(
        [*SOURCE, *arguments], cwd=ROOT, env=ENVIRONMENT, capture_output=True, timeout=SECONDS, check=False
    )
    return said(done.returncode, done.stdout)


def said(code: int, output: bytes) -> Run:
    return Run(code, output, [json.loads(line, parse_float=str) for line in output.splitlines()])


class Files:
    """The files that a test gives to the commands."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._number = 0

    def write(self, value: Any) -> Path:
        self._number += 1
        path = self._directory / f"{self._number}.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    def catalog(self, streams: Iterable[Json], mode: str = "full_refresh") -> Path:
        """A configured catalog of streams as `discover` told them."""
        configured = [{"stream": each, "sync_mode": mode, "destination_sync_mode": "append"} for each in streams]
        return self.write({"streams": configured})

    def discovered(self, config: Path) -> list[Json]:
        (catalog,) = run("discover", "--config", config).of("CATALOG")
        streams: list[Json] = catalog["streams"]
        return streams


def records_of_the_tap(files: Files, config: Path) -> dict[str, list[Json]]:
    """What the tap's own command writes, with every stream selected."""
    tap = [sys.executable, "-m", "tap_ory", "--config", str(config)]
    catalog = json.loads(_output([*tap, "--discover"]))
    for stream in catalog["streams"]:
        next(each for each in stream["metadata"] if not each["breadcrumb"])["metadata"]["selected"] = True
    streams = defaultdict(list)
    for line in _output([*tap, "--catalog", str(files.write(catalog))]).splitlines():
        message = json.loads(line, parse_float=str)
        if message["type"] == "RECORD":
            streams[message["stream"]].append(message["record"])
    return streams


def _output(command: list[str]) -> bytes:
    return subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, timeout=SECONDS, check=True).stdout


def by_id(records: Iterable[Json]) -> list[Json]:
    return sorted(records, key=lambda record: str(record["id"]))
