"""Runs the tap for the tests: the real command in a process of its own, or one sync in this process."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from tap_ory.tap import TapOry

#: What must never be seen anywhere. Of the shape of a project's key, and with characters that encodings change.
KEY = "ory_pat_Zk3yMust+Never/BeSeen=1"
TAP = (sys.executable, "-m", "tap_ory")
SECONDS = 60
#: Settings and proxies of whoever runs the tests must not reach the command.
FOREIGN = (
    "TAP_ORY_",
    "BATON_",
    "LOGLEVEL",
    "LOGFORMAT",
    "OTEL_",
    "SINGER_SDK_",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_",
    "NETRC",
)


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stdout.splitlines()]

    def logged(self, level: str) -> list[str]:
        """The texts of the log lines of a level."""
        marked = [line.split(" | ", 3) for line in self.stderr.splitlines()]
        return [parts[3] for parts in marked if len(parts) == 4 and parts[1].strip() == level]


def clean_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment for a command: this one without what would configure the tap, and `variables`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FOREIGN) and not name.lower().endswith("_proxy")
    }
    return {**kept, **variables}


def run_tap(*arguments: str, environment: Mapping[str, str] | None = None, command: tuple[str, ...] = TAP) -> Finished:
    """Run the command to its end, in an environment with these variables and no others that configure it."""
    variables = clean_environment(environment or {})
    done = subprocess.run([*command, *arguments], env=variables, capture_output=True, timeout=SECONDS, check=False)
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())


def sync(
    config: Mapping[str, Any],
    *,
    catalog: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
    prepare: Callable[[TapOry], object] = lambda tap: None,
) -> bytes:
    """Sync in this process and return what went to stdout; `prepare` may change the tap before."""
    written = io.BytesIO()
    with unchanged_signals(), mock.patch.object(sys, "stdout", io.TextIOWrapper(written, encoding="utf-8")):
        tap = TapOry(config=dict(config), catalog=catalog, state=state)
        prepare(tap)
        tap.sync_all()
        sys.stdout.flush()
        return written.getvalue()


def records(output: bytes) -> list[dict[str, Any]]:
    """The records among Singer messages, as the server's JSON would be decoded."""
    messages = [json.loads(line) for line in output.splitlines()]
    return [message["record"] for message in messages if message["type"] == "RECORD"]


@contextmanager
def unchanged_signals() -> Iterator[None]:
    """Undo what a tap does to signals, so that they end pytest as ever."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def deselect(catalog: dict[str, Any], *breadcrumbs: tuple[str, ...]) -> dict[str, Any]:
    """The catalog with these breadcrumbs deselected."""
    changed: dict[str, Any] = json.loads(json.dumps(catalog))
    metadata = changed["streams"][0]["metadata"]
    kept = [entry for entry in metadata if tuple(entry["breadcrumb"]) not in breadcrumbs]
    dropped = [{"breadcrumb": list(crumb), "metadata": {"selected": False}} for crumb in breadcrumbs]
    changed["streams"][0]["metadata"] = [*kept, *dropped]
    return changed
