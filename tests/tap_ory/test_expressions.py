"""Which expressions are Python of their own, and that a map of such ones goes without dicts."""

import json
import logging
from contextlib import nullcontext
from typing import Any
from unittest import mock

import pytest
from singer_sdk.mapper import CustomStreamMap

from ory_reader.errors import SettingsError
from tap_ory.expressions import Compiler, Expression
from tests.tap_ory.sdk_messages import Json, catalog_of, sdk_messages, tap_messages

PAGE = json.dumps(
    [
        {"id": "a", "state": "active", "traits": {"email": "A@b.c", "name": {"first": "Ada"}}, "metadata_public": None},
        {"id": "b", "state": "inactive", "traits": {"email": "d@e.f", "zz": 1, "name": {"first": "Bo"}}},
        {"id": "c", "state": "active", "traits": {"zz": 1}},
    ]
).encode()
TRAITS = {
    "type": ["object", "null"],
    "properties": {
        "email": {"type": ["string", "null"]},
        "name": {"type": ["object", "null"], "properties": {"first": {"type": ["string", "null"]}}},
    },
}
RECOGNISED = [
    *("state", "traits", "'constant'", "17", "None", "record['state']", "_.get('external_id')", "record.state", "self"),
    *(
        "md5(traits.get('email') or '')",
        "sha256(config['salt'] + str(traits.email))",
        "traits['name']['first'].upper()",
    ),
    *("state == 'active' and traits is not None", "state in ['active', 'new']", "not traits", "id[:1] + id[-1]"),
    *(
        "traits['email'].split('@')[1]",
        "f\"{state}-{traits['email']!r}\"",
        "1 if state != 'x' else 2",
        "__stream_name__",
    ),
]
BY_SDK = ["json.dumps(state)", "[each for each in state]", "{'a': state}", "datetime.date(2026, 1, 2)", "f'{state:>9}'"]
CHANGING = ["traits.pop('zz', None)", "traits.update({'n': 1})", "[traits].pop().clear()", "record.pop('state')"]


def compiled(text: str, name: str = "state") -> Expression:
    stream_map = CustomStreamMap(
        stream_alias="people",
        map_config={"salt": "pepper"},
        faker_config={},
        raw_schema={"properties": {"id": {}}},
        key_properties=["id"],
        map_transform={},
        flattening_options=None,
        stream_name="identities",
    )
    fields = {each: each for each in ("id", "state", "traits", "external_id")}
    found = Compiler(stream_map, fields).compile(text, name)
    assert found is not None
    return found


@pytest.mark.parametrize("text", RECOGNISED)
def test_plain_expressions_are_recognised(text: str) -> None:
    assert compiled(text).python


@pytest.mark.parametrize("text", [*BY_SDK, *CHANGING])
def test_others_are_left_to_the_sdk(text: str) -> None:
    assert compiled(text).python is None
    assert compiled(text).may_change is (text in CHANGING)


def test_only_what_is_named_is_needed() -> None:
    assert compiled("json.dumps([state, traits['x']])").fields == {"state", "traits"}
    assert compiled("str(self)", "traits").fields == {"traits"}
    assert compiled("self", "external_id").field == "external_id"
    assert compiled("json.dumps(record)").names_record
    assert not compiled("record['state']").names_record


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("text", [*RECOGNISED, *BY_SDK, *CHANGING])
def test_each_gives_what_the_sdk_gives_without_a_dict_of_the_record(text: str, *, flat: bool) -> None:
    maps = {"state": text, "copy": "traits", "__filter__": "id != 'c'"}
    config: Json = {"stream_maps": {"identities": maps}, "stream_map_config": {"salt": "pepper"}}
    config |= {"flattening_enabled": True, "flattening_max_depth": 3} if flat else {}
    catalog = catalog_of("identities", TRAITS)
    needs_dicts = text in CHANGING and (flat or "record" in text)
    forbidden = mock.patch("ory_reader.records.decoder.RecordDecoder.dicts", side_effect=AssertionError)
    with nullcontext() if needs_dicts else forbidden:
        messages, failed = tap_messages(PAGE, catalog, **config)
    expected, also_failed = sdk_messages(PAGE, catalog, **config)
    assert not failed
    assert not also_failed
    assert [each for each in messages if each["type"] == "RECORD"] == expected
    assert len(expected) == 2


@pytest.mark.parametrize("more", [{}, {"copy": {"__source__": "identities"}}])
@pytest.mark.parametrize("text", ["traits['email']", "json.dumps(traits['email'])", "external_id"])
def test_records_before_an_error_are_written(text: str, more: Json) -> None:
    page = PAGE.replace(b'{"id": "a"', b'{"id": "a", "external_id": "x"').replace(
        b'{"id": "b"', b'{"id": "b", "external_id": "y"'
    )
    config: Json = {"stream_maps": {"identities": {"x": text}, **more}}
    messages, failed = tap_messages(page, catalog_of("identities"), **config)
    assert failed
    written = [(each["stream"], each["record"]["id"]) for each in messages if each["type"] == "RECORD"]
    assert written == [(stream, person) for person in ("a", "b") for stream in ("identities", *more)]


def test_what_is_filtered_out_is_not_counted(caplog: pytest.LogCaptureFixture) -> None:
    config: dict[str, Any] = {"flattening_enabled": True, "flattening_max_depth": 3}
    config["stream_maps"] = {"identities": {"__filter__": "state == 'active'"}}
    with caplog.at_level(logging.WARNING):
        tap_messages(PAGE, catalog_of("identities", TRAITS), **config)
    (told,) = [each.getMessage() for each in caplog.records if "have no column" in each.getMessage()]
    assert "traits__zz (1)." in told


TUPLES = json.dumps(
    [
        {"namespace": "n", "object": "o", "relation": "r", "subject_id": "u"},
        {
            "namespace": "n",
            "object": "o",
            "relation": "r",
            "subject_set": {"namespace": "m", "object": "p", "relation": ""},
        },
    ]
).encode()


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("text", ["relation", "md5(subject)", "json.dumps(subject)", "int(relation)", "subject_id"])
def test_it_is_the_same_for_streams_with_another_key(text: str, *, flat: bool) -> None:
    config: Json = {"stream_maps": {"relation_tuples": {"relation": text, "__filter__": "namespace == 'n'"}}}
    config |= {"flattening_enabled": True, "flattening_max_depth": 3} if flat else {}
    catalog = catalog_of("relation_tuples")
    messages, failed = tap_messages(TUPLES, catalog, **config)
    records = [each for each in messages if each["type"] == "RECORD"]
    assert (records, failed) == sdk_messages(TUPLES, catalog, **config)
    assert bool(records) is (text != "int(relation)")


def test_an_error_names_the_key_of_such_a_stream() -> None:
    config: Json = {"stream_maps": {"relation_tuples": {"x": "int(relation)"}}}
    with pytest.raises(SettingsError, match="for the record of relation_tuples n: ValueError"):
        tap_messages(TUPLES, catalog_of("relation_tuples"), raising=True, **config)
