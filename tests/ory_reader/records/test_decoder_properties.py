"""Records, for any page and any selection: what leaves is exactly what was selected, whichever way it goes.

The pages are made as text, not as values, so that all that JSON allows is in them. What is expected of a record is
said once more here, in other words than the tap's.
"""

import io
import json
import sys
from contextlib import suppress
from decimal import Decimal
from functools import cache
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from typing_extensions import Self

from ory_reader.errors import AnswerError
from ory_reader.streams import STREAMS
from tap_ory.tap import TapOry
from tests.command import deselect, unchanged_signals

IDENTITY = STREAMS["identities"].schema(None)
FIELDS = [name for name in IDENTITY["properties"] if name != "id"]
CREDENTIAL = ["type", "identifiers", "version", "created_at", "updated_at"]
ADDRESS = ["id", "value", "verified", "via", "status", "verified_at", "created_at", "updated_at"]
MEMBERS = ["name", "first", "note", "config"]
SECRET = "$2a$04$never-to-be-seen"

# JSON as text. What a page is like is drawn once for the whole page, so that each feature also comes alone.

Text = st.SearchStrategy[str]
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters='"\\').filter(lambda each: each >= " ")
ESCAPED = ["\\u0026", "\\u0000", "\\n", "\\/", '\\"', "\\\\", "\\u2028", "\u2028", "\x7f", "\\ud7a3"]
PAIRS = ["\\ud83d\\ude00", "\\uD83D\\uDE00", "\\\\ud83d"]
HALVES = ["\\ud83d", "\\uDE00", "\\ude00\\ud83d", "\\\\ud83d\\ude00"]
NUMBERS = st.one_of(
    st.integers().map(str),
    st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,5})?", fullmatch=True),
)
CONFIG = f'"config":{{"hashed_password":"{SECRET}"}}'
TIMES = st.sampled_from(['"2026-01-02T03:04:05Z"', '"2026-01-02T03:04:05.123456789Z"', "null"])


def quoted(*names: str) -> Text:
    return st.sampled_from([f'"{name}"' for name in names])


class Style:
    """How the text of a page is written: with which white space, and with half surrogate pairs or without."""

    def __init__(self, space: str, *, halves: bool) -> None:
        self.spaces = st.sampled_from(["", space])
        special = st.sampled_from([*ESCAPED, *PAIRS, *(HALVES if halves else [])])
        self.strings = st.lists(CHARACTERS | special, max_size=5).map(lambda each: f'"{"".join(each)}"')
        self.leaves = self.strings | NUMBERS | st.sampled_from(["null", "true", "false", "{}", "[]", '""'])
        self.anything = st.recursive(
            self.leaves,
            lambda inner: self.arrays(inner) | self.objects(inner, quoted(*MEMBERS) | self.strings),
            max_leaves=6,
        )
        address = self.objects(self.leaves, quoted(*ADDRESS, "brand_new")) | self.leaves
        self.fields = {
            "credentials": self._credentials(),
            "verifiable_addresses": self.arrays(address) | self.leaves,
            "recovery_addresses": self.arrays(address) | self.leaves,
            "created_at": TIMES,
            "updated_at": TIMES,
        }

    def objects(self, values: Text, keys: Text) -> Text:
        members = st.tuples(self.spaces, keys, self.spaces, values, self.spaces)
        texts = members.map(lambda each: "{}{}{}:{}{}".format(*each))
        return st.lists(texts, max_size=3).map(lambda each: f"{{{','.join(each)}}}")

    def arrays(self, values: Text) -> Text:
        elements = st.tuples(self.spaces, values, self.spaces).map("".join)
        return st.lists(elements, max_size=3).map(lambda each: f"[{','.join(each)}]")

    def _credentials(self) -> Text:
        """Credentials by type, each with its secret; rarely of another JSON type, the secret within."""
        known = self.objects(self.leaves, quoted(*CREDENTIAL))
        one = known.map(lambda text: f"{text[:-1]}{',' if text[1:-1].strip() else ''}{CONFIG}}}")
        strange = st.sampled_from(["null", f"[{{{CONFIG}}}]", f'"{SECRET}"', "17"])
        kinds = quoted("password", "oidc", "brand_new")
        return st.one_of(self.objects(one, kinds), self.objects(one | strange, kinds), strange)


@cache
def style(space: str, *, halves: bool) -> Style:
    return Style(space, halves=halves)


@st.composite
def pages(draw: st.DrawFn) -> bytes:
    way = style(draw(st.sampled_from(["", " ", "\n", "\r", "\r\n\t"])), halves=draw(st.booleans()))

    def member(name: str, value: Text) -> str:
        return f'{draw(way.spaces)}"{name}"{draw(way.spaces)}:{draw(way.spaces)}{draw(value)}{draw(way.spaces)}'

    rows = []
    for _ in range(draw(st.integers(0, 4))):
        # A member may come twice: the last one counts, as everywhere.
        names = draw(st.lists(st.sampled_from([*FIELDS, "brand_new"]), max_size=8))
        members = [member(name, way.fields.get(name, way.anything)) for name in names]
        members.append(member("id", st.uuids().map(lambda each: f'"{each}"')))
        rows.append(f"{{{','.join(draw(st.permutations(members)))}}}")
    text = f"{draw(way.spaces)}[{draw(way.spaces)}{','.join(rows)}{draw(way.spaces)}]{draw(way.spaces)}"
    return draw(st.sampled_from([b"", b"", b"", b"\xef\xbb\xbf"])) + text.encode()


# Selections

below_traits = st.lists(st.sampled_from(MEMBERS), min_size=1, max_size=2)
top_level = st.sampled_from(FIELDS).map(lambda name: ("properties", name))
selections = st.lists(top_level, max_size=3) | st.lists(
    st.one_of(
        top_level,
        st.tuples(st.sampled_from(["traits", "metadata_public", "metadata_admin"]), below_traits).map(
            lambda each: tuple(part for name in (each[0], *each[1]) for part in ("properties", name))
        ),
        st.tuples(st.sampled_from(["verifiable_addresses", "recovery_addresses"]), st.sampled_from(ADDRESS)).map(
            lambda each: ("properties", each[0], "items", "properties", each[1])
        ),
        st.sampled_from(CREDENTIAL).map(
            lambda name: ("properties", "credentials", "additionalProperties", "properties", name)
        ),
        st.just(("properties", "credentials", "properties", "password")),
    ),
    max_size=5,
)


# What is expected


def whole_text(value: Any) -> Any:
    """The value without NUL and half surrogate pairs, which no target could store."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [whole_text(each) for each in value]
    if isinstance(value, dict):
        return {whole_text(key): whole_text(each) for key, each in value.items()}
    return value


class Number(Decimal):
    """A number that knows how it was written."""

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


#: What may be any JSON: numbers that no double holds are text there.
FREE = ("traits", "metadata_public", "metadata_admin", "external_id")


OTHERS = [name for name in FIELDS if name not in {*FREE, "credentials"}]


def tamed(value: Any) -> Any:
    """The value without numbers that no double holds."""
    if isinstance(value, dict):
        return {key: tamed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [tamed(each) for each in value]
    if isinstance(value, Number) and (abs(value.adjusted()) > 323 or value.copy_abs() > Decimal(sys.float_info.max)):
        return value.text
    return value


def without(value: Any, path: tuple[str, ...]) -> Any:
    """The value without a member, in each of its elements if it is a list."""
    if isinstance(value, list):
        return [without(each, path) for each in value]
    if not isinstance(value, dict):
        return value
    first, *rest = path
    return {
        key: without(each, tuple(rest)) if key == first else each for key, each in value.items() if rest or key != first
    }


def expected(row: dict[str, Any], deselected: list[tuple[str, ...]]) -> dict[str, Any]:
    record = {name: value for name, value in row.items() if name in IDENTITY["properties"]}
    if isinstance(record.get("credentials"), dict):
        record["credentials"] = {
            kind: {key: each for key, each in one.items() if key in CREDENTIAL} if isinstance(one, dict) else None
            for kind, one in record["credentials"].items()
        }
    elif "credentials" in record:
        record["credentials"] = None
    for crumb in deselected:
        if "items" in crumb and crumb[1] in record and not isinstance(record[crumb[1]], list):
            record[crumb[1]] = None
        path = tuple(part for part in crumb if part not in {"properties", "items"})
        if "additionalProperties" in path and isinstance(record.get("credentials"), dict):
            kinds = record["credentials"]
            record["credentials"] = {kind: without(one, path[2:]) for kind, one in kinds.items()}
        else:
            record = without(record, path)
    return {name: tamed(value) if name in FREE else value for name, value in record.items()}


# What the tap makes of it


def written(page: bytes, catalog: dict[str, Any], *, blocks: bool) -> bytes:
    """What goes to stdout for a page: as one block, or as dicts through the SDK."""
    out = io.BytesIO()
    with unchanged_signals(), mock.patch.object(sys, "stdout", io.TextIOWrapper(out, encoding="utf-8")):
        tap = TapOry(config={"base_url": "http://127.0.0.1:1"}, catalog=catalog)
        (stream,) = (each for each in tap.ory_streams if each.name == "identities")
        assert stream._wants_blocks()
        stream.begin(17)
        with mock.patch.object(stream, "_wants_blocks", return_value=blocks), stream.measured():
            decoder = stream.decoder()
            stream.write(decoder, decoder.rows(page))
        sys.stdout.flush()
        return out.getvalue()


def parsed(output: bytes) -> list[Any]:
    lines = output.decode("utf-8", errors="strict").split("\n")
    assert lines.pop() == ""
    messages = [json.loads(line, parse_float=Decimal, parse_constant=pytest.fail) for line in lines]
    for message in messages[1:]:
        assert message.pop("time_extracted")
    return messages


@pytest.fixture(scope="module")
def catalog() -> dict[str, Any]:
    with unchanged_signals():
        return dict(TapOry(config={"base_url": "http://127.0.0.1:1"}).catalog_dict)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(page=pages(), deselected=selections)
def test_both_loops_write_exactly_what_is_selected(
    catalog: dict[str, Any], page: bytes, deselected: list[tuple[str, ...]]
) -> None:
    chosen = deselect(catalog, *deselected)
    fast, slow = written(page, chosen, blocks=True), written(page, chosen, blocks=False)
    rows = json.loads(page.decode("utf-8-sig"), parse_float=Number)
    messages = parsed(fast)
    assert messages == parsed(slow)
    schema, *lines = messages
    for line in lines:
        # Ory writes no NUL elsewhere.
        line["record"].update((name, whole_text(line["record"][name])) for name in OTHERS if name in line["record"])
    assert schema["type"] == "SCHEMA"
    assert lines == [
        {"type": "RECORD", "stream": "identities", "version": 17, "record": whole_text(expected(row, deselected))}
        for row in rows
    ]
    assert SECRET.encode() not in fast + slow
    valid_row, valid_record = Draft202012Validator(IDENTITY), Draft202012Validator(schema["schema"])
    for row, line in zip(rows, lines, strict=True):
        if valid_row.is_valid(row):
            valid_record.validate(line["record"])


@settings(max_examples=150, deadline=None)
@given(page=pages(), at=st.integers(0, 10_000), byte=st.binary(min_size=1, max_size=2))
def test_damaged_pages_are_refused_or_still_valid_lines(
    catalog: dict[str, Any], page: bytes, at: int, byte: bytes
) -> None:
    at %= len(page) + 1
    damaged = page[:at] + byte + page[at:]
    for blocks in (True, False):
        with suppress(AnswerError):
            assert all(line["record"]["id"] for line in parsed(written(damaged, catalog, blocks=blocks))[1:])
