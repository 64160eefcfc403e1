"""Each value of a table is the one of the tap's record, for any page: a property, and real commands on real servers."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import groupby
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ory_reader
from ory_reader.arrow.batches import BatchMaker
from ory_reader.errors import AnswerError
from ory_reader.project import Project
from ory_reader.streams import STREAMS
from ory_reader.traits.shapes import traits_shape
from ory_sandbox import Sandbox
from tests.command import run_tap
from tests.ory_reader.arrow.tables import exact, of_column, of_record, plain, restored
from tests.ory_reader.records.test_decoder_properties import pages
from tests.ory_reader.streams.recorded import server_of
from tests.ory_reader.streams.test_recorded_lists import RECORDED, at, rows_of

TEXT, NUMBER, INTEGER, FLAG = ({"type": kind} for kind in ("string", "number", "integer", "boolean"))
DOCUMENT = {
    "properties": {
        "traits": {
            "type": "object",
            "properties": {
                "name": {"type": "object", "properties": {"first": TEXT, "name": INTEGER, "note": {}}},
                "first": NUMBER,
                "note": {"type": "array", "items": {"type": "object", "properties": {"config": NUMBER, "note": FLAG}}},
                "config": {"type": "array"},
            },
        }
    }
}
SHAPES = {"one": traits_shape(DOCUMENT)}
TRAITS_FIELD = {"identities": "traits", "users": "profile"}
#: Nobody is asked.
PROJECT = ory_reader.settings(base_url="http://127.0.0.1:1")


def columns_of(stream: str, *, nested: bool) -> list[str]:
    return [
        name
        for name in STREAMS[stream].schema(None)["properties"]
        if name != "changed_at" and (nested or name != "nonconforming_traits")
    ]


def both(stream: str, body: bytes, *, nested: bool) -> tuple[list[Any], list[Any], dict[str, Any]]:
    """The rows of the table and the tap's records of a page, each with its nulls, and the schema."""
    schema = STREAMS[stream].schema(SHAPES if nested else None)
    names = columns_of(stream, nested=nested)
    decoder = STREAMS[stream].decoder(
        Project(PROJECT, SHAPES), schema, defaultdict(lambda: True), {}, changes_only=False
    )
    rows = decoder.rows(body)
    lines = msgspec.json.Encoder().encode_lines(decoder.records(rows)).splitlines()
    maker = BatchMaker(schema, names, nested=nested, traits=TRAITS_FIELD[stream])
    found: list[Any] = []
    for _, alike in groupby(rows, type):
        batch = maker.batch(list(alike))
        batch.validate(full=True)
        found += batch.to_pylist()
    return found, [exact(line) for line in lines], schema


def compared(row: dict[str, Any], record: dict[str, Any], schema: dict[str, Any], traits: str, *, nested: bool) -> None:
    members = schema["properties"]
    expected = {name: of_record(record.get(name), members[name], nested=nested) for name in row}
    found = {name: of_column(value, members[name], nested=nested) for name, value in row.items()}
    for name, value in expected.items():
        if isinstance(value, tuple) and value[0] == "json":
            expected[name], found[name] = value[1], exact(found[name])
    if nested and traits:
        kept = "nonconforming_traits"
        expected |= {traits: restored(record.get(traits), record.get(kept)), kept: None}
        found |= {traits: restored(found[traits], found[kept]), kept: None}
    assert plain(found) == plain(expected)


@pytest.mark.parametrize("nested", [False, True], ids=["json", "typed"])
@pytest.mark.parametrize("stream", ["identities", "users"])
@given(data=st.data())
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
def test_any_page_gives_the_values_of_the_records(stream: str, nested: bool, data: st.DataObject) -> None:  # noqa: FBT001
    # A name of ours, which no server of Ory's has.
    body = data.draw(pages()).replace(b'"nonconforming_traits"', b'"another_name"')
    try:
        rows, records, schema = both(stream, body, nested=nested)
    except AnswerError:
        # Never a value that is not the one of the record: a time that is none has no place in a column.
        return
    assert len(rows) == len(records)
    for row, record in zip(rows, records, strict=True):
        compared(row, record, schema, TRAITS_FIELD[stream], nested=nested)


TRAITS = [
    '{"first":99.50}',
    '{"first":0.1}',
    '{"first":48.842100000000002}',
    '{"first":12345678901234567890}',
    '{"first":1e400}',
    '{"first":1E2}',
    '{"first":"text"}',
    '{"name":{"first":"a\\u0000\\"b","name":9223372036854775807,"note":{"deep":[1,2.50]}}}',
    '{"name":{"name":9223372036854775808}}',
    '{"name":{"name":3.0}}',
    '{"undeclared":{"a":[1]},"null":null}',
    '{"note":[{"config":1.23456789012345678,"extra/~":2},null,{"note":true}]}',
    '{"config":[1,"two",{"three":3}]}',
    '{"undeclared":' + "[" * 200 + "]" * 200 + "}",
    "null",
    "[]",
    "17",
    '"text"',
]


@pytest.mark.parametrize("nested", [False, True], ids=["json", "typed"])
@pytest.mark.parametrize("apart", [False, True], ids=["on one page", "apart"])
def test_odd_traits(nested: bool, apart: bool) -> None:  # noqa: FBT001
    rows = [f'{{"id":"{number:036}","traits":{traits}}}' for number, traits in enumerate(TRAITS)]
    for body in rows if apart else [",".join(rows)]:
        found, records, schema = both("identities", f"[{body}]".encode(), nested=nested)
        for row, record in zip(found, records, strict=True):
            compared(row, record, schema, "traits", nested=nested)


@pytest.mark.parametrize(
    ("given_time", "microseconds"),
    [
        ("2026-01-02T03:04:05.123456789Z", 1767323045123456),
        ("2026-01-02T03:04:05.999999999Z", 1767323045999999),
        ("1969-12-31T23:59:59.9999999Z", -1),
        ("1969-12-31T23:59:59.0000001Z", -1_000_000),
        ("2026-01-02T05:04:05+02:00", 1767323045000000),
        ("2026-01-02T05:04:05.1234567+02:00", 1767323045123456),
        ("0001-01-01T00:00:00Z", -62135596800000000),
        ("9999-12-31T23:59:59.999999999Z", 253402300799999999),
        ("2026-01-02t03:04:05z", 1767323045000000),
    ],
)
def test_times_are_cut_to_microseconds_and_never_wrong(given_time: str, microseconds: int) -> None:
    usual = '"2026-01-02T03:04:05Z"'
    for others in ([], [usual], ["null", usual]):
        times = [f'"{given_time}"', *others]
        body = ",".join(f'{{"id":"{n:036}","created_at":{time}}}' for n, time in enumerate(times))
        schema = STREAMS["identities"].schema(None)
        decoder = STREAMS["identities"].decoder(
            Project(PROJECT, {}), schema, defaultdict(lambda: True), {}, changes_only=False
        )
        batch = BatchMaker(schema, ["created_at"]).batch(decoder.rows(f"[{body}]".encode()))
        assert str(batch.schema.field("created_at").type) == "timestamp[us, tz=UTC]"
        assert batch.column(0)[0].value == microseconds


@pytest.mark.parametrize(
    "wrong",
    ['"2026-01-02"', '"2026-01-02Z"', '"2026-02-30T00:00:00Z"', '"never"', "17", "{}", '""', '"2026-01-02T03:04:05"'],
)
def test_what_is_no_time_ends_the_read(wrong: str) -> None:
    body = f'[{{"id":"{0:036}","created_at":{wrong}}}]'.encode()
    with pytest.raises(AnswerError, match="created_at") as raised:
        both("identities", body, nested=False)
    assert wrong.strip('"') in {"", "17", "{}"} or wrong.strip('"') not in str(raised.value)


def records_of_the_command(url: str, stream: str, **environment: str) -> dict[str, Any]:
    done = run_tap("--select", stream, environment={"TAP_ORY_BASE_URL": url, **environment})
    assert done.code == 0, done.stderr
    messages = [exact(line) for line in done.stdout.splitlines()]
    return {each["record"]["id"]: each["record"] for each in messages if each["type"] == "RECORD"}


def compare_with_the_command(url: str, stream: str, *, nested: bool) -> int:
    typed = "on" if nested or stream == "users" else "off"
    records = records_of_the_command(
        url, stream, TAP_ORY_IDENTITY_SCHEMAS=typed.replace("on", "true"), TAP_ORY_CREDENTIAL_METADATA="true"
    )
    read = ory_reader.read(stream, base_url=url, credential_metadata=True, traits="typed" if nested else "json")
    project = ory_reader.settings(base_url=url)
    schema = ory_reader.plan(project).schema(stream) if nested else STREAMS[stream].schema(None)
    rows = read.to_table().to_pylist()
    assert sorted(row["id"] for row in rows) == sorted(records)
    traits = TRAITS_FIELD[stream]
    for row in rows:
        compared(row, _as_it_came(records[row["id"]], traits, nested=nested), schema, traits, nested=nested)
    return len(rows)


def _as_it_came(record: dict[str, Any], traits: str, *, nested: bool) -> dict[str, Any]:
    """The record of a tap that knew the types, where the table does not."""
    if nested:
        return record
    return {**record, traits: restored(record.get(traits), record.get("nonconforming_traits"))}


@pytest.mark.parametrize("nested", [False, True], ids=["json", "typed"])
@pytest.mark.parametrize("stream", ["identities", "users"])
def test_a_table_has_what_the_command_writes(stream: str, nested: bool) -> None:  # noqa: FBT001
    with Sandbox(300) as sandbox:
        assert compare_with_the_command(sandbox.url, stream, nested=nested) == 300


@pytest.mark.parametrize("nested", [False, True], ids=["json", "typed"])
@pytest.mark.parametrize(("stream", "name"), [(stream, name) for stream in RECORDED for name in RECORDED[stream]])
def test_every_list_is_a_table_of_what_its_server_was_recorded_to_answer(stream: str, name: str, nested: bool) -> None:  # noqa: FBT001
    with server_of(name) as server:
        server_setting: dict[str, Any] = {**at(stream, server.url)}
        traits: Any = "typed" if nested else "json"
        read = ory_reader.read(stream, base_url="http://127.0.0.1:1", traits=traits, **server_setting)
        rows = read.to_table().to_pylist()
    schema = STREAMS[stream].schema()
    # With its setting alone comes what is any JSON.
    withheld = {place.strip("/") for place in STREAMS[stream].resource.withheld} | {"metadata"}
    told = [{key: row[key] for key in row if key not in withheld} for row in rows_of(name)]
    recorded = exact(json.dumps(told))
    assert len(rows) == len(recorded) > 0
    for row, record in zip(rows, recorded, strict=True):
        assert list(row) == list(schema["properties"])
        compared(row, record, schema, "", nested=nested)
