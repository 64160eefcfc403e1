from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ory_sandbox import Sandbox
from tests.sandbox.client import fetch


def _start(*arguments: str, module: str = "ory_sandbox") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _urls(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout
    return [process.stdout.readline().rstrip("\n") for _ in range(4)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_prints_its_urls_serves_and_ends_quietly(number: signal.Signals) -> None:
    with _start("--identities", "7") as process:
        admin, public, oauth2, permissions = _urls(process)
        count = len(fetch(admin, "/admin/identities").json)
        clients = fetch(oauth2, "/admin/clients").status
        tuples = len(fetch(permissions, "/relation-tuples").json["relation_tuples"])
        schemas = fetch(public, "/schemas").status
        process.send_signal(number)
        rest = process.communicate(timeout=10)
    assert (count, schemas, clients, tuples) == (7, 200, 200, 14)
    assert admin.startswith("http://127.0.0.1:")
    assert admin.endswith("/")
    assert len({admin, public, oauth2, permissions}) == 4
    assert (process.returncode, rest) == (0, ("", ""))


def _handles(process: subprocess.Popen[str], number: signal.Signals) -> bool:
    """Whether a process has a handler of its own for a signal, says the kernel."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return bool(int(status.partition("SigCgt:")[2].split()[0], 16) >> (number - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_can_be_ended_before_it_is_ready() -> None:
    with _start("--identities", "2000000") as process:
        deadline = time.monotonic() + 30
        while not _handles(process, signal.SIGTERM) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.terminate()
        assert process.communicate(timeout=10) == ("", "")
    assert process.returncode == 0


def test_options_of_the_network() -> None:
    options = ["--manner", "network", "--api-token", "right", "--rate-limit", "2;w=60", "--identities", "3"]
    with _start(*options) as process:
        admin, *others = _urls(process)
        answers = [fetch(admin, "/admin/identities", token=token) for token in ("wrong", "right", "right", "right")]
        process.terminate()
        process.communicate(timeout=10)
    assert others == [admin] * 3
    assert [answer.status for answer in answers] == [401, 200, 200, 429]


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--manner", "v9"], 2, "invalid choice"),
        (["--manner", "network", "--rate-limit", "x"], 1, "ory_sandbox: not a rate limit"),
        (["--port", "-1"], 1, "ory_sandbox: "),
    ],
)
def test_wrong_options_are_named(options: list[str], status: int, said: str) -> None:
    with _start(*options) as process:
        _, errors = process.communicate(timeout=10)
    assert process.returncode == status
    assert said in errors
    assert "Traceback" not in errors


def test_a_port_that_is_taken_is_an_error() -> None:
    with Sandbox(1) as sandbox, _start("--port", sandbox.url.rsplit(":", 1)[1].strip("/")) as process:
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "in use" in errors


@pytest.mark.parametrize("manner", ["v1.0", "v1.3", "network"])
def test_cached_people_are_the_same_people(tmp_path: Path, manner: str) -> None:
    def served(cache_dir: Path | None, count: int = 20) -> bytes:
        with Sandbox(count, manner=manner, cache_dir=cache_dir) as sandbox:
            answer = fetch(sandbox.url, "/admin/identities?include_credential=password", token="key")
            return answer.body.replace(sandbox.public_url.encode(), b"")

    fresh = served(None)
    first = served(tmp_path / "new")
    (file,) = (tmp_path / "new").iterdir()
    written = file.stat().st_mtime_ns
    second = served(tmp_path / "new")
    assert fresh == first == second
    assert [each.stat().st_mtime_ns for each in (tmp_path / "new").iterdir()] == [written]
    assert served(tmp_path / "new", count=21) != fresh
    assert len([*(tmp_path / "new").iterdir()]) == 2
