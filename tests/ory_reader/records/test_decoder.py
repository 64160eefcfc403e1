"""Records: what is kept of a page, and the lines that it becomes. Properties are in test_records_properties.py."""

import json
from decimal import Decimal
from typing import Any

import pytest
from singer_sdk.singerlib import SelectionMask

from ory_reader.errors import AnswerError
from ory_reader.records.decoder import RecordDecoder
from ory_reader.records.projection import project, prune
from ory_reader.streams import STREAMS
from tap_ory.record_lines import record_lines

IDENTITY = STREAMS["identities"].schema(None)
SECRET = "$2a$04$never"


def encoder(*deselected: tuple[str, ...], schema: dict[str, Any] | None = None) -> RecordDecoder:
    """What a catalog with these breadcrumbs deselected makes."""
    mask = SelectionMask(dict.fromkeys(deselected, False))
    return RecordDecoder(project(schema or IDENTITY, mask))


def properties(*names: str) -> tuple[str, ...]:
    """The breadcrumb of a field: its name, then the names below it."""
    return tuple(part for name in names for part in ("properties", name))


def lines(body: bytes, made: RecordDecoder | None = None, **cut: Any) -> list[bytes]:
    made = made or encoder()
    return record_lines("identities", made.records(made.rows(body, **cut))).splitlines()


def records(body: bytes, made: RecordDecoder | None = None, **cut: Any) -> list[Any]:
    return [json.loads(line)["record"] for line in lines(body, made, **cut)]


def test_a_record_is_what_the_server_gave_byte_for_byte() -> None:
    text = '{"id":"a","traits":{"n":1.10e+2,"s":"\\u0026 \\/ \u00e9\\ud83d\\ude00"},"metadata_public":[17,null]}'
    (line,) = lines(f"[{text}]".encode())
    assert line.startswith(b'{"type":"RECORD","stream":"identities","record":' + text.encode() + b',"time_extracted":"')


def test_a_page_becomes_as_many_lines_each_with_its_version() -> None:
    made = RecordDecoder(project(IDENTITY, SelectionMask()))
    rows = made.rows(b'[{"id":"a"},{"id":"b"},{"id":"c"}]')
    block = record_lines("identities", made.records(rows), version=17)
    assert block.endswith(b"\n")
    messages = [json.loads(line) for line in block.splitlines()]
    assert [(each["type"], each["stream"], each["record"]["id"], each["version"]) for each in messages] == [
        ("RECORD", "identities", each, 17) for each in "abc"
    ]


def test_an_empty_page_becomes_nothing() -> None:
    assert lines(b"[]") == []
    assert lines(b" [ \n ] ") == []
    assert list(encoder().dicts([])) == []


@pytest.mark.parametrize(
    ("upper", "seen", "kept"),
    [(None, (), "abc"), ("b", (), "ab"), ("a", {"a"}, ""), (None, {"b"}, "ac"), ("c", (), "abc"), ("0", (), "")],
)
def test_rows_of_other_slices_and_rows_already_seen_are_left_out(upper: str | None, seen: set[str], kept: str) -> None:
    for body in (b'[{"id":"a"},{"id":"b"},{"id":"c"}]', b'[{"id":"a","traits":"\\ud800"},{"id":"b"},{"id":"c"}]'):
        assert [row["id"] for row in records(body, upper=upper, seen=seen)] == list(kept)


def test_what_the_schema_does_not_declare_at_the_top_is_dropped_and_kept_below() -> None:
    body = b'[{"id":"a","brand_new":1,"verifiable_addresses":[{"id":"x","brand_new":2}]}]'
    assert records(body) == [{"id": "a", "verifiable_addresses": [{"id": "x", "brand_new": 2}]}]


@pytest.mark.parametrize(
    "credentials",
    [
        {"password": {"type": "password", "config": {"hashed_password": SECRET}}},
        {"password": {"config": SECRET}, "brand_new": {"config": [SECRET]}, "none": None},
        {"password": [{"config": SECRET}]},
        {"password": SECRET},
        [{"config": SECRET}],
        SECRET,
    ],
)
def test_a_credentials_secret_never_leaves(credentials: Any) -> None:
    body = json.dumps([{"id": "a", "credentials": credentials}]).encode()
    assert SECRET.encode() in body
    (line,) = lines(body)
    assert SECRET.encode() not in line
    assert json.loads(line)["record"]["id"] == "a"


def test_of_a_credential_the_rest_is_kept() -> None:
    kept = {"type": "oidc", "identifiers": ["github:1"], "version": 0, "created_at": "c", "updated_at": "u"}
    body = json.dumps([{"id": "a", "credentials": {"oidc": {**kept, "config": {}}, "totp": None}}]).encode()
    assert records(body) == [{"id": "a", "credentials": {"oidc": kept, "totp": None}}]


ROW: dict[str, Any] = {
    "id": "a",
    "credentials": {"oidc": {"type": "oidc", "identifiers": ["x"]}, "totp": {"type": "totp", "identifiers": []}},
    "traits": {"email": "e", "name": {"first": "f", "last": "l"}, "tags": [{"k": 1, "v": 2}, "tag"]},
    "verifiable_addresses": [{"id": "1", "value": "v", "new": 1}, {"id": "2"}],
    "metadata_public": [{"note": 1, "x": 2}, 3],
}


@pytest.mark.parametrize(
    ("deselected", "changed"),
    [
        ([("properties", "traits")], {"traits": None}),
        ([properties("id")], {}),
        (
            [properties("traits", "email")],
            {"traits": {"name": {"first": "f", "last": "l"}, "tags": ROW["traits"]["tags"]}},
        ),
        (
            [properties("traits", "name", "last"), properties("traits", "tags")],
            {"traits": {"email": "e", "name": {"first": "f"}}},
        ),
        (
            [properties("traits", "tags", "k")],
            {"traits": {**ROW["traits"], "tags": [{"v": 2}, "tag"]}},
        ),
        ([properties("metadata_public", "note")], {"metadata_public": [{"x": 2}, 3]}),
        (
            [("properties", "verifiable_addresses", "items", "properties", "value")],
            {"verifiable_addresses": [{"id": "1", "new": 1}, {"id": "2"}]},
        ),
        (
            [("properties", "credentials", "additionalProperties", "properties", "identifiers")],
            {"credentials": {"oidc": {"type": "oidc"}, "totp": {"type": "totp"}}},
        ),
        ([properties("credentials", "oidc")], {"credentials": {"totp": ROW["credentials"]["totp"]}}),
    ],
)
def test_deselected_members_are_dropped_and_nothing_else(
    deselected: list[tuple[str, ...]], changed: dict[str, Any]
) -> None:
    expected = {key: value for key, value in {**ROW, **changed}.items() if value is not None}
    assert records(json.dumps([ROW]).encode(), encoder(*deselected)) == [expected]


@pytest.mark.parametrize("traits", ["text", 17, None, True, [], [["x"]]])
def test_where_an_object_is_open_other_types_pass(traits: Any) -> None:
    made = encoder(properties("traits", "email"))
    assert records(json.dumps([{"id": "a", "traits": traits}]).encode(), made) == [{"id": "a", "traits": traits}]


def test_a_closed_object_keeps_what_it_names() -> None:
    schema = {
        "properties": {
            "o": {"properties": {"a": {}}, "additionalProperties": False},
            "n": {"additionalProperties": False},
            "l": {"items": {"properties": {"a": {}}, "additionalProperties": False}},
        }
    }
    body = b'[{"id":"i","o":{"a":1,"b":2},"n":{"a":1},"l":[{"a":1,"b":2},null,[],"x"]}]'
    made = encoder(schema=schema)
    assert records(body, made) == [{"id": "i", "o": {"a": 1}, "n": {}, "l": [{"a": 1}, None, None, None]}]
    assert records(b'[{"id":"i","o":[1],"n":"x","l":{"a":1}}]', made) == [{"id": "i", "o": None, "n": None, "l": None}]


@pytest.mark.parametrize(
    ("body", "traits"),
    [
        (b'[\n  {\n    "id": "a",\n    "traits": {\n      "x": [1, 2]\n    }\n  }\n]\n', {"x": [1, 2]}),
        (b'[{"id":"a","traits":\r\n{"x":\t1}}]', {"x": 1}),
        (b'\xef\xbb\xbf[{"id":"a","traits":1}]', 1),
        (b'[{"id":"a","traits":"\\n\\r\\u2028\xe2\x80\xa8"}]', "\n\r\u2028\u2028"),
        (b'[{"id":"a","traits":"\\ud83d\\ude00"}]', "\U0001f600"),
        (b'[{"id":"a","traits":"\\ud83d"}]', "\ufffd"),
        (b'[{"id":"a","traits":"\\ude00\\ud83d"}]', "\ufffd\ufffd"),
        (b'[{"id":"a","traits":"\\uD83Dx"}]', "\ufffdx"),
        (b'[{"id":"a","traits":"\\\\ud83d\\ude00"}]', "\\ud83d\ufffd"),
        (b'[{"id":"a","traits":"\\\\ud83d"}]', "\\ud83d"),
        (b'[{"id":"a","traits":{"\\ud83d":1}}]', {"\ufffd": 1}),
        (b'[{"id":"a","traits":"\xff\xc3"}]', "\ufffd\ufffd"),
        (b'[{"id":"a","traits":{"config":"mine"}}]', {"config": "mine"}),
    ],
)
def test_every_line_is_one_line_of_valid_text(body: bytes, traits: Any) -> None:
    (line,) = lines(body)
    assert json.loads(line.decode("utf-8", errors="strict"))["record"] == {"id": "a", "traits": traits}


def test_bytes_that_are_no_utf8_are_told(caplog: pytest.LogCaptureFixture) -> None:
    lines(b'[{"id":"a","traits":"\xff"}]')
    assert "bytes that are no UTF-8" in caplog.text


NUMBERS = ["0", "-0", "1e400", "1E-400", "1.10", "9" * 5000, "1e99999999999999999999", "-0.1e+5"]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_is_never_changed(number: str) -> None:
    body = b'[{"id":"a","traits":{"n":%b,"s":"%b"}}]'
    (fast,) = lines(body % (number.encode(), b""))
    assert b'"n":' + number.encode() + b"," in fast
    # The slower path may write it in another form of the same value.
    (slow,) = lines(body % (number.encode(), b"\\ud800"))
    written = json.loads(slow, parse_float=str, parse_int=str)["record"]["traits"]["n"]
    assert written == number or Decimal(written) == Decimal(number)
    made = encoder()
    assert len(list(made.dicts(made.rows(body % (number.encode(), b""))))) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"id":"a"}',
        b"null",
        b'"text"',
        b"[1]",
        b"[null]",
        b"[[]]",
        b"[{}]",
        b'[{"id":null}]',
        b'[{"id":7}]',
        b'[{"id":"a"},{"traits":{}}]',
        b'[{"id":"a"}',
        b'[{"id":"a"},]',
        b'[{"id":"a"}]]',
        b'[{"id":"a","traits":NaN}]',
        b'[{"id":"a","traits":Infinity}]',
        b'[{"id":"a","traits":01}]',
        b'[{"id":"a","traits":"\x01"}]',
        b'[{"id":"a","traits":"\\x"}]',
        b"[" * 5000 + b"]" * 5000,
    ],
)
@pytest.mark.parametrize("deselected", [[], [properties("traits", "email")]])
def test_what_is_no_page_is_refused_whichever_path_it_takes(body: bytes, deselected: list[tuple[str, ...]]) -> None:
    with pytest.raises(AnswerError, match="not a list of identities"):
        encoder(*deselected).rows(body)


def test_pruning_changes_nothing_it_was_given() -> None:
    before = json.dumps(ROW)
    prune(ROW, project(IDENTITY, SelectionMask({properties("traits", "email"): False})))
    assert json.dumps(ROW) == before
