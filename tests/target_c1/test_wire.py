"""Our bytes are those of Google's library, and are read back alike."""

import json
from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2, timestamp_pb2
from hypothesis import given
from hypothesis import strategies as st

from target_c1.wire import MAX_STRUCT_DEPTH, encode_struct, encode_timestamp

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.integers(120, 140).map("x".__mul__)
    | st.integers(8180, 8200).map("y".__mul__)
    | st.integers(16370, 16400).map("z".__mul__),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def struct_of(values: dict[str, Any]) -> struct_pb2.Struct:
    message = struct_pb2.Struct()
    message.update(values)
    return message


def read_back(data: bytes) -> dict[str, Any]:
    return json_format.MessageToDict(struct_pb2.Struct.FromString(data))


def assert_same(values: dict[str, Any]) -> None:
    """Alike in all but the order of keys, which the library leaves open."""
    data, expected = encode_struct(values), struct_of(values)
    assert struct_pb2.Struct.FromString(data) == expected
    assert len(data) == len(expected.SerializeToString())


@given(st.dictionaries(TEXTS, JSON, max_size=6))
def test_a_struct_is_what_the_reference_library_makes_of_it(values: dict[str, Any]) -> None:
    assert_same(values)


@given(TEXTS, JSON.filter(lambda value: not isinstance(value, (list, dict))))
def test_a_struct_of_one_value_has_the_bytes_of_the_reference_library(name: str, value: Any) -> None:
    assert encode_struct({name: value}) == struct_of({name: value}).SerializeToString(deterministic=True)


@given(st.dictionaries(st.text("abcäß名\U0001f600", max_size=3), st.none(), min_size=2, max_size=6))
def test_keys_are_in_the_order_of_their_bytes(values: dict[str, Any]) -> None:
    entries = [encode_struct({name: None}) for name in sorted(values, key=str.encode)]
    assert encode_struct(values) == b"".join(entries)


@pytest.mark.parametrize("size", [0, 1, 126, 127, 128, 129, 8191, 8192, 16383, 16384, 70_000])
def test_lengths_around_the_sizes_of_varints(size: int) -> None:
    for values in ({"k": "v" * size}, {"k" * size: "v"}, {"k": ["v" * size]}, {"k": {"v": "v" * size}}):
        assert encode_struct(values) == struct_of(values).SerializeToString(deterministic=True)


def test_more_names_than_are_kept() -> None:
    assert_same({f"name {number}": number for number in range(3000)})


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 2**64, -(10**40)])
def test_integers_that_a_double_would_change_are_texts(number: int) -> None:
    assert read_back(encode_struct({"n": number, "list": [number]})) == {"n": str(number), "list": [str(number)]}


@pytest.mark.parametrize("number", [2**53, -(2**53), 0, -1, 0.1, -1e-300, 1.7976931348623157e308])
def test_other_numbers_are_exact(number: float) -> None:
    assert read_back(encode_struct({"n": number})) == {"n": number}


@pytest.mark.parametrize("kind", ["object", "array"])
@pytest.mark.parametrize("depth", [MAX_STRUCT_DEPTH - 1, MAX_STRUCT_DEPTH, MAX_STRUCT_DEPTH + 1, 300])
def test_what_is_nested_too_deep_becomes_text_that_every_reader_can_follow(depth: int, kind: str) -> None:
    value: Any = "bottom"
    for _ in range(depth):
        value = {"a": value} if kind == "object" else [value]
    # Google's library refuses more than 100 messages within each other: parsing is the test.
    found: Any = struct_pb2.Struct.FromString(encode_struct({"top": value}))["top"]
    levels = 0
    while not isinstance(found, str):
        found = found["a"] if kind == "object" else found[0]
        levels += 1
    assert levels == min(depth, MAX_STRUCT_DEPTH)
    if found != "bottom":
        rest = json.loads(found)
        for _ in range(depth - MAX_STRUCT_DEPTH):
            rest = rest["a"] if kind == "object" else rest[0]
        assert rest == "bottom"


@given(st.integers(-62_135_596_800, 253_402_300_799), st.integers(0, 999_999_999))
def test_a_timestamp_has_the_bytes_of_the_reference_library(seconds: int, nanos: int) -> None:
    expected = timestamp_pb2.Timestamp(seconds=seconds, nanos=nanos).SerializeToString(deterministic=True)
    assert encode_timestamp((seconds, nanos)) == expected
