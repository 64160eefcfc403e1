"""The command line: what a user of Singer taps expects of it works, and stdout is for Singer messages alone."""

import json
import os
import pty
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ory_sandbox import Sandbox
from tap_ory.errors import SettingsError
from tap_ory.progress import CLEAR_LINE
from tap_ory.tap import TapOry
from tests.command import KEY, TAP, Finished, clean_environment, deselect, records, run_tap, sync, unchanged_signals

SCRIPT = (str(Path(sys.executable).with_name("tap-ory")),)
PEOPLE = 60
TYPES = {"SCHEMA", "RECORD", "STATE", "ACTIVATE_VERSION"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(PEOPLE) as running:
        yield running


@pytest.fixture(scope="module")
def catalog(sandbox: Sandbox) -> dict[str, Any]:
    """What `--discover` prints."""
    run = run_tap("--discover", environment={"TAP_ORY_BASE_URL": sandbox.url})
    assert run.code == 0
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def write(path: Path, content: Mapping[str, Any]) -> str:
    path.write_text(json.dumps(content))
    return str(path)


def counted(run: Finished) -> Counter[tuple[str, str | None]]:
    return Counter((message["type"], message.get("stream")) for message in run.messages)


# Running


def test_with_nothing_but_the_environment_it_runs(sandbox: Sandbox) -> None:
    run = run_tap(command=SCRIPT, environment={"BATON_BASE_URL": sandbox.url, "BATON_API_TOKEN": KEY})
    assert run.code == 0
    types = [message["type"] for message in run.messages]
    assert types == ["SCHEMA", *["RECORD"] * PEOPLE, "ACTIVATE_VERSION", "STATE"]
    assert [m["record"]["id"] for m in run.messages if m["type"] == "RECORD"] == [
        row["id"] for row in sandbox.identities
    ]
    versions = {message.get("version") for message in run.messages if message["type"] in {"RECORD", "ACTIVATE_VERSION"}}
    assert len(versions) == 1
    schema = Draft202012Validator(run.messages[0]["schema"])
    for message in run.messages:
        if message["type"] == "RECORD":
            schema.validate(message["record"])
    assert not run.logged("WARNING")
    assert not run.logged("ERROR")


def test_the_command_and_the_module_are_one() -> None:
    module, script = run_tap("--version"), run_tap("--version", command=SCRIPT)
    assert module == script
    assert module.code == 0
    assert module.stdout.startswith("tap-ory v")


def test_which_source_of_settings_wins(sandbox: Sandbox, tmp_path: Path) -> None:
    both = {"BATON_BASE_URL": "http://127.0.0.1:1", "TAP_ORY_BASE_URL": sandbox.url, "BATON_PROJECT_SLUG": "hare"}
    assert run_tap("--check", environment=both).stdout.startswith(f"Connected to {sandbox.url[:-1]}, project hare, ")
    # With a file the environment is only read where ENV is named, and then wins.
    file = write(tmp_path / "config.json", {"base_url": sandbox.url, "project_slug": "tortoise"})
    alone = run_tap("--check", "--config", file, environment={"TAP_ORY_PROJECT_SLUG": "hare"})
    assert ", project tortoise, " in alone.stdout
    mixed = run_tap("--check", "--config", file, "--config", "ENV", environment={"TAP_ORY_PROJECT_SLUG": "hare"})
    assert ", project hare, " in mixed.stdout


def test_an_unknown_setting_is_named_with_the_nearest(sandbox: Sandbox, tmp_path: Path) -> None:
    environment = {"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_PAGE_SISE": "7", "TAP_ORY_LOGLEVEL": "info"}
    run = run_tap("--check", environment=environment)
    assert run.logged("WARNING") == ["Unknown setting 'page_sise' is ignored; did you mean 'page_size'?"]
    file = write(tmp_path / "config.json", {"base_url": sandbox.url, "api_tokn": KEY})
    run = run_tap("--check", "--config", file)
    assert run.logged("WARNING") == ["Unknown setting 'api_tokn' is ignored; did you mean 'api_token'?"]
    assert KEY not in run.stdout + run.stderr


def test_a_dotenv_file_is_checked_as_the_environment_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    dotenv = tmp_path / ".env"
    monkeypatch.setattr("singer_sdk.configuration._dict_config.find_dotenv", lambda: str(dotenv))
    monkeypatch.setattr(os, "environ", dict(os.environ))
    dotenv.write_text(f"BATON_BASE_URL={sandbox.url}\nTAP_ORY_REQUEST_TIMEOUT=2.5\n")
    with unchanged_signals():
        tap = TapOry(parse_env_config=True)
    assert (tap.settings.base_url, tap.settings.request_timeout) == (sandbox.url[:-1], 2.5)
    dotenv.write_text("TAP_ORY_PAGE_SIZE=many\n")
    with pytest.raises(SettingsError, match="TAP_ORY_PAGE_SIZE is no whole number"):
        TapOry(parse_env_config=True)


# Discovery and selection


def test_the_catalog_is_one(catalog: dict[str, Any]) -> None:
    identities = catalog["streams"][0]
    assert identities["tap_stream_id"] == "identities"
    for stream in catalog["streams"]:
        assert stream["key_properties"] == ["id"]
        Draft202012Validator.check_schema(stream["schema"])
        metadata = {tuple(entry["breadcrumb"]): entry["metadata"] for entry in stream["metadata"]}
        assert metadata["properties", "id"]["inclusion"] == "automatic"
        assert {crumb[1] for crumb in metadata if len(crumb) == 2} == set(stream["schema"]["properties"])


def test_discovery_needs_no_settings() -> None:
    run = run_tap("--discover")
    assert run.code == 0
    assert "identities" in {stream["tap_stream_id"] for stream in json.loads(run.stdout)["streams"]}


def test_what_is_deselected_never_leaves(sandbox: Sandbox, catalog: dict[str, Any], tmp_path: Path) -> None:
    names = ("traits", "verifiable_addresses", "recovery_addresses", "metadata_admin")
    chosen = deselect(catalog, *(("properties", name) for name in names))
    file = write(tmp_path / "catalog.json", chosen)
    run = run_tap("--catalog", file, environment={"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_LOGLEVEL": "debug"})
    assert counted(run)["RECORD", "identities"] == PEOPLE
    addresses = {address["value"] for row in sandbox.identities for address in row.get("verifiable_addresses", [])}
    assert addresses
    for name in names:
        assert all(name not in message.get("record", {}) for message in run.messages)
        assert name not in run.messages[0]["schema"]["properties"]
    for told in (run.stdout, run.stderr):
        assert not [address for address in addresses if address in told]


def test_only_what_is_selected_is_read(sandbox: Sandbox, catalog: dict[str, Any]) -> None:
    before = sandbox.requests.count
    output = sync({"base_url": sandbox.url}, catalog=deselect(catalog, ()))
    assert output == b""
    assert sandbox.requests.count == before


def test_test_reads_one_record_of_each_stream(sandbox: Sandbox) -> None:
    run = run_tap("--test", environment={"TAP_ORY_BASE_URL": sandbox.url})
    assert run.code == 0
    number = counted(run)
    assert number["RECORD", "identities"] == number["SCHEMA", "identities"] == 1
    assert {kind for kind, _ in number} <= TYPES - {"ACTIVATE_VERSION"}


def test_test_schema_reads_none(sandbox: Sandbox) -> None:
    run = run_tap("--test=schema", environment={"TAP_ORY_BASE_URL": sandbox.url})
    assert {kind for kind, _ in counted(run)} == {"SCHEMA"}


def test_a_state_of_a_whole_read_begins_the_next(sandbox: Sandbox, tmp_path: Path) -> None:
    config = {"base_url": sandbox.url}
    first = [json.loads(line) for line in sync(config).splitlines()]
    state = write(tmp_path / "state.json", first[-1]["value"])
    run = run_tap("--state", state, environment={"TAP_ORY_BASE_URL": sandbox.url})
    assert counted(run)["RECORD", "identities"] == PEOPLE
    ends = [messages[-1]["value"]["bookmarks"]["identities"] for messages in (first, run.messages)]
    assert [set(end) for end in ends] == [{"finished", "typed_traits"}] * 2
    # The first of them stays known to be finished.
    assert set(ends[0]["finished"].items()) <= set(ends[1]["finished"].items())


# Stream maps, flattening, batches


def test_stream_maps(sandbox: Sandbox) -> None:
    maps = {
        "identities": {
            "__alias__": "people",
            "__filter__": "state == 'active'",
            "__key_properties__": ["id"],
            "__else__": None,
            "id": "id",
            "mail_hash": "md5(str(traits))",
        }
    }
    expected = [row["id"] for row in sandbox.identities if row["state"] == "active"]
    assert 0 < len(expected) < PEOPLE
    output = sync({"base_url": sandbox.url, "stream_maps": maps})
    messages = [json.loads(line) for line in output.splitlines()]
    assert {message.get("stream") for message in messages if message["type"] != "STATE"} == {"people"}
    found = records(output)
    assert [record["id"] for record in found] == expected
    assert all(set(record) == {"id", "mail_hash"} and len(record["mail_hash"]) == 32 for record in found)


def test_flattening_declares_whatever_it_writes(sandbox: Sandbox) -> None:
    output = sync({"base_url": sandbox.url, "flattening_enabled": True, "flattening_max_depth": 2})
    schema, *rest = [json.loads(line) for line in output.splitlines()]
    found = {message["record"]["id"]: message["record"] for message in rest if message["type"] == "RECORD"}
    assert len(found) == PEOPLE
    for row in sandbox.identities:
        record = found[row["id"]]
        assert record["created_at"] == row["created_at"]
        assert set(record) <= set(schema["schema"]["properties"])
        if isinstance(row["traits"].get("email"), str):
            assert record["traits__email"] == row["traits"]["email"]


def test_batches_are_not_offered(sandbox: Sandbox, tmp_path: Path, catalog: dict[str, Any]) -> None:
    assert "batch" not in json.loads(run_tap("--about", "--format=json").stdout)["capabilities"]
    batches = {"encoding": {"format": "jsonl"}, "storage": {"root": tmp_path.as_uri()}}
    chosen = deselect(catalog, ("properties", "traits"))
    output = sync({"base_url": sandbox.url, "batch_config": batches}, catalog=chosen)
    assert {json.loads(line)["type"] for line in output.splitlines()} == TYPES
    assert len(records(output)) == PEOPLE
    assert list(tmp_path.iterdir()) == []


# What it is connected to


def test_whoever_reads_may_stop_and_nothing_is_said() -> None:
    with Sandbox(20_000) as sandbox:
        command = subprocess.Popen(
            TAP,
            env=clean_environment({"TAP_ORY_BASE_URL": sandbox.url}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert command.stdout
        assert json.loads(command.stdout.readline())["type"] == "SCHEMA"
        command.stdout.close()
        _, stderr = command.communicate(timeout=60)
    # As a shell reports a program that SIGPIPE ended.
    assert command.returncode == 141
    said = Finished(command.returncode, "", stderr.decode())
    assert said.logged("ERROR") == said.logged("WARNING") == []
    assert "Traceback" not in said.stderr
    assert "Broken" not in said.stderr


@pytest.fixture(scope="module")
def slow() -> Iterator[Sandbox]:
    """A server on which a run takes a second."""
    with Sandbox(PEOPLE, latency_ms=150) as running:
        yield running


def all_of(terminal: int) -> bytes:
    """What is written to a terminal until nobody has it open any more, which Linux reports as an error."""
    told = b""
    with suppress(OSError):
        while piece := os.read(terminal, 65536):
            told += piece
    return told


def test_on_a_terminal_progress_is_shown_on_stderr_alone(slow: Sandbox) -> None:
    settings = {"TAP_ORY_BASE_URL": slow.url, "TAP_ORY_PAGE_SIZE": "10", "TAP_ORY_CONCURRENCY": "1"}
    ours, terminal = pty.openpty()
    command = subprocess.Popen(TAP, env=clean_environment(settings), stdout=subprocess.PIPE, stderr=terminal)
    os.close(terminal)
    assert command.stdout
    with ThreadPoolExecutor(1) as pool, closing(command.stdout):
        told = pool.submit(all_of, ours)
        lines = command.stdout.read().splitlines()
    os.close(ours)
    assert command.wait(60) == 0
    assert {json.loads(line)["type"] for line in lines} == TYPES
    shown = told.result().decode().split(CLEAR_LINE)
    assert any(f" of {PEOPLE} identities, " in line and line.endswith(" s left") for line in shown)
    assert shown[1].startswith(slow.url.split("/")[2])


def test_elsewhere_no_progress_is_shown_within_ten_seconds(slow: Sandbox) -> None:
    slow.requests.log.clear()
    run = run_tap(environment={"TAP_ORY_BASE_URL": slow.url, "TAP_ORY_PAGE_SIZE": "10", "TAP_ORY_CONCURRENCY": "1"})
    assert "\x1b" not in run.stderr
    assert f" of {PEOPLE} identities" not in run.stderr
    # The count is asked for only when there is something to tell.
    targets = [seen.target for seen in slow.requests.log]
    assert len([target for target in targets if "page_size" in target]) > 5
    assert not [target for target in targets if target.endswith("per_page=1")]
