"""Columns: text with JSON in it, as the SDK writes JSON; decoded values; the parts of objects."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw
from singer_sdk.singerlib.json import serialize_json

from ory_reader.lossless_json import loads
from tap_ory.columns import Parts, Texts, UnusableNameError, decoded, written
from tap_ory.flattening import Column, Members
from tests.tap_ory.test_compiled_maps import anything

ADDRESS = {"type": "object", "properties": {"id": {"type": "string"}, "verified": {"type": "boolean"}, "n": {}}}
SCHEMAS: list[Any] = [
    {},
    {"type": "string"},
    {"type": ["array", "null"], "items": ADDRESS},
    ADDRESS,
    {"type": "object"},
]
#: What is declared, and what is nearly so: in another order, twice, with white space, with a member more.
USUAL = [
    '[{"id":"a","verified":true,"n":1.50}]',
    '[{"verified":true,"id":"a"}]',
    '[{"id":"a","id":"b"}]',
    '[{"id": "a"}]',
    '[{"id":"a","more":[]}]',
    '{"id":"\\u00e9\\u007f\\n","n":{"x":-0}}',
    "null",
    "[]",
]


def as_sdk(text: str) -> Any:
    value = loads(text)
    return value if value is None or isinstance(value, str) else serialize_json(value)


@given(
    texts=st.lists(anything | st.sampled_from(USUAL), max_size=4), schema=st.sampled_from(SCHEMAS), gaps=st.booleans()
)
def test_what_is_no_text_is_json_as_the_sdk_writes_it(texts: list[str], schema: Any, gaps: bool) -> None:  # noqa: FBT001
    column: list[Any] = [Raw(text.strip().encode()) for text in texts]
    expected: list[Any] = [as_sdk(text) for text in texts]
    made = Texts(schema)
    for _ in range(2):
        assert made.read([UNSET, *column] if gaps else column) == ([UNSET, *expected] if gaps else expected)
    assert decoded(column) == [loads(text) for text in texts]


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("text", USUAL)
def test_what_is_declared_is_no_other_text(text: str, schema: Any) -> None:
    assert Texts(schema).read([Raw(text.encode())]) == [as_sdk(text)]


@pytest.mark.parametrize("text", ["1" * 5000, f"[{'1' * 5000}]", '"\\ud800"', '["\\ud800"]', "1e99999999999999999999"])
def test_what_no_decoder_takes_comes_through(text: str) -> None:
    assert Texts({}).read([Raw(text.encode()), Raw(b"17")]) == [as_sdk(text), "17"]


def test_what_is_nested_without_end_stays_as_it_is() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    assert Texts({}).read([Raw(deep.encode())]) == [deep]


def test_values_that_are_no_bytes_are_json_too() -> None:
    assert Texts({}).read([["é"], None, "x", True, UNSET]) == ['["\\u00e9"]', None, "x", "true", UNSET]


@pytest.mark.parametrize("value", ["é", "\ud800", "x", None, True, 17, 1.5, float("nan"), {"a": {1}}, (1,), b"x"])
def test_a_value_that_was_evaluated_is_written_as_by_the_sdk(value: Any) -> None:
    import msgspec  # noqa: PLC0415

    assert json.loads(msgspec.json.encode(written(value))) == json.loads(serialize_json(value))


MEMBERS = Members(
    "traits",
    "traits__",
    {
        "email": Column("traits__email", is_text=True, declared={"type": "string"}),
        "name": Members("traits__name", "traits__name__", {"first": Column("first")}),
        "none": "traits__none",
    },
)


def test_parts_tell_what_has_no_place() -> None:
    parts = Parts(MEMBERS)
    known, nothing, missing = parts.read([Raw(b'{"email":"a","name":{"first":1.50}}'), Raw(b"null"), UNSET])
    assert (known.f0, bytes(known.f1.f0)) == ("a", b"1.50")
    assert nothing.f0 is missing.f0 is UNSET
    assert parts.undeclared is None
    (more, _) = parts.read([Raw(b'{"x":1,"y":null,"none":2,"name":{"last":3},"email":null}'), Raw(b"{}")])
    assert more.f0 is None
    assert parts.undeclared == [["traits__x", "traits__none", "traits__name__last"], []]


def test_a_name_that_no_struct_takes_is_none() -> None:
    with pytest.raises(UnusableNameError):
        Parts(Members("t", "t__", {'quo"te': Column("x")}))
