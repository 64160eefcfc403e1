"""Singer messages to feed target-c1 with, and target-c1 itself: the real command, or one run in this process."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

from target_c1.c1z import Stamp, unpack_c1z
from target_c1.target import TargetC1

TARGET = (sys.executable, "-m", "target_c1")
SECONDS = 120
#: Settings of whoever runs the tests must not reach the command.
FOREIGN = ("TARGET_C1_", "LOGLEVEL", "SINGER_SDK_", "AWS_", "AZURE_")

Message = dict[str, Any]


def schema(stream: str = "users") -> Message:
    properties = {"id": {"type": "string"}}
    return {"type": "SCHEMA", "stream": stream, "schema": {"properties": properties}, "key_properties": ["id"]}


def record(values: dict[str, Any], stream: str = "users", version: int | None = 1) -> Message:
    message = {"type": "RECORD", "stream": stream, "record": values}
    return message if version is None else {**message, "version": version}


def activate(stream: str = "users", version: int = 1) -> Message:
    return {"type": "ACTIVATE_VERSION", "stream": stream, "version": version}


def state(**bookmarks: Any) -> Message:
    return {"type": "STATE", "value": {"bookmarks": bookmarks}}


def user(number: int, **fields: Any) -> dict[str, Any]:
    """A record as tap-ory's stream `users` has it."""
    email = f"user{number}@example.com"
    return {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "external_id": f"hr-{number}",
        "email": email,
        "email_verified": True,
        "emails": [{"address": email, "primary": True, "verified": True}],
        "phone_numbers": [],
        "username": None,
        "login": email,
        "login_aliases": [],
        "display_name": f"Ada {number}",
        "first_name": "Ada",
        "last_name": str(number),
        "status": "disabled" if number % 10 == 9 else "enabled",
        "status_details": "inactive in Ory since 2026-01-02T03:04:05Z" if number % 10 == 9 else None,
        "account_type": "human",
        "employee_id": f"E-{number}",
        "created_at": "2026-01-02T03:04:05.123456Z",
        "updated_at": "2026-02-02T03:04:05Z",
        "status_changed_at": "2026-01-02T03:04:05.123456789Z",
        "organization_id": None,
        "schema_id": "default",
        "mfa_enabled": None,
        "mfa_methods": None,
        "sso_enabled": None,
        "sso_providers": None,
        "profile": {"email": email, "name": {"first": "Ada", "last": str(number)}, "age": 36, "groups": ["a", "b"]},
        "project_slug": "acme",
        **fields,
    }


def whole_read(records: Iterable[dict[str, Any]], stream: str = "users", version: int = 1) -> list[Message]:
    """The messages of a complete read."""
    rows = [record(each, stream, version) for each in records]
    return [schema(stream), *rows, activate(stream, version), state(**{stream: {}})]


def users_read(number: int) -> list[Message]:
    return whole_read(user(each) for each in range(number))


def to_lines(messages: Iterable[Message | bytes]) -> bytes:
    """The messages as a tap writes them; bytes are lines already."""
    return b"".join(each if isinstance(each, bytes) else json.dumps(each).encode() + b"\n" for each in messages)


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str

    def logged(self, level: str) -> list[str]:
        """The texts of the log lines of a level."""
        marked = [line.split(" | ", 3) for line in self.stderr.splitlines()]
        return [parts[3] for parts in marked if len(parts) == 4 and parts[1].strip() == level]


def environment(**variables: str) -> dict[str, str]:
    """The environment for a command: this one without what would configure the target, and `variables`."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}, **variables}


def settings_in_environment(settings: dict[str, Any]) -> dict[str, str]:
    return {
        f"TARGET_C1_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in settings.items()
    }


def run_target(messages: Iterable[Message | bytes], *arguments: str, **settings: Any) -> Finished:
    """Run the command on these messages, its settings in the environment."""
    return run_command(to_lines(messages), "--config", "ENV", *arguments, **settings_in_environment(settings))


def run_command(stdin: bytes, *arguments: str, **variables: str) -> Finished:
    done = subprocess.run(
        [*TARGET, *arguments],
        input=stdin,
        env=environment(**variables),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())


def fixed_stamp() -> Stamp:
    """Ids and times that are the same in every run."""
    return Stamp(
        now=lambda: datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc),
        random_bytes=lambda size: bytes(range(size)),
    )


def publish(messages: Iterable[Message | bytes], path: Path, stamp: Stamp | None = None, **settings: Any) -> None:
    """Do a run in this process; what the command makes a log line and an exit code of is raised."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        target = TargetC1(config={"path": str(path), **settings})
        with target.opened(stamp):
            target.listen(cast("Any", io.BytesIO(to_lines(messages))))
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def rows_of(path: Path, query: str, tmp_path: Path) -> list[Any]:
    """What a query gives on the database of a .c1z, opened by SQLite as any reader would."""
    database = tmp_path / "unpacked.sqlite"
    unpack_c1z(path, database)
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def blobs_of(path: Path, tmp_path: Path) -> list[bytes]:
    """The users' messages in a .c1z, in its order."""
    return [row[0] for row in rows_of(path, "select data from v1_resources order by id", tmp_path)]
