"""Stream maps and flattening that a user got wrong: one line that names the setting, and nothing of a person."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from ory_reader.errors import SettingsError
from ory_reader.streams import STREAMS
from ory_sandbox import Sandbox
from tap_ory.mapping import Mapper
from tap_ory.tap import TapOry
from tests.command import records, run_tap, sync

PEOPLE = 12
FLAT = {"flattening_enabled": True, "flattening_max_depth": 3}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(PEOPLE) as running:
        yield running


def refused(sandbox: Sandbox, **config: Any) -> str:
    with pytest.raises(SettingsError) as told:
        sync({"base_url": sandbox.url, **config})
    assert "\n" not in str(told.value)
    assert not [row for row in sandbox.identities if str(row["traits"].get("email")) in str(told.value)]
    return str(told.value)


@pytest.mark.parametrize(
    ("maps", "setting", "kind"),
    [
        ({"identities": {"x": "traits['nope'].lower()"}}, "stream_maps.identities.x", "KeyError"),
        ({"identities": {"x": "int(state)"}}, "stream_maps.identities.x", "ValueError"),
        ({"identities": {"x": "1/0"}}, "stream_maps.identities.x", "ZeroDivisionError"),
        ({"identities": {"x": "nope(1)"}}, "stream_maps.identities.x", "FunctionNotDefined"),
        ({"identities": {"x": "state + 1"}}, "stream_maps.identities.x", "TypeError"),
        ({"identities": {"x": "state.__class__"}}, "stream_maps.identities.x", "FeatureNotAvailable"),
        ({"identities": {"x": "md5"}}, "stream_maps.identities.x", "a function or a module"),
        ({"identities": {"x": "json"}}, "stream_maps.identities.x", "a function or a module"),
        ({"identities": {"__filter__": "nope"}}, "stream_maps.identities.__filter__", "NameNotDefined"),
        ({"identities": {"__alias__": "people", "x": "1/0"}}, "stream_maps.identities.x", "ZeroDivisionError"),
        ({"people": {"__source__": "identities", "x": "1/0"}}, "stream_maps.people.x", "ZeroDivisionError"),
        ({"*": {"x": "1/0"}}, "stream_maps.*.x", "ZeroDivisionError"),
        ({"ident*": {"x": "1/0"}}, "stream_maps.ident*.x", "ZeroDivisionError"),
        ({"identities": {"x": "import os"}}, "stream_maps.identities", "StreamMapConfigError"),
    ],
)
def test_an_expression_that_fails_at_a_record_is_named(
    sandbox: Sandbox, maps: dict[str, Any], setting: str, kind: str
) -> None:
    told = refused(sandbox, stream_maps=maps)
    assert told.startswith(f"Setting {setting} cannot be evaluated for the identity ")
    assert kind in told
    assert any(row["id"] in told for row in sandbox.identities)


def test_it_is_one_line_of_the_command_without_a_person_at_any_level(sandbox: Sandbox) -> None:
    for level in ("info", "debug"):
        maps = {"identities": {"x": "int(str(traits))"}}
        given = {"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_STREAM_MAPS": json.dumps(maps), "TAP_ORY_LOGLEVEL": level}
        run = run_tap(environment=given)
        assert run.code == 1
        (line,) = run.logged("ERROR")
        assert line.startswith("Setting stream_maps.identities.x cannot be evaluated for the identity ")
        assert "fault of tap-ory" not in run.stderr
        assert {message["type"] for message in run.messages} <= {"SCHEMA", "STATE"}
        emails = [str(row["traits"]["email"]) for row in sandbox.identities if row["traits"].get("email")]
        assert emails
        assert not [email for email in emails if email in run.stderr]


@pytest.mark.parametrize(
    ("maps", "words"),
    [
        ({"identities": {"x": "foo("}}, "foo("),
        ({"identities": {"__filter__": "foo("}}, "foo("),
        ({"identities": {"x": ""}}, "with nothing in it"),
        ({"identities": {"id": None}}, "Removing key property 'id'"),
        ({"identities": {"__else__": None, "x": "state"}}, "'id' was not detected"),
    ],
)
def test_what_cannot_be_compiled_is_named(sandbox: Sandbox, maps: dict[str, Any], words: str) -> None:
    told = refused(sandbox, stream_maps=maps)
    assert told.startswith("Setting stream_maps")
    assert words in told


@pytest.mark.parametrize(
    "maps", [{"__else__": "x"}, {"__else__": 7}, {"__other__": {}}, {"identities": "x"}, {"identities": {"x": 7}}]
)
def test_what_is_no_map_is_named(sandbox: Sandbox, maps: dict[str, Any]) -> None:
    assert refused(sandbox, stream_maps=maps).startswith("Setting stream_maps")


def test_a_map_of_a_stream_that_is_not_selected_is_not_compiled(sandbox: Sandbox) -> None:
    expected = sorted(row["id"] for row in sandbox.identities)
    for maps in ({"users": {"x": "foo("}}, {"*": {"x": "schema_id"}}, {"*": {"x": "md5(schema_url)"}}):
        found = records(sync({"base_url": sandbox.url, "stream_maps": maps}))
        assert sorted(record["id"] for record in found) == expected
        assert all(("x" in record) is ("*" in maps) for record in found)
    catalog = json.loads(json.dumps(TapOry(config={"base_url": sandbox.url}, setup_mapper=False).catalog_dict))
    for entry in catalog["streams"]:
        (root,) = [each["metadata"] for each in entry["metadata"] if not each["breadcrumb"]]
        root["selected"] = True
    with pytest.raises(SettingsError, match=r"foo\("):
        sync({"base_url": sandbox.url, "stream_maps": {"users": {"x": "foo("}}}, catalog=catalog)


def test_a_map_of_no_stream_is_warned_of(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    maps: dict[str, Any] = {"identitys": {"x": "foo("}, "p": {"__source__": "nobody"}, "ident*": {}, "users": None}
    with caplog.at_level(logging.WARNING):
        assert len(records(sync({"base_url": sandbox.url, "stream_maps": maps}))) == PEOPLE
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warned == [
        "Setting stream_maps.identitys is ignored, as there is no stream 'identitys'; did you mean 'identities'?",
        f"Setting stream_maps.p is ignored, as there is no stream 'nobody': there are {', '.join(STREAMS)}.",
    ]


def test_the_users_own_settings_are_left_as_they_are(sandbox: Sandbox) -> None:
    config: dict[str, Any] = {"stream_maps": {"__else__": None, "identities": {"x": "state"}}}
    for _ in range(2):
        Mapper(config, logging.getLogger("tap-ory"), ["identities"])
    assert config == {"stream_maps": {"__else__": None, "identities": {"x": "state"}}}


@pytest.mark.parametrize("length", [0, -1, 1, 5, 8])
def test_a_length_that_makes_one_name_of_several_columns_is_named(sandbox: Sandbox, length: int) -> None:
    told = refused(sandbox, **FLAT, flattening_max_key_length=length)
    assert told.startswith("Setting flattening_max_key_length ")


def test_a_separator_that_makes_one_name_of_several_columns_is_named() -> None:
    traits = {"a": {"type": "object", "properties": {"b": {"type": "string"}}}, "a.b": {"type": "string"}}
    schemas = [("s", {"properties": {"traits": {"type": "object", "properties": traits}}})]
    with Sandbox([{"schema_id": "s", "traits": {}}], schemas=schemas) as sandbox:
        told = refused(sandbox, **FLAT, flattening_separator=".")
        assert told.startswith("Setting flattening_separator makes one name of several columns of identities")
        assert records(sync({"base_url": sandbox.url, **FLAT}))


def test_a_depth_is_needed_and_not_negative(sandbox: Sandbox) -> None:
    assert refused(sandbox, flattening_enabled=True).startswith("Setting flattening_max_depth is missing")
    negative = refused(sandbox, flattening_enabled=True, flattening_max_depth=-5)
    assert negative == "Setting flattening_max_depth must be at least 0."
