"""With flattening, every RECORD fits its SCHEMA: columns are what the SCHEMA says, and there are no others."""

import json
import logging
from typing import Any

import pytest
from jsonschema import Draft7Validator

from ory_sandbox import Sandbox
from tap_ory.flattening import MAX_BYTES, shortened
from tap_ory.tap import TapOry
from tests.command import sync

Json = dict[str, Any]
TEXT = {"type": "string"}


def flat(depth: int = 3, **config: Any) -> Json:
    return {"flattening_enabled": True, "flattening_max_depth": depth, **config}


def flattened(
    sandbox: Sandbox, stream: str = "identities", *, people: int = 1, **config: Any
) -> tuple[Json, list[Json]]:
    """The columns and the rows of a stream; each row fits its SCHEMA and has no other keys than that."""
    settings = {"base_url": sandbox.url, **flat(), **config}
    catalog = json.loads(json.dumps(TapOry(config=settings, setup_mapper=False).catalog_dict))
    for entry in catalog["streams"]:
        (root,) = [each["metadata"] for each in entry["metadata"] if not each["breadcrumb"]]
        root["selected"] = entry["tap_stream_id"] == stream
    messages = [json.loads(line) for line in sync(settings, catalog=catalog).splitlines()]
    (schema,) = [message["schema"] for message in messages if message["type"] == "SCHEMA"]
    rows = [message["record"] for message in messages if message["type"] == "RECORD"]
    assert len(rows) == people
    validator = Draft7Validator({**schema, "additionalProperties": False})
    for row in rows:
        validator.validate(row)
    return schema["properties"], rows


def one(traits: str, *properties: Any, **config: Any) -> tuple[Json, Json]:
    """Columns and row of somebody with these traits, as JSON, where schemas of traits have these properties."""
    schemas = [
        (f"s{number}", {"properties": {"traits": {"type": "object", "properties": each}}})
        for number, each in enumerate(properties)
    ]
    person: Json = {"schema_id": "s0", "traits": json.loads(traits), "metadata_public": config.pop("metadata", None)}
    with Sandbox([person], schemas=schemas) as sandbox:
        columns, (row,) = flattened(sandbox, **config)
    return columns, row


@pytest.mark.parametrize("stream", ["identities", "users"])
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("manner", ["v1.0", "network"])
def test_the_sandboxes_own_people_fit_their_schema(manner: str, depth: int, stream: str) -> None:
    key = {"api_token": "ory_pat_x"} if manner == "network" else {}
    with Sandbox(1000, manner=manner, api_token=key.get("api_token")) as sandbox:
        flattened(sandbox, stream, people=1000, flattening_max_depth=depth, credential_metadata=True, **key)


@pytest.mark.parametrize("value", ["5", "99.5", "true", '"x"', "null", '{"a":1}', "[1,null]"])
def test_what_is_no_text_is_json_in_a_text_column(value: str) -> None:
    columns, row = one(f'{{"flex":{value}}}', {"flex": {}}, metadata=json.loads(value))
    for name, found in (("flex", row["traits__flex"]), ("metadata", row["metadata_public"])):
        assert found == (json.loads(value) if value[0] in '"n' else value), name
    assert set(columns["traits__flex"]["type"]) == {"string", "null"}


def test_a_number_in_a_text_column_is_as_it_was_written() -> None:
    schema = ("s", {"properties": {"traits": {"type": "object", "properties": {"n": {}}}}})
    with Sandbox(0, schemas=[schema]) as sandbox:
        settings = {"base_url": sandbox.url, **flat()}
        tap = TapOry(config=settings, catalog=TapOry(config=settings).catalog_dict)
    (stream,) = [each for each in tap.ory_streams if each.name == "identities"]
    decoder = stream.decoder()
    rows = decoder.rows(b'[{"id":"a","traits":{"n":99.50}},{"id":"b","traits":{"n":1e3}}]')
    found = [message.record for each in decoder.dicts(rows) for message in stream._generate_record_messages(each)]
    assert [each["traits__n"] for each in found] == ["99.50", "1e3"]


@pytest.mark.parametrize("stream", ["identities", "users"])
def test_what_no_column_has_is_left_out_and_told_once(stream: str, caplog: pytest.LogCaptureFixture) -> None:
    schema = ("s", {"properties": {"traits": {"type": "object", "properties": {"email": TEXT}}}})
    people = [{"schema_id": "s", "traits": {"email": "a@b.c", "nick": "x-secret", "none": None}}] * 3
    with Sandbox([{**each} for each in people], schemas=[schema]) as sandbox:
        columns, rows = flattened(sandbox, stream, people=3)
    field = {"identities": "traits", "users": "profile"}[stream]
    assert f"{field}__email" in columns
    assert [row[f"{field}__email"] for row in rows] == ["a@b.c"] * 3
    (told,) = [each for each in caplog.records if "have no column" in each.getMessage()]
    assert told.levelno == logging.WARNING
    assert (
        f"3 value(s) have no column and were left out, as no schema declares them: {field}__nick (3)."
        in told.getMessage()
    )
    assert "x-secret" not in caplog.text


def test_an_undeclared_trait_never_takes_the_place_of_a_declared_one() -> None:
    name = {"type": "object", "properties": {"first": TEXT}}
    for traits in ('{"name__first":"wrong","name":{"first":"Ada"}}', '{"name":{"first":"Ada"},"name__first":"wrong"}'):
        assert one(traits, {"name": name})[1]["traits__name__first"] == "Ada"
    assert "traits__name__first" not in one('{"name__first":"wrong"}', {"name": name})[1]


def test_below_the_depth_an_object_is_json_as_text() -> None:
    name = {"type": "object", "properties": {"first": TEXT}}
    columns, row = one('{"name":{"first":"Ada","more":1}}', {"name": name}, flattening_max_depth=1)
    assert columns["traits__name"]["type"] == ["string", "null"]
    assert json.loads(row["traits__name"]) == {"first": "Ada", "more": 1}


def test_stream_maps_and_flattening_go_together() -> None:
    maps = {"identities": {"nick": "traits['nick']", "copy": "metadata_public", "traits": None}}
    columns, row = one('{"nick":"Al"}', {"email": TEXT}, metadata=True, stream_maps={**maps})
    assert "traits__email" not in columns
    assert row["nick"] == "Al"


LONG = "a_very_long_name_of_a_trait_that_somebody_has_thought_of_for_department"


def test_names_are_short_enough_for_postgres_and_stay_different() -> None:
    names = [f"{LONG}_1", f"{LONG}_2", "ж" * 40, f"{'ж' * 40}x", "short"]
    nested = {"type": "object", "properties": dict.fromkeys(names, TEXT)}
    traits = {**{name: name for name in names}, "nested": {name: f"nested {name}" for name in names}}
    columns, row = one(json.dumps(traits), {**dict.fromkeys(names, TEXT), "nested": nested})
    mine = [name for name in columns if name.startswith("traits__")]
    assert len(mine) == 10
    assert len({name.encode()[:MAX_BYTES].decode(errors="ignore").casefold() for name in columns}) == len(columns)
    assert max(len(name.encode()) for name in columns) <= MAX_BYTES
    assert sorted(row[name] for name in mine) == sorted([*names, *(f"nested {name}" for name in names)])
    assert "traits__short" in mine
    # Who wants longer names, and has a warehouse that takes them, says so.
    columns, _ = one(json.dumps(traits), dict.fromkeys(names, TEXT), flattening_max_key_length=255)
    assert {f"traits__{name}" for name in names} <= set(columns)


@pytest.mark.parametrize("name", ["x", "x" * 63, "ж" * 31])
def test_a_short_name_stays(name: str) -> None:
    assert shortened(name, MAX_BYTES) == name


def test_a_shortened_name_is_the_same_whatever_else_there_is() -> None:
    assert shortened("x" * 64, MAX_BYTES) == "x" * 54 + "_" + shortened("x" * 64, MAX_BYTES)[-8:]
    assert shortened("x" * 64, MAX_BYTES) != shortened("x" * 65, MAX_BYTES)
    assert len(shortened("ж" * 32, MAX_BYTES).encode()) <= MAX_BYTES
