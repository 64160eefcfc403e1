"""The health check of the running service, as probes see it, and the settings that a file gives."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests

from c1_connector.health import Health
from ory_sandbox import Sandbox
from tests.c1_connector.connector import Connector, connector, until
from tests.c1_connector.fake_c1 import FakeC1
from tests.c1_connector.test_faults import outcome
from tests.ports import free_ports, refusing_port

KEY = "ory_pat_never-to-be-seen"


@pytest.fixture
def port() -> int:
    return free_ports()[0]


@pytest.fixture
def running(c1: FakeC1, port: int, tmp_path: Path) -> Iterator[Connector]:
    """A connector that has greeted; its project is one that nobody reaches."""
    with ExitStack() as stack:
        variables = {"BATON_BASE_URL": f"http://127.0.0.1:{refusing_port(stack)}", "BATON_API_TOKEN": KEY}
        check = {"BATON_HEALTH_CHECK": "true", "BATON_HEALTH_CHECK_PORT": str(port)}
        with connector(c1.environment(**variables, **check), tmp_path) as process:
            until(lambda: c1.count("GetTask"), "the first poll")
            yield process


def asked(port: int, path: str) -> tuple[int, dict[str, Any]]:
    """What a probe is told."""
    answer = requests.get(f"http://127.0.0.1:{port}{path}", timeout=60)
    assert answer.headers["Content-Type"] == "application/json"
    told = answer.json()
    age = datetime.now(timezone.utc) - datetime.strptime(told.pop("timestamp"), "%Y-%m-%dT%H:%M:%S%z")
    assert timedelta(0) <= age < timedelta(minutes=1)
    return answer.status_code, told


def test_probes_of_a_service_whose_project_is_away(running: Connector, port: int) -> None:
    assert asked(port, "/live") == (200, {"status": "alive"})
    assert asked(port, "/ready?verbose") == (200, {"status": "ready"})
    code, told = asked(port, "/health")
    assert (code, told["status"], told["details"]["error"]) == (503, "unhealthy", "connector validation failed")
    assert "connection refused" in told["details"]["validation_error"]
    assert KEY not in json.dumps(told)
    assert requests.get(f"http://127.0.0.1:{port}/metrics", timeout=60).status_code == 404
    assert requests.head(f"http://127.0.0.1:{port}/live", timeout=60).status_code == 200
    assert requests.post(f"http://127.0.0.1:{port}/live", timeout=60).status_code == 501
    # It listens where nobody else sees it, and says nothing of probes.
    assert f":{port} " not in running.output
    assert running.terminate() == 143
    with pytest.raises(requests.ConnectionError):
        asked(port, "/live")


def test_a_service_that_c1_does_not_know_yet_is_alive_and_not_ready(c1: FakeC1, port: int, tmp_path: Path) -> None:
    with ExitStack() as stack:
        c1_away = {"BATON_C1_API_HOST": f"127.0.0.1:{refusing_port(stack)}", "BATON_BASE_URL": "http://127.0.0.1:9"}
        flags = ("--health-check", "--health-check-port", str(port))
        with connector(c1.environment(**c1_away), tmp_path, *flags) as running:
            until(lambda: "another try follows" in running.output, "the first greeting")
            assert asked(port, "/live")[0] == 200
            told = (503, {"status": "not_ready", "details": {"error": "C1 has not answered the greeting"}})
            assert asked(port, "/ready") == told


def test_a_file_gives_what_variables_do_not(c1: FakeC1, ory: Sandbox, port: int, tmp_path: Path) -> None:
    given = c1.environment()
    (tmp_path / "secret").write_text(given.pop("BATON_CLIENT_SECRET"))
    file = tmp_path / "config.yaml"
    file.write_text(
        f"client-id: {given.pop('BATON_CLIENT_ID')}\nclient-secret-file: {tmp_path / 'secret'}\nbase-url: {ory.url}\n"
        f"tap-ory-page-size: 100\nlog-format: console\nlog-level: debug\nhost-id: another\nhealth-check: true\n"
        f"health-check-port: {port}\nhelth-check: true\ntask-concurrency:\n"
    )
    given |= {"BATON_CONFIG_PATH": str(file), "BATON_LOG_FORMAT": "json"}
    with connector(given, tmp_path) as running:
        task = c1.give()
        assert outcome(c1, task, running) == (0, ""), running.output
        assert asked(port, "/health") == (200, {"status": "healthy"})
        before = len(ory.requests.log)
        assert asked(port, "/health")[0] == 200
        # Probes come often.
        assert len(ory.requests.log) == before
        told = [json.loads(line) for line in running.output.splitlines()]
    assert {"debug", "info"} <= {event["level"] for event in told}
    assert [event["message"] for event in told if "HELTH_CHECK" in event["message"]]
    assert all("page_size=100" in seen.target for seen in ory.requests.log if "page_token" in seen.target)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("config.toml", "x", "does not end in .yaml or .yml"),
        ("config.yaml", None, "cannot be read: No such file or directory"),
        ("config.yml", f"api-token: {KEY}: [", "is no YAML"),
        ("config.yml", f"- {KEY}", "holds no settings by name"),
        ("config.yml", "health-check-port: 0", "BATON_HEALTH_CHECK_PORT is 0: give 1 to 65535"),
        ("config.yml", "health-check: perhaps", "BATON_HEALTH_CHECK is neither true nor false"),
    ],
)
def test_a_file_that_cannot_be_right_is_one_line(name: str, text: str | None, words: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with connector({"BATON_CONFIG_PATH": str(tmp_path / name)}, tmp_path) as running:
        assert running.wait() == 1
    (line,) = running.output.splitlines()
    assert words in line
    assert KEY not in line


def test_a_port_that_is_taken_is_one_line(c1: FakeC1, tmp_path: Path) -> None:
    with ExitStack() as stack:
        taken = {"BATON_HEALTH_CHECK": "1", "BATON_HEALTH_CHECK_PORT": str(refusing_port(stack))}
        with connector(c1.environment(BATON_BASE_URL="http://127.0.0.1:9", **taken), tmp_path) as running:
            assert running.wait() == 1
    (line,) = running.output.splitlines()
    assert "The health check cannot listen on 127.0.0.1, port" in line


def test_a_project_that_is_ill_is_asked_each_time() -> None:
    problems = ["ill", "ill still", "", "not asked for any more"]
    health = Health(lambda: True, lambda: problems.pop(0))
    answers = [health.answer("/health") for _ in range(4)]
    assert [answer and answer[0] for answer in answers] == [503, 503, 200, 200]
