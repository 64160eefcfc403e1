"""Records taken in columns make the rows, and are counted, as the same records one by one: `users` and `messages`."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_c1.columns import is_plain
from target_c1.mapping import READY, Source
from target_c1.messages import encode_resource
from target_c1.rows import RowMaker, Rows
from tests.target_c1.support import record, to_lines, user
from tests.target_c1.test_wire import JSON, TEXTS

MORE: dict[str, Source] = {
    **READY["users"],
    "last_login": "/seen",
    "profile": {"*": "/profile", "all": "/profile", "age": "/age", "first_name": "/given", "a": "/email", "z": "/x"},
}
#: What is not written as anything else, and what is nearly so.
TIMES = st.sampled_from(
    [
        *("2026-01-02T03:04:05Z", "1969-12-31T23:59:59.5Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"),
        *("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.1+02:00", "2026-01-02t03:04:05.25Z", "Z", "soonZ"),
        *("2026-02-30T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T03:04:60Z", "1970-01-01T00:00:00.000001Z"),
        *("2026-01-02T03:04:05", "2026-01-02T03:04:05.000016Z", "1970-01-01T04:33:03.2Z"),
    ]
)
ADDRESSES = st.sampled_from(
    [
        *("", "a@b.c", "A@B.c", " a@b.c", "\u3000a@b.c", "a@", "jörg@example.com", "é" * 33 + "@b.c"),
        *("x" * 64 + "@example.com", "x" * 65 + "@example.com", "a@" + "b." * 124 + "c"),
    ]
)
LONG = st.sampled_from(["x" * 127, "x" * 128, "x" * 256, "x" * 257, "é" * 256, "名" * 1025, " ", "\u2003", "\ufeff"])
NUMBERS = st.sampled_from([0, -1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63, 2**64, 10**30, 1.5, -0.0, 1e308])
FLAT = st.none() | st.booleans() | NUMBERS | TEXTS | LONG
ANY = FLAT | JSON | st.lists(TEXTS, max_size=3) | st.just(json.loads("[" * 60 + "]" * 60))
NAMES = st.sampled_from(["email", "age", "traits", "first_name", "schema_id", "user_id", "z", "*", "", "名"]) | TEXTS
USUAL: dict[str, st.SearchStrategy[Any]] = {
    "email": ADDRESSES | FLAT,
    "emails": st.lists(ADDRESSES | ADDRESSES.map(lambda each: {"address": each, "via": "email"}) | FLAT, max_size=3),
    "login_aliases": st.lists(TEXTS | LONG | st.none(), max_size=3),
    "status": st.sampled_from(["enabled", "disabled", "deleted", "ACTIVE", "odd", "", True, False]),
    "account_type": st.sampled_from(["human", "Service Account", "system", "", "alien", ["bot"]]),
    "created_at": TIMES | FLAT,
    "seen": TIMES,
    "mfa_enabled": st.booleans() | st.sampled_from([0, 1, "yes"]),
    "profile": st.dictionaries(NAMES, ANY, max_size=5) | ANY,
    "given": FLAT,
    "age": FLAT,
    "x": ANY,
}
RECORDS = st.dictionaries(st.sampled_from(sorted({*user(1), *USUAL})), st.none()).flatmap(
    lambda chosen: st.fixed_dictionaries({name: st.none() | USUAL.get(name, FLAT) for name in chosen})
)


def made(records: list[dict[str, Any]], sources: Mapping[str, Source], *, in_columns: bool) -> Rows | None:
    maker = RowMaker({"users": dict(sources)}, encode_resource)
    assert "users" in maker.plain
    if not in_columns:
        maker._columns.clear()
    return maker.make("users", 1, to_lines([record(each) for each in records]).splitlines(keepends=True))


@given(st.lists(RECORDS, min_size=1, max_size=6), st.sampled_from([READY["users"], MORE]))
def test_any_records(odd: list[dict[str, Any]], sources: Mapping[str, Source]) -> None:
    records = [user(number, **fields) for number, fields in enumerate(odd)]
    assert made(records, sources, in_columns=True) == made(records, sources, in_columns=False)


def nested(depth: int, value: Any) -> Any:
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "fields",
    [
        {"login": "Ann", "login_aliases": ["ANN", "b", "B"]},
        {"login_aliases": ["", "b"]},
        {"status": "enabled", "status_details": "why"},
        {"status": "disabled", "status_details": "why"},
        {"status": "disabled", "status_details": " "},
        {"email": "\u3000a@b.c", "emails": ["\u3000a@b.c"]},
        {"email": "a@b.c", "emails": [{"address": "A@B.C"}, {"address": "d@e.f"}, {"via": "sms", "address": "1"}]},
        *({"profile": nested(depth, ["x", "y"])} for depth in range(21, 28)),
        *({"profile": {"a": nested(depth, {"x": 1})}} for depth in range(21, 28)),
        {"schema_id": None, "profile": {"schema_id": "kept"}},
        {"schema_id": "wins", "profile": {"schema_id": "lost"}},
        {"first_name": None, "given": "second", "profile": {"first_name": "third", "user_id": "lost"}},
        {"first_name": None, "given": None, "profile": {"first_name": "third"}},
        {"first_name": None, "given": None, "profile": {"first_name": ["no text"]}},
        {"profile": {"a": 2**53 + 1, "age": 2**60}},
        {"mfa_enabled": 1, "sso_enabled": True},
        {"created_at": None, "seen": "2026-01-02T03:04:05.123456Z"},
    ],
)
@pytest.mark.parametrize("sources", [READY["users"], MORE], ids=["ready-made", "more"])
@pytest.mark.parametrize("others", [0, 3])
def test_one_odd_value(fields: dict[str, Any], sources: Mapping[str, Source], others: int) -> None:
    traits = fields.get("profile")
    names = dict.fromkeys(traits, "x") if isinstance(traits, dict) else {}
    # Others of the same names come into the same group.
    records = [user(9, **fields), *(user(number, profile=names, given="g") for number in range(others))]
    assert made(records, sources, in_columns=True) == made(records, sources, in_columns=False)


@pytest.mark.parametrize("name", ["email", "first_name", "profile", "login_aliases", "status_details", "created_at"])
def test_a_field_that_only_some_have(name: str) -> None:
    records = [user(number, **({name: None} if number % 3 else {})) for number in range(20)]
    assert made(records, READY["users"], in_columns=True) == made(records, READY["users"], in_columns=False)


def test_usual_records_are_all_taken_in_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_c1.users.UserReader.read", None)
    found = made([user(number) for number in range(50)], READY["users"], in_columns=True)
    assert found is not None
    assert len(found.rows) == 50


def test_one_odd_record_leaves_all_others_in_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr("target_c1.users.UserReader.read", lambda _, given: read.append(given["id"]))
    made(
        [user(number, **({"email": "nobody"} if number == 7 else {})) for number in range(50)],
        READY["users"],
        in_columns=True,
    )
    assert read == [user(7)["id"]]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"last_login": "/a"}, True),
        ({"last_login": "/a/b"}, False),
        ({"username": ["/a", "/b"]}, False),
        ({"display_name": "{/a}"}, False),
        ({"identifiers": "/a"}, False),
        ({"mfa_enabled": {"in": "/a", "any": []}}, False),
        ({"email": "/a~1b"}, False),
        ({"profile": {"x": "/a"}}, False),
        ({"profile": {"*": ""}}, False),
    ],
)
def test_which_mappings_can_be_followed_by_columns(change: dict[str, Source], *, expected: bool) -> None:
    assert is_plain({**READY["users"], **change}) is expected
