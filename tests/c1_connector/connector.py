"""The real command as a process, and what it has logged; waiting for things to happen with a deadline."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from target_c1.decoding import DecodedUser, decode_resource
from target_c1.inspection import inspect_file
from target_c1.scope import FULL
from tests.target_c1.support import rows_of

#: Settings of whoever runs the tests must not reach the command.
FOREIGN = ("BATON_", "TAP_ORY_", "TARGET_C1_", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
#: A guard against waiting for ever, not a measure of speed.
SECONDS = 300.0


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {**own, **variables}


def until(happened: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.01)


class Connector:
    """A running ory-connector; its stdout and stderr go to `log`."""

    def __init__(
        self,
        variables: Mapping[str, str],
        directory: Path,
        *arguments: str,
        command: Sequence[str | Path] = (sys.executable, "-m", "c1_connector"),
    ) -> None:
        self.log = directory / "connector.log"
        self.temporary = directory / "tmp"
        self.temporary.mkdir(exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *arguments],
                env=environment({**variables, "TMPDIR": str(self.temporary)}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def output(self) -> str:
        return self.log.read_text()

    def wait(self, seconds: float = SECONDS) -> int:
        """Wait for its end and return the exit code."""
        return self.process.wait(seconds)

    def terminate(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(SECONDS)


@contextmanager
def connector(variables: Mapping[str, str], directory: Path, *arguments: str, **more: Any) -> Iterator[Connector]:
    """Run it; at the end of the block it is gone."""
    running = Connector(variables, directory, *arguments, **more)
    try:
        yield running
    finally:
        running.close()


def ids_in(body: bytes, directory: Path, sync_type: str = FULL) -> list[str]:
    """The ids of the users in a .c1z, as `users_in`."""
    return sorted(user.id for user in users_in(body, directory, sync_type))


def users_in(body: bytes, directory: Path, sync_type: str = FULL) -> list[DecodedUser]:
    """The users in a .c1z, which must pass our own inspection, but for a sync that is not full."""
    file = directory / "uploaded.c1z"
    file.write_bytes(body)
    lines: list[str] = []
    inspect_file(str(file), lines.append)
    failed = [(line, lines[number + 1]) for number, line in enumerate(lines) if line.startswith("FAILED")]
    types = rows_of(file, "select sync_id, sync_type from v1_sync_runs", directory)
    assert [each[1] for each in types] == [sync_type]
    other = (
        "FAILED  there is one finished, full sync with a KSUID",
        f"        {types[0][0]} is {sync_type!r}, token '', of ''",
    )
    assert failed == ([] if sync_type == FULL else [other]), "\n".join(lines)
    rows = rows_of(file, "select data from v1_resources order by id", directory)
    return [decode_resource(row[0]) for row in rows]
