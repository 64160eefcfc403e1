"""The command: what it prints, its exit codes, and that nothing but a whole file ever replaces the old one."""

import contextlib
import json
import multiprocessing
import os
import random
import resource
import shlex
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from target_c1.__main__ import main
from target_c1.c1z import read_c1z_ids, unpack_c1z
from target_c1.inspection import inspect_file
from tests.target_c1.support import (
    TARGET,
    Message,
    activate,
    environment,
    publish,
    record,
    run_command,
    run_target,
    schema,
    settings_in_environment,
    state,
    to_lines,
    user,
    users_read,
    whole_read,
)

PEOPLE = 5000
KILLS = 50
#: Some kills come too late.
MOST_RUNS = 5 * KILLS
OLD_PEOPLE = 3


@pytest.fixture(scope="module")
def old_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A whole .c1z of OLD_PEOPLE users."""
    path = tmp_path_factory.mktemp("old") / "users.c1z"
    publish(users_read(OLD_PEOPLE), path)
    return path.read_bytes()


@pytest.fixture
def published(tmp_path: Path, old_file: bytes) -> Path:
    """The path of a file that is published already."""
    path = tmp_path / "users.c1z"
    path.write_bytes(old_file)
    return path


def test_a_run(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "directory" / "users.c1z"
    done = run_target(users_read(30), path=str(path))
    assert done.code == 0
    assert json.loads(done.stdout) == {"bookmarks": {"users": {}}}
    closing = done.logged("INFO")[-1]
    assert "Published 30 users (27 enabled, 3 disabled)" in closing
    assert f"to {path}: {path.stat().st_size:,} bytes" in closing
    assert list(path.parent.iterdir()) == [path]


def test_the_closing_line_says_what_was_left_out(tmp_path: Path) -> None:
    odd = [
        user(0),
        user(0, display_name="again"),
        user(1, id=None),
        user(2, id="x" * 2000),
        user(3, email="nobody", emails=["nobody", "Nobody", "a@bücher.example"]),
        user(4, display_name="é" * 2000, status="staged"),
        user(5, profile={"n": float("nan"), "s": "\ud800", "z": "\0"}),
    ]
    done = run_target(whole_read(odd), path=str(tmp_path / "users.c1z"))
    assert done.code == 0, done.stderr
    closing = done.logged("INFO")[-1]
    assert "Published 4 users (1 unspecified, 3 enabled)" in closing
    for part in (
        "Left out: 1 no usable id, 1 an id of more than 1024 bytes.",
        "Repeated: 1 records whose id came again, the last one counts.",
        "Skipped e-mail addresses: 1 no name or domain around an @, 1 a domain that is not in ASCII.",
        "1 name or detail cut to 1024 bytes",
        "1 status that C1 does not have",
        "1 values that are no number set to null",
        "2 characters that are none replaced",
    ):
        assert part in closing


ODD_USERS: dict[str, dict[str, Any]] = {
    "an empty name": {"display_name": "", "first_name": "", "last_name": ""},
    "a name of 2,000 bytes": {"display_name": "é" * 1000, "first_name": "x" * 2000},
    "a name of emoji": {"display_name": "👩🏽‍🚀" * 200},
    "lone surrogates": {"display_name": "a\ud800", "login": "\udfff", "id": "\ud800"},
    "surrogates as keys": {"profile": {"\ud800": {"\udc00": "\udbff"}}},
    "invalid addresses": {"email": "@", "emails": ["", " ", "a@", {"address": "x@y@z"}, {}, None, 7]},
    "integers beyond 2**53": {"profile": {"a": 2**53 + 1, "b": -(2**64), "c": 10**500}, "employee_id": 2**60},
    "no numbers": {"profile": {"a": float("nan"), "b": float("inf"), "c": [float("-inf")]}},
    "a deep profile": {"profile": {"a": "DEEP"}},
    "an enormous profile": {"profile": {"text": "x" * 10_000_000}},
    "a wide profile": {"profile": {f"key {number}": number for number in range(20_000)}},
    "very many addresses": {"emails": [f"a{number}@example.com" for number in range(50_000)] * 2},
    "odd types": {"display_name": {"a": 1}, "status": [], "created_at": 5, "profile": "text", "login_aliases": {}},
}


@pytest.mark.parametrize("form", ["c1z", "csv", "json"])
@pytest.mark.parametrize("fields", ODD_USERS.values(), ids=ODD_USERS)
def test_an_odd_user_gives_a_valid_file(fields: dict[str, Any], form: str, tmp_path: Path) -> None:
    path = tmp_path / f"users.{form}"
    deep = b"[" * 50_000 + b"]" * 50_000
    odd = to_lines([record(user(1, **fields))]).replace(b'"DEEP"', deep)
    messages: list[Message | bytes] = [schema(), record(user(0)), odd, record(user(2)), activate(), state()]
    publish(messages, path)
    publish(messages, path, max_drop_percent=0)  # reads back all ids
    if form == "c1z":
        printed: list[str] = []
        assert inspect_file(str(path), printed.append), printed
        assert any(line.startswith("3 users") for line in printed)


Breaking = Callable[[bytes], bytes]
BROKEN_INPUTS: dict[str, Breaking] = {
    "cut in a line": lambda lines: lines[: len(lines) // 2],
    "cut after a line": lambda lines: lines[: lines.rindex(b'{"type": "ACTIVATE')],
    "a broken line": lambda lines: lines.replace(b'"display_name": "Ada 17"', b'"display_name": "Secret', 1),
    "cut in a deep line": lambda lines: lines.replace(b'"age": 36', b'"age": ' + b"[" * 50_000, 1),
    "something else": lambda lines: lines + b"Traceback (most recent call last): Secret\n",
    "nothing": lambda _: b"",
}


@pytest.mark.parametrize("breaking", BROKEN_INPUTS.values(), ids=BROKEN_INPUTS)
@pytest.mark.parametrize("form", ["c1z", "csv", "json"])
def test_a_broken_input_leaves_the_old_file(breaking: Breaking, form: str, published: Path, old_file: bytes) -> None:
    done = run_command(
        breaking(to_lines(users_read(40))),
        "--config",
        "ENV",
        "--force",
        TARGET_C1_PATH=str(published),
        TARGET_C1_FORMAT=form,
    )
    assert (done.code, done.stdout) == (1, "")
    assert len(done.logged("ERROR")) == 1
    assert "Traceback" not in done.stderr
    assert "Secret" not in done.stderr
    assert published.read_bytes() == old_file
    assert list(published.parent.iterdir()) == [published]


@contextlib.contextmanager
def small_disk(directory: Path, kibibytes: int) -> Iterator[Path]:
    """A file system of its own, of this size; skips where mounting is not allowed."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", str(directory)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"cannot mount a small file system: {done.stderr.decode().strip()}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", str(directory)], check=True)


@pytest.fixture(scope="module")
def needed(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, int]:
    """The bytes of the database and of the file that a run of PEOPLE users writes."""
    directory = tmp_path_factory.mktemp("needed")
    publish(users_read(PEOPLE), directory / "users.c1z")
    unpack_c1z(directory / "users.c1z", directory / "database")
    return (directory / "database").stat().st_size, (directory / "users.c1z").stat().st_size


@pytest.mark.parametrize(
    ("of_database", "of_file"), [(0, 0.1), (0.3, 0), (0.9, 0), (1, 0.5)], ids=["at once", "early", "late", "at the end"]
)
def test_a_full_disk_leaves_the_old_file(
    of_database: float, of_file: float, needed: tuple[int, int], tmp_path: Path, old_file: bytes
) -> None:
    size = of_database * needed[0] + of_file * needed[1] + len(old_file)
    with small_disk(tmp_path, int(size / 1024) + 8) as disk:
        path = disk / "users.c1z"
        path.write_bytes(old_file)
        done = run_target(users_read(PEOPLE), "--force", path=str(path))
        assert (done.code, done.stdout) == (1, "")
        (error,) = done.logged("ERROR")
        assert "disk" in error or "No space left" in error
        assert path.read_bytes() == old_file
        assert list(disk.iterdir()) == [path]


@pytest.mark.parametrize("form", ["c1z", "csv", "json"])
@pytest.mark.parametrize("limit", [50_000, 5_000_000])
def test_a_quota_leaves_the_old_file(limit: int, form: str, published: Path, old_file: bytes) -> None:
    environ = environment(**settings_in_environment({"path": str(published), "format": form}))
    done = subprocess.run(
        [*TARGET, "--config", "ENV", "--force"],
        input=to_lines(users_read(2 * PEOPLE)),
        env=environ,
        capture_output=True,
        check=False,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    if form == "csv" and limit > 1_000_000:
        # Its rows and its file are small enough.
        assert done.returncode == 0
        return
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"Traceback" not in done.stderr
    assert published.read_bytes() == old_file
    assert list(published.parent.iterdir()) == [published]


def run_here(input_file: str, path: str) -> None:
    """Be the command, in a process that has imported it already."""
    # Forked processes would log into pytest's own output.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(input_file, os.O_RDONLY), 0)
    sys.stdin = os.fdopen(0)
    os.environ.update(environment(TARGET_C1_PATH=path))
    sys.argv = ["target-c1", "--config", "ENV", "--force"]
    main()


def test_kill_at_any_moment_leaves_a_whole_file(published: Path, old_file: bytes, tmp_path: Path) -> None:
    lines = tmp_path / "input" / "lines"
    lines.parent.mkdir()
    lines.write_bytes(to_lines(users_read(PEOPLE)))
    # A new process for each run, forked from one that has done the imports: 50 starts from nothing take minutes.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.target_c1.test_command"])

    def run(seconds: float | None) -> int | None:
        process = context.Process(target=run_here, args=(str(lines), str(published)))
        process.start()
        process.join(seconds)
        process.kill()
        process.join()
        return process.exitcode

    run(None)  # starts the server
    started = time.monotonic()
    assert run(None) == 0
    duration = time.monotonic() - started
    assert len(list(read_c1z_ids(published, tmp_path / "database"))) == PEOPLE

    moments = random.Random(6)
    killed = 0
    for number in range(MOST_RUNS):
        published.write_bytes(old_file)
        # Half of the kills are aimed at the last quarter: the compression, the rename and what follows.
        begin = duration * 0.7 if number % 2 else 0
        started = time.monotonic()
        code = run(moments.uniform(begin, duration * 1.1))
        if code == 0:
            # Too late: the machine may have become faster.
            duration = min(duration, time.monotonic() - started)
        else:
            assert code == -signal.SIGKILL
            killed += 1
        if code == 0 or published.read_bytes() != old_file:
            # Renamed before the kill: then it is the whole new file.
            assert len(list(read_c1z_ids(published, tmp_path / "database"))) == PEOPLE
        if killed == KILLS:
            break
    assert killed == KILLS

    # What the killed runs left is in one place, and gone after the next run.
    left = {each.name for each in published.parent.iterdir()} - {"input"}
    assert left <= {"users.c1z", ".users.c1z.target-c1"}
    assert run(None) == 0
    assert {each.name for each in published.parent.iterdir()} == {"users.c1z", "input"}


@contextlib.contextmanager
def waiting_run(path: Path, messages: list[Any]) -> Iterator["subprocess.Popen[bytes]"]:
    """A run that has got these messages and waits for more."""
    environ = environment(**settings_in_environment({"path": str(path), "force": True}))
    pipe = subprocess.PIPE
    with subprocess.Popen([*TARGET, "--config", "ENV"], stdin=pipe, stdout=pipe, stderr=pipe, env=environ) as process:
        try:
            _write(process.stdin, to_lines(messages))
            work = path.parent / f".{path.name}.target-c1"
            deadline = time.monotonic() + 60
            while not (work / "users.sqlite").exists():
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(0.01)
            yield process
        finally:
            process.kill()


def _write(pipe: IO[bytes] | None, data: bytes) -> None:
    assert pipe is not None
    pipe.write(data)
    pipe.flush()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_without_publishing(number: signal.Signals, published: Path, old_file: bytes) -> None:
    with waiting_run(published, users_read(10)) as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (128 + number, b"")
        assert b"Traceback" not in err
    assert published.read_bytes() == old_file
    assert list(published.parent.iterdir()) == [published]


def test_a_signal_after_the_file_does_not_deny_it(published: Path, old_file: bytes) -> None:
    large = state(users={"text": "x" * 1_000_000})  # more than a pipe holds: the run waits until somebody reads it
    with waiting_run(published, [*users_read(10)[:-1], large]) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.stderr is not None
        log = ""
        while "Published 10 users" not in log:
            line = process.stderr.readline().decode()
            assert line, log
            log += line
        process.send_signal(signal.SIGTERM)
        log = process.stderr.read().decode()
        assert process.wait(timeout=60) == 128 + signal.SIGTERM
    assert "the new file is published" in log
    assert "nothing is published" not in log
    assert published.read_bytes() != old_file


def test_two_runs_to_one_destination_do_not_meet(published: Path) -> None:
    with waiting_run(published, users_read(10)) as process:
        done = run_target(users_read(20), path=str(published))
        assert done.code == 1
        assert "Another target-c1 is at work" in done.logged("ERROR")[0]
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert list(published.parent.iterdir()) == [published]


def test_the_state_comes_after_the_file(published: Path, old_file: bytes) -> None:
    with waiting_run(published, users_read(10)) as process:
        assert published.read_bytes() == old_file
        assert process.stdin is not None
        process.stdin.close()
        assert process.stdout is not None
        line = process.stdout.readline()
        assert published.read_bytes() != old_file
        assert json.loads(line) == {"bookmarks": {"users": {}}}


@pytest.mark.parametrize(("stdout", "why"), [("/dev/full", "No space left"), ("&-", "closed")])
def test_a_state_that_nobody_takes_is_no_success_but_the_file_is_there(
    stdout: str, why: str, published: Path, old_file: bytes
) -> None:
    environ = environment(**settings_in_environment({"path": str(published)}))
    command = f"{shlex.join([*TARGET, '--config', 'ENV'])} >{stdout}"
    done = subprocess.run(
        ["sh", "-c", command], input=to_lines(users_read(10)), env=environ, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 1
    last = done.stderr.decode().splitlines()[-1]
    assert "The file is published, but its state could not be passed on" in last
    assert why in last
    assert b"Nothing is published" not in done.stderr
    assert published.read_bytes() != old_file


def test_a_closed_standard_input_is_said_in_words(published: Path, old_file: bytes) -> None:
    environ = environment(**settings_in_environment({"path": str(published)}))
    command = f"{shlex.join([*TARGET, '--config', 'ENV'])} <&-"
    done = subprocess.run(["sh", "-c", command], env=environ, capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "There is no standard input" in done.stderr.decode().splitlines()[-1]
    assert published.read_bytes() == old_file


def test_a_link_is_followed_and_permissions_are_kept(tmp_path: Path) -> None:
    real, link = tmp_path / "real.c1z", tmp_path / "users.c1z"
    publish(users_read(1), real)
    real.chmod(0o640)
    link.symlink_to(real)
    publish(users_read(2), link)
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert len(list(read_c1z_ids(real, tmp_path / "database"))) == 2


MISTAKES: dict[str, tuple[dict[str, str], str]] = {
    "no path": ({}, "Setting path is missing: set it in the configuration or as TARGET_C1_PATH."),
    "a directory": ({"TARGET_C1_PATH": "/"}, "names no file"),
    "a directory that is there": ({"TARGET_C1_PATH": "/usr"}, "names a directory"),
    "a device": ({"TARGET_C1_PATH": "/dev/null"}, "a device or pipe"),
    "a name beyond C1's limit": ({"TARGET_C1_PATH": "x.c1z", "TARGET_C1_DISPLAY_NAME": "x" * 257}, "too long"),
    "a suffix": ({"TARGET_C1_PATH": "x.zip"}, "none of c1z, csv, json"),
    "a protocol without one step": ({"TARGET_C1_PATH": "sftp://h/x.c1z"}, "cannot be replaced in one step"),
    "no number": ({"TARGET_C1_PATH": "x.c1z", "TARGET_C1_MIN_USERS": "few"}, "TARGET_C1_MIN_USERS is no whole number"),
    "a negative number": ({"TARGET_C1_PATH": "x.c1z", "TARGET_C1_MIN_USERS": "-1"}, "min_users must be at least 0"),
    "a mapping of another stream": ({"TARGET_C1_PATH": "x.c1z", "TARGET_C1_STREAM": "people"}, "no ready-made mapping"),
    "a path under a file": ({"TARGET_C1_PATH": "/etc/hostname/x.c1z"}, "hostname"),
}


@pytest.mark.parametrize(("variables", "says"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_said_in_words(variables: dict[str, str], says: str) -> None:
    done = run_command(to_lines(users_read(1)), "--config", "ENV", **variables)
    assert (done.code, done.stdout) == (1, "")
    (error,) = done.logged("ERROR")
    assert says in error
    assert "Traceback" not in done.stderr


def test_a_configuration_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"path": ')
    done = run_command(b"", "--config", str(tmp_path / "config.json"))
    assert done.code == 1
    assert "no JSON" in done.logged("ERROR")[0]


def test_misspelt_settings_are_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"path": str(tmp_path / "x.c1z"), "max_drop_percentage": 5}))
    done = run_command(to_lines(users_read(1)), "--config", str(tmp_path / "config.json"))
    assert done.code == 0
    expected = "Unknown setting 'max_drop_percentage' is ignored; did you mean 'max_drop_percent'?"
    assert done.logged("WARNING") == [expected]


def test_about_and_version_need_no_configuration() -> None:
    about = run_command(b"", "--about", "--format", "json")
    assert about.code == 0
    properties = json.loads(about.stdout)["settings"]["properties"]
    assert set(properties) == {
        "path",
        "format",
        "stream",
        "mapping",
        "app_name",
        "display_name",
        "require_activate_version",
        "min_users",
        "max_drop_percent",
        "force",
    }
    assert run_command(b"", "--version").stdout.startswith("target-c1 v")


def test_the_input_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(to_lines(users_read(5)))
    variables = {"TARGET_C1_PATH": str(tmp_path / "users.c1z")}
    assert run_command(b"", "--config", "ENV", "--input", str(tmp_path / "lines"), **variables).code == 0
