"""What a catalog says of how a stream is read, in each place where it can say so: honoured or refused."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from ory_reader.errors import SettingsError
from ory_sandbox import Sandbox
from tap_ory.tap import TapOry
from tests.command import records, run_tap, sync, unchanged_signals

Json = dict[str, Any]
NAMES = pytest.mark.parametrize("name", ["identities", "users"])


def catalog(name: str, own: Json | None = None, root: Json | None = None, *, selected: bool = True) -> Json:
    """A discovered catalog, as somebody edited it: values of the stream itself, and of its root metadata."""
    with unchanged_signals():
        made: Json = json.loads(TapOry(validate_config=False).catalog_json_text)
    for stream in made["streams"]:
        (metadata,) = (entry["metadata"] for entry in stream["metadata"] if not entry["breadcrumb"])
        metadata["selected"] = stream["stream"] == name and selected
        if stream["stream"] == name:
            stream.update(own or {})
            metadata.update(root or {})
    return made


def tap(given: Json) -> TapOry:
    with unchanged_signals():
        return TapOry(config={"base_url": "http://127.0.0.1:9"}, catalog=given, setup_mapper=False)


INCREMENTAL: list[tuple[Json, Json]] = [
    ({"replication_method": "INCREMENTAL", "replication_key": "changed_at"}, {}),
    ({"replication_method": "INCREMENTAL"}, {}),
    ({"replication_method": None, "replication_key": "changed_at"}, {}),
    ({}, {"replication-method": "INCREMENTAL", "replication-key": "changed_at"}),
    ({}, {"replication-method": "INCREMENTAL"}),
    ({}, {"forced-replication-method": "INCREMENTAL"}),
    ({"replication_method": None}, {"replication-key": "changed_at"}),
    ({"replication_method": "INCREMENTAL"}, {"replication-method": "INCREMENTAL"}),
]
FULL: list[tuple[Json, Json]] = [
    ({}, {}),
    ({"replication_method": None}, {}),
    ({}, {"replication-method": "FULL_TABLE"}),
    ({"replication_method": None}, {"forced-replication-method": "FULL_TABLE", "replication-key": "updated_at"}),
]
REFUSED: list[tuple[Json, Json, str]] = [
    ({"replication_method": "LOG_BASED"}, {}, "method 'LOG_BASED'"),
    ({}, {"replication-method": "LOG_BASED"}, "method 'LOG_BASED'"),
    ({}, {"forced-replication-method": "LOG_BASED"}, "method 'LOG_BASED'"),
    ({"replication_method": "incremental"}, {}, "method 'incremental'"),
    ({"replication_method": ["INCREMENTAL"]}, {}, "replication method"),
    ({}, {"replication-method": 7}, "method 7"),
    ({"replication_method": "INCREMENTAL"}, {"replication-method": "FULL_TABLE"}, "two replication methods"),
    (
        {},
        {"replication-method": "INCREMENTAL", "forced-replication-method": "FULL_TABLE"},
        "two replication methods",
    ),
    ({"replication_method": "INCREMENTAL", "replication_key": "updated_at"}, {}, "'updated_at' cannot serve"),
    ({}, {"replication-method": "INCREMENTAL", "replication-key": "created_at"}, "'created_at' cannot serve"),
    (
        {"replication_key": "changed_at"},
        {"replication-method": "INCREMENTAL", "replication-key": "updated_at"},
        "'updated_at' cannot serve",
    ),
    ({"replication_method": None, "replication_key": "updated_at"}, {}, "'updated_at' cannot serve"),
    (
        {"replication_method": "INCREMENTAL", "schema": {"type": "object", "properties": {"id": {"type": "string"}}}},
        {},
        "no field 'changed_at'",
    ),
]


@NAMES
@pytest.mark.parametrize(("own", "root"), INCREMENTAL)
def test_what_changed_is_read_wherever_it_is_asked_for(name: str, own: Json, root: Json) -> None:
    stream = tap(catalog(name, own, root)).streams[name]
    assert (stream.replication_method, stream.replication_key) == ("INCREMENTAL", "changed_at")


@NAMES
@pytest.mark.parametrize(("own", "root"), FULL)
def test_all_is_read_else(name: str, own: Json, root: Json) -> None:
    stream = tap(catalog(name, own, root)).streams[name]
    assert (stream.replication_method, stream.replication_key) == ("FULL_TABLE", None)


@NAMES
@pytest.mark.parametrize(("own", "root", "said"), REFUSED)
def test_what_is_not_possible_is_refused_before_the_first_request(
    name: str, own: Json, root: Json, said: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=said) as told:
        _ = tap(catalog(name, own, root)).streams
    assert f"'{name}'" in str(told.value)
    # Of what is not read, nothing matters.
    _ = tap(catalog(name, own, root, selected=False)).streams


def test_the_command_says_so_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps(catalog("users", {}, {"replication-method": "LOG_BASED"})))
    with Sandbox(1) as sandbox:
        run = run_tap("--catalog", str(file), environment={"TAP_ORY_BASE_URL": sandbox.url})
        assert sandbox.requests.count == 0
    assert (run.code, run.stdout) == (1, "")
    (line,) = run.logged("ERROR")
    assert line == (
        "The catalog asks for the replication method 'LOG_BASED' of the stream 'users': use FULL_TABLE, or INCREMENTAL "
        "with the replication key 'changed_at'."
    )


@NAMES
def test_a_key_without_a_use_is_named(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    _ = tap(catalog(name, {"replication_key": "updated_at"})).streams
    (record,) = caplog.records
    assert "'updated_at'" in record.getMessage()
    assert "FULL_TABLE" in record.getMessage()


@NAMES
def test_discovery_advertises_what_is_possible(name: str) -> None:
    (stream,) = (stream for stream in catalog(name)["streams"] if stream["stream"] == name)
    (root,) = (entry["metadata"] for entry in stream["metadata"] if not entry["breadcrumb"])
    assert root["valid-replication-keys"] == ["changed_at"]
    assert "changed_at" in stream["schema"]["properties"]
    # A key in there would make a read change-based that nobody asked for.
    assert stream["replication_method"] == "FULL_TABLE"
    assert not {"replication-key", "forced-replication-method"} & {*root}
    assert "replication_key" not in stream


@NAMES
def test_the_key_is_sent_whatever_is_deselected(name: str) -> None:
    given = catalog(name, {}, {"replication-method": "INCREMENTAL"})
    (stream,) = (stream for stream in given["streams"] if stream["stream"] == name)
    for entry in stream["metadata"]:
        if entry["breadcrumb"]:
            entry["metadata"]["selected"] = entry["breadcrumb"][-1] == "updated_at"
    with Sandbox(3) as sandbox:
        output = sync({"base_url": sandbox.url}, catalog=given)
    assert {frozenset(record) for record in records(output)} == {frozenset({"id", "updated_at", "changed_at"})}
    schema = next(each for each in map(json.loads, output.splitlines()) if each["type"] == "SCHEMA")
    assert schema["bookmark_properties"] == ["changed_at"]
    assert "changed_at" in schema["schema"]["properties"]


def test_a_full_read_of_users_says_nothing_of_changes() -> None:
    with Sandbox(3) as sandbox:
        output = sync({"base_url": sandbox.url}, catalog=catalog("users"))
    assert len(records(output)) == 3
    assert not any("changed_at" in record for record in records(output))


def test_both_streams_move_a_bookmark_of_their_own() -> None:
    both = catalog("users", {}, {"replication-method": "INCREMENTAL"})
    (stream,) = (stream for stream in both["streams"] if stream["stream"] == "identities")
    (root,) = (entry["metadata"] for entry in stream["metadata"] if not entry["breadcrumb"])
    root.update({"selected": True})
    with Sandbox(3) as sandbox:
        state = json.loads(sync({"base_url": sandbox.url}, catalog=both).splitlines()[-1])["value"]
    assert "replication_key_value" in state["bookmarks"]["users"]
    assert "replication_key_value" not in state["bookmarks"]["identities"]
