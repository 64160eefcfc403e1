"""What all four commands have in common, asked of the real commands."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

import pytest

from ory_reader.config.declaration import CONFIG_SCHEMA as TAP_SCHEMA
from ory_sandbox import Sandbox
from target_c1.settings import CONFIG_SCHEMA as TARGET_SCHEMA
from tests.command import KEY, Finished, clean_environment
from tests.target_c1.support import to_lines, users_read

COMMANDS = {
    "tap-ory": "tap_ory",
    "target-c1": "target_c1",
    "ory-connector": "c1_connector",
    "source-ory": "source_ory",
}
PEOPLE = 5


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(PEOPLE, api_token=KEY) as running:
        yield running


def run(
    command: str,
    *arguments: str,
    given: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    closed: str = "",
    cwd: Path | None = None,
) -> Finished:
    """Run one of the commands, with the variables `given`; `closed` is what a shell closes of it, such as `>&-`."""
    program = [sys.executable, "-m", COMMANDS[command], *arguments]
    if closed:
        program = ["sh", "-c", f'exec "$@" {closed}', "sh", *program]
    done = subprocess.run(
        program,
        input=stdin,
        env={**clean_environment(given or {}), "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=cwd,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize("command", COMMANDS)
def test_each_tells_its_version(command: str) -> None:
    told = run(command, "--version")
    assert told.code == 0
    assert re.match(rf"{command} v?{re.escape(metadata.version('tap-ory'))}\b", told.stdout)
    assert len(told.stdout.splitlines()) == 1


def test_what_compose_leaves_empty_is_unset(sandbox: Sandbox, tmp_path: Path) -> None:
    tap = {f"TAP_ORY_{name.upper()}": "" for name in TAP_SCHEMA["properties"]}
    sdk = {"TAP_ORY_STREAM_MAPS": "", "TAP_ORY_FLATTENING_MAX_DEPTH": "", "TAP_ORY_LOGLEVEL": "", "LOGLEVEL": ""}
    given = {**tap, **sdk, "BATON_BASE_URL": sandbox.url, "BATON_API_TOKEN": KEY}
    read = run("tap-ory", given=given)
    assert read.code == 0, read.stderr
    assert len([each for each in read.messages if each["type"] == "RECORD"]) == PEOPLE
    target = {f"TARGET_C1_{name.upper()}": "" for name in TARGET_SCHEMA["properties"]}
    file = tmp_path / "users.c1z"
    published = run("target-c1", stdin=to_lines(users_read(3)), given={**target, "TARGET_C1_PATH": str(file)})
    assert published.code == 0, published.stderr
    config = tmp_path / "config.json"
    config.write_text(
        json.dumps({**dict.fromkeys(TAP_SCHEMA["properties"], ""), "base_url": sandbox.url, "api_token": KEY})
    )
    assert '"SUCCEEDED"' in run("source-ory", "check", "--config", str(config)).stdout
    assert run("tap-ory", "--check", "--config", str(config)).code == 0
    once = tmp_path / "once.c1z"
    names = ("CLIENT_ID", "CLIENT_SECRET", "C1_API_HOST", "HOST_ID", "TASK_CONCURRENCY", "LOG_FORMAT", "LOG_LEVEL")
    empty = {f"BATON_{name}": "" for name in names}
    synced = run("ory-connector", given={**given, **target, **empty, "BATON_FILE": str(once)})
    assert synced.code == 0, synced.stderr
    assert once.exists()


@pytest.mark.parametrize("where", ["file", "environment"])
def test_numbers_and_truths_may_be_texts(sandbox: Sandbox, tmp_path: Path, where: str) -> None:
    settings = {
        "base_url": sandbox.url,
        "api_token": KEY,
        "page_size": "2",
        "request_timeout": "2.5",
        "emit_activate_version_messages": "false",
        "stream_maps": '{"identities": {"__alias__": "people"}}',
        "flattening_enabled": "off",
        "flattening_max_depth": "2",
    }
    (tmp_path / "config.json").write_text(json.dumps(settings))
    variables = {f"TAP_ORY_{name.upper()}": value for name, value in settings.items()}
    sandbox.requests.log.clear()
    arguments = ["--config", str(tmp_path / "config.json")] if where == "file" else []
    read = run("tap-ory", *arguments, given=variables)
    assert read.code == 0, read.stderr
    assert {each["stream"] for each in read.messages if each["type"] == "RECORD"} == {"people"}
    assert "ACTIVATE_VERSION" not in {each["type"] for each in read.messages}
    assert any("page_size=2" in seen.target for seen in sandbox.requests.log)


def test_an_empty_base_url_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"base_url": ""}')
    for arguments in (("--check",), ("--discover",), ()):
        done = run("tap-ory", "--config", str(tmp_path / "config.json"), *arguments)
        if "--discover" not in arguments:
            assert done.logged("ERROR")[0].startswith("Setting base_url is empty: set it in the configuration or as ")


def test_the_key_may_be_in_a_file(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    for variable in ("TAP_ORY_API_TOKEN_FILE", "BATON_API_TOKEN_FILE"):
        given = {"TAP_ORY_BASE_URL": sandbox.url, variable: str(tmp_path / "key")}
        assert run("tap-ory", "--check", given=given).code == 0
        done = run("ory-connector", "--check", given=given)
        assert (done.code, "Unknown" in done.stderr) == (0, False), done.stderr
    missing = run("tap-ory", "--check", given={"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_API_TOKEN_FILE": "no"})
    assert missing.logged("ERROR")[0].startswith("Setting TAP_ORY_API_TOKEN_FILE names a file that cannot be read")


def test_the_client_secret_may_be_in_a_file_which_a_flag_beats(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("no secret\n")
    given = {"BATON_CLIENT_ID": "name@c1.example/suffix", "BATON_CLIENT_SECRET_FILE": str(tmp_path / "secret")}
    done = run("ory-connector", "--check", given=given)
    assert "BATON_CLIENT_SECRET is no client secret of C1" in done.stderr
    given["BATON_CLIENT_SECRET_FILE"] = "no"
    assert (
        "BATON_CLIENT_SECRET_FILE names a file that cannot be read"
        in run("ory-connector", "--check", given=given).stderr
    )
    flagged = run("ory-connector", "--check", "--client-secret", "no secret", given=given)
    assert "BATON_CLIENT_SECRET is no client secret of C1" in flagged.stderr


def test_mistyped_variables_are_warned_of_once_and_known_ones_are_not(sandbox: Sandbox, tmp_path: Path) -> None:
    given = {
        "TAP_ORY_BASE_URL": sandbox.url,
        "TAP_ORY_API_TOKEN": KEY,
        "TAP_ORY_PAGE_SISE": "7",
        "TARGET_C1_MIN_USER": "1",
        "BATON_FLIE": str(tmp_path / "other.c1z"),
        "BATON_FILE": str(tmp_path / "users.c1z"),
        "BATON_PROVISIONING": "false",
        "BATON_LOG_LEVEL": "info",
    }
    connector = run("ory-connector", given=given)
    assert connector.code == 0, connector.stderr
    unknown = re.findall(r"Unknown setting '(\w+)' is ignored; did you mean '(\w+)'", connector.stderr)
    assert sorted(unknown) == [("BATON_FLIE", "BATON_FILE"), ("min_user", "min_users"), ("page_sise", "page_size")]
    tap = run("tap-ory", "--check", given=given)
    assert len(tap.logged("WARNING")) == 2
    assert any("BATON_FLIE" in line for line in tap.logged("WARNING"))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_log_level_that_does_not_exist_is_one_line(command: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    arguments = ["check", "--config", str(tmp_path / "config.json")] if command == "source-ory" else []
    done = run(command, *arguments, given={"BATON_LOG_LEVEL": "loud"}, cwd=tmp_path)
    assert done.code == 1
    told = (done.stdout + done.stderr).strip()
    assert "Setting BATON_LOG_LEVEL is no log level" in told
    assert len(told.splitlines()) == 1


def test_the_log_level_of_baton_connectors_holds(sandbox: Sandbox, tmp_path: Path) -> None:
    given = {"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_API_TOKEN": KEY, "BATON_FILE": str(tmp_path / "users.c1z")}
    for level, said in (("debug", True), ("warn", False)):
        for command in ("tap-ory", "ory-connector"):
            done = run(command, given={**given, "BATON_LOG_LEVEL": level})
            assert done.code == 0
            assert ("INFO" in done.stderr) == said, (command, level)
    # Its own variable wins.
    assert "INFO" in run("tap-ory", given={**given, "BATON_LOG_LEVEL": "error", "TAP_ORY_LOGLEVEL": "info"}).stderr
    flag = run("ory-connector", "--log-level", "error", given=given)
    assert (flag.code, flag.stderr) == (0, "")


def test_target_c1_reads_the_environment_without_being_told(tmp_path: Path) -> None:
    file = tmp_path / "users.c1z"
    done = run("target-c1", stdin=to_lines(users_read(3)), given={"TARGET_C1_PATH": str(file)})
    assert done.code == 0, done.stderr
    assert file.exists()
    forced = run(
        "target-c1",
        "--force",
        stdin=to_lines(users_read(1)),
        given={"TARGET_C1_PATH": str(file), "TARGET_C1_FORCE": "no"},
    )
    assert forced.code == 0, forced.stderr


@pytest.mark.parametrize(
    ("command", "missing", "extra"), [("ory-connector", "grpc", "connector"), ("target-c1", "zstandard", "c1")]
)
def test_an_absent_extra_is_one_line(command: str, missing: str, extra: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; from {COMMANDS[command]}.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program], env=clean_environment({}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"{command} needs {missing}: pip install 'tap-ory[{extra}]'."]


@pytest.mark.parametrize(
    ("url", "missing", "extra"),
    [
        ("s3://b/u.c1z", "s3fs", "c1-s3"),
        ("az://c/u.csv", "adlfs", "c1-azure"),
        ("abfs://c/u.json", "adlfs", "c1-azure"),
    ],
)
@pytest.mark.parametrize("asked", ["published", "looked into"])
def test_an_object_store_without_its_extra_is_one_line(url: str, missing: str, extra: str, asked: str) -> None:
    arguments = ["target-c1", *(["--inspect", url] if asked == "looked into" else [])]
    program = (
        f"import sys; sys.modules[{missing!r}] = None; sys.argv = {arguments}; from target_c1.__main__ import main"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; main()"],
        env=clean_environment({"TARGET_C1_PATH": url}),
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    verb = "read" if asked == "looked into" else "reach"
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = [line for line in done.stderr.splitlines() if " INFO " not in line]
    assert line.endswith(f"Cannot {verb} {url!r} without the library for its store: pip install 'tap-ory[{extra}]'.")


# Where they write, and where they log


@pytest.mark.parametrize("command", ["tap-ory", "source-ory"])
def test_a_closed_output_is_one_line(command: str, sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"base_url": sandbox.url, "api_token": KEY}))
    sandbox.requests.log.clear()
    arguments = ["check"] if command == "source-ory" else []
    done = run(command, *arguments, "--config", str(tmp_path / "config.json"), closed=">&-")
    assert done.code == 1
    assert [line for line in done.stderr.splitlines() if "closed: leave it open" in line]
    assert "Traceback" not in done.stderr
    assert "fault" not in done.stderr
    assert list(sandbox.requests.log) == []


def test_without_a_place_for_its_log_it_reads_all_the_same(sandbox: Sandbox) -> None:
    done = run("tap-ory", given={"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_API_TOKEN": KEY}, closed="2>&-")
    assert done.code == 0
    assert len([each for each in done.messages if each["type"] == "RECORD"]) == PEOPLE


@pytest.mark.parametrize("target", ["</dev/null", ">/dev/full"])
def test_an_output_that_takes_nothing_is_one_line(target: str, sandbox: Sandbox) -> None:
    given = {"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_API_TOKEN": KEY}
    done = run("tap-ory", given=given, closed=f"1{target}")
    assert done.code == 1
    (line,) = done.logged("ERROR")
    assert line.startswith("Standard output cannot be written to: ")


def test_a_closed_output_of_the_connectors_check_is_one_line(sandbox: Sandbox) -> None:
    given = {"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_API_TOKEN": KEY}
    done = run("ory-connector", "--check", closed=">&-", given=given)
    assert done.code == 1
    (line,) = done.stderr.splitlines()
    assert "standard output, which is closed" in line


LOGGING = {
    "a class that is none": "version: 1\nhandlers: {h: {class: no.such.Handler}}\nroot: {handlers: [h]}\n",
    "a level that is none": "version: 1\nloggers: {tap-ory: {level: loud}}\n",
    "no mapping": "- 1\n",
    "no YAML": "version: [\n",
}


@pytest.mark.parametrize("text", LOGGING.values(), ids=LOGGING)
@pytest.mark.parametrize("command", ["tap-ory", "target-c1"])
def test_a_log_configuration_that_is_none_is_one_line(command: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "logging.yml").write_text(text)
    given = {"TAP_ORY_BASE_URL": "http://127.0.0.1:1", "TARGET_C1_PATH": str(tmp_path / "users.c1z")}
    done = run(command, given={**given, "SINGER_SDK_LOG_CONFIG": str(tmp_path / "logging.yml")})
    assert done.code == 1
    (line,) = done.stderr.splitlines()
    assert "Setting SINGER_SDK_LOG_CONFIG: " in line
