"""One variable makes each log line of each command a JSON object; what others prescribe stays as it is."""

import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_basics.log_format import JsonFormatter, log_format
from ory_sandbox import Sandbox
from tests.command import KEY, Finished
from tests.command_basics.test_commands import run
from tests.target_c1.support import to_lines, users_read

PEOPLE = 20


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(PEOPLE, manner="network", api_token=KEY) as running:
        yield running


@pytest.fixture
def given(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    file = str(tmp_path / "users.c1z")
    project = {"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_API_TOKEN": KEY}
    return {**project, "TARGET_C1_PATH": file, "BATON_FILE": file, "LOGFORMAT": "json", "LOGLEVEL": "debug"}


def told(done: Finished) -> list[dict[str, Any]]:
    """The lines on stderr, each an object of the same form, without the key."""
    assert KEY not in done.stderr
    events = [json.loads(line) for line in done.stderr.splitlines()]
    for event in events:
        assert [*event][:4] == ["time", "level", "logger", "message"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", event["time"])
        assert event["level"] in {"debug", "info", "warning", "error"}
    return events


def test_the_commands_that_read(given: dict[str, str]) -> None:
    for command in ("tap-ory", "ory-connector"):
        done = run(command, given=given)
        assert done.code == 0, done.stderr
        (closing,) = [event for event in told(done) if "read" in event]
        read = closing["read"]
        assert (read["list"], read["records"], read["outcome"]) == ("identities", PEOPLE, "whole")
        assert closing["message"].startswith(f"Read {PEOPLE} identities in ")


def test_the_target(given: dict[str, str]) -> None:
    done = run("target-c1", given=given, stdin=to_lines(users_read(3)))
    assert done.code == 0, done.stderr
    assert [event for event in told(done) if event["message"].startswith("Published 3 users")]


@pytest.mark.parametrize(
    ("command", "wrong", "words"),
    [
        ("tap-ory", {"TAP_ORY_API_TOKEN": "ory_pat_revoked"}, "answered 401"),
        ("tap-ory", {"TAP_ORY_BASE_URL": ""}, "Setting base_url is missing"),
        ("tap-ory", {"LOGLEVEL": "loud"}, "LOGLEVEL is no log level"),
        ("target-c1", {}, "Line 1 of the input is not JSON"),
        ("target-c1", {"TARGET_C1_PATH": ""}, "Setting path is missing"),
        ("target-c1", {"LOGLEVEL": "loud"}, "LOGLEVEL is no log level"),
        ("ory-connector", {"TAP_ORY_BASE_URL": ""}, "Setting base_url is missing"),
        ("ory-connector", {"BATON_CLIENT_ID": "name@c1.example/suffix"}, "set BATON_CLIENT_SECRET"),
    ],
)
def test_errors(command: str, wrong: dict[str, str], words: str, given: dict[str, str]) -> None:
    """With a traceback, which debugging asks for, in the same line."""
    done = run(command, given={**given, **wrong}, stdin=b"{")
    assert done.code == 1
    errors = [event["message"] for event in told(done) if event["level"] == "error"]
    assert any(words in error for error in errors), errors


def test_airbytes_form_stays(given: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"base_url": given["TAP_ORY_BASE_URL"], "api_token": KEY}))
    stream = {"name": "identities", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    chosen = {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": [chosen]}))
    files = ("--config", str(tmp_path / "config.json"), "--catalog", str(tmp_path / "catalog.json"))
    done = run("source-ory", "read", *files, given=given)
    assert (done.code, done.stderr) == (0, "")
    logs = [message["log"] for message in done.messages if message["type"] == "LOG"]
    (closing,) = [log for log in logs if log["message"].startswith(f"Read {PEOPLE} identities in ")]
    assert closing["level"] == "INFO"
    assert closing["message"].endswith(": the streams are complete.")


def test_a_configuration_of_its_own_stays(given: dict[str, str], tmp_path: Path) -> None:
    """As Meltano gives one to plugins that can do structured logging."""
    formatter = {"()": "singer_sdk.logging.StructuredFormatter"}
    handler = {"class": "logging.StreamHandler", "formatter": "structured", "stream": "ext://sys.stderr"}
    config = {"version": 1, "disable_existing_loggers": False, "formatters": {"structured": formatter}}
    root = {"handlers": {"default": handler}, "root": {"level": "INFO", "handlers": ["default"]}}
    (tmp_path / "logging.yml").write_text(json.dumps({**config, **root}))
    done = run("tap-ory", given={**given, "SINGER_SDK_LOG_CONFIG": str(tmp_path / "logging.yml")})
    assert done.code == 0
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert all({"level", "logger_name", "ts", "message"} <= set(event) for event in events)
    (closing,) = [event for event in events if event["message"].startswith("Read ")]
    assert closing["extra"]["numbers"]["read"]["records"] == PEOPLE


class WrongError(Exception):
    """Of a setting."""


def test_which_variable_wins() -> None:
    environ = {"X_LOGFORMAT": "", "BATON_LOG_FORMAT": " JSON ", "LOGFORMAT": "console"}
    assert log_format(environ, "X_", WrongError) == "json"
    assert log_format({**environ, "X_LOGFORMAT": "console"}, "X_", WrongError) == "console"
    assert log_format({"LOGFORMAT": "json"}, "X_", WrongError) == "json"
    assert log_format({}, "X_", WrongError) == "console"
    for variable in environ:
        with pytest.raises(WrongError, match=f"Setting {variable} is no log format: give console or json"):
            log_format({variable: "xml"}, "X_", WrongError)


def test_what_is_hidden_is_hidden_before_json_escapes_it() -> None:
    secret = 'a "key"\\'
    try:
        raise WrongError(secret)  # noqa: TRY301
    except WrongError:
        record = logging.LogRecord("tap-ory", logging.INFO, "", 1, "sent %s", (secret,), sys.exc_info())
    line = JsonFormatter(lambda text: text.replace(secret, "[hidden]")).format(record)
    message = json.loads(line)["message"]
    assert message.startswith("sent [hidden] Traceback (most recent call last):")
    assert secret not in message
