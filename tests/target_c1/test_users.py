"""What becomes of a record: the rules of C1's user, and odd records."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_c1.mapping import READY, Mapping
from target_c1.messages import encode_resource
from target_c1.users import MAX_BYTES, User, UserReader
from target_c1.values import is_address, parse_time
from tests.target_c1.support import user
from tests.target_c1.test_wire import JSON, TEXTS

RECORDINGS = Path(__file__).parent.parent / "recordings"


def read(record: dict[str, Any], stream: str = "users", **sources: Any) -> User:
    found = UserReader(Mapping({**READY[stream], **sources})).read(record)
    assert found is not None
    return found


def identity(**fields: Any) -> dict[str, Any]:
    return {"id": "1", "schema_id": "default", "state": "active", "traits": {}, **fields}


def test_a_user_of_the_stream_users() -> None:
    found = read(user(9))
    assert found.id == "00000000-0000-4000-8000-000000000009"
    assert (found.display_name, found.first_name, found.last_name) == ("Ada 9", "Ada", "9")
    assert (found.emails, found.login, found.login_aliases) == (["user9@example.com"], "user9@example.com", [])
    assert (found.status, found.status_details) == (2, "inactive in Ory since 2026-01-02T03:04:05Z")
    assert (found.account_type, found.employee_ids) == (1, ["E-9"])
    assert found.created_at == (1_767_323_045, 123_456_000)
    assert (found.last_login, found.mfa_enabled, found.sso_enabled) == (None, None, None)
    assert found.profile == {
        "user_id": found.id,
        "first_name": "Ada",
        "last_name": "9",
        "external_id": "hr-9",
        "schema_id": "default",
        "state_changed_at": "2026-01-02T03:04:05.123456789Z",
        "updated_at": "2026-02-02T03:04:05Z",
        "email_verified": True,
        "phone_numbers": [],
        "project_slug": "acme",
        "traits": {
            "email": "user9@example.com",
            "name": {"first": "Ada", "last": "9"},
            "age": 36,
            "groups": ["a", "b"],
        },
        "email": "user9@example.com",
        "age": 36,
    }


def recorded(release: str) -> list[dict[str, Any]]:
    body = (RECORDINGS / release / "list-all.http").read_text().split("\n\n", 2)[2]
    rows: list[dict[str, Any]] = json.loads(body)
    return rows


def test_identities_as_a_real_server_answered_them() -> None:
    found = {row["id"]: read(row, "identities") for row in recorded("v26.2.0")}
    ada = found["83d5f6f7-c8dc-48d1-b735-76346885e1ff"]
    assert (ada.display_name, ada.first_name, ada.last_name) == ("Ada Lovelace", "Ada", "Lovelace")
    assert (ada.emails, ada.login, ada.status) == (["Ada@Example.com"], "Ada@Example.com", 1)
    assert ada.profile["traits"]["groups"] == ["maths", "engines"]
    assert (ada.profile["age"], ada.profile["metadata_public"]) == (36, {"employee_id": "E-1"})
    assert "metadata_admin" not in ada.profile
    grace = found["47103b2f-56bd-46be-a2fc-1e543960c748"]
    assert (grace.status, grace.status_details) == (2, "inactive in Ory since 2026-11-23T23:58:44.721894468Z")
    backup = found["14a05cff-43eb-43bf-8408-bf9ee39be9de"]
    assert (backup.display_name, backup.login, backup.emails) == ("svc-backup", "svc-backup", [])
    alan = found["1965041a-ee36-414f-9edd-0e493be3c5e9"]
    assert (alan.display_name, alan.profile["external_id"]) == ("alan@example.com", "hr-42")


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        ({"name": "Ada Lovelace", "first_name": "Augusta"}, "Ada Lovelace"),
        ({"name": {"first": "Ada", "last": "Lovelace"}, "full_name": "Countess"}, "Countess"),
        ({"name": {"first": "Ada", "last": "Lovelace"}}, "Ada Lovelace"),
        ({"first_name": "Ada"}, "Ada"),
        ({"username": "ada", "email": "ada@example.com"}, "ada"),
        ({"email": "ada@example.com"}, "ada@example.com"),
        ({"name": "", "first_name": "  "}, "1"),
        ({"name": 7}, "7"),
        ("no object", "1"),
        (None, "1"),
    ],
)
def test_display_names(traits: Any, expected: str) -> None:
    assert read(identity(traits=traits), "identities").display_name == expected


def test_addresses_of_an_identity() -> None:
    found = read(
        identity(
            traits={"email": "Ada@Example.com"},
            verifiable_addresses=[
                {"value": "ada@example.com", "via": "email"},
                {"value": "+441632960000", "via": "sms"},
                {"value": "second@example.com", "via": "email"},
            ],
            recovery_addresses=[{"value": "third@example.com", "via": "email"}],
        ),
        "identities",
    )
    assert found.emails == ["Ada@Example.com", "second@example.com", "third@example.com"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"login": "x", "username": "u"}, ("x", [])),
        ({"login": None, "username": "u"}, ("u", [])),
        ({"login": None}, ("user1@example.com", [])),
        ({"login": None, "email": None, "emails": []}, (None, [])),
        ({"login": "ada", "login_aliases": ["ADA", "a", "b", "A"]}, ("ada", ["a", "b"])),
    ],
)
def test_logins(fields: dict[str, Any], expected: tuple[str | None, list[str]]) -> None:
    found = read(user(1, **fields))
    assert (found.login, found.login_aliases) == expected


def test_the_login_of_an_identity_is_its_identifier_that_is_no_address() -> None:
    credentials = {"password": {"identifiers": ["ada@example.com", "ada", "+441632960000"]}, "totp": {}}
    found = read(identity(traits={"email": "ada@example.com"}, credentials=credentials), "identities")
    assert (found.login, found.login_aliases) == ("ada", ["ada@example.com", "+441632960000"])
    assert (found.mfa_enabled, found.sso_enabled) == (True, False)
    credentials = {"password": {"identifiers": ["ada@example.com"]}, "oidc": {}}
    found = read(identity(credentials=credentials), "identities")
    assert (found.login, found.mfa_enabled, found.sso_enabled) == ("ada@example.com", False, True)


@pytest.mark.parametrize(
    ("given_status", "status", "details"),
    [
        ("active", 1, None),
        ("ENABLED", 1, None),
        (True, 1, None),
        ("inactive", 2, "why"),
        ("suspended", 2, "why"),
        (False, 2, "why"),
        ("deleted", 3, "why"),
        ("staged", 0, "staged"),
        (7, 0, "7"),
        (None, 0, "why"),
        ([], 0, None),
    ],
)
def test_statuses(given_status: Any, status: int, details: str | None) -> None:
    found = read(user(1, status=given_status, status_details="why"))
    assert (found.status, found.status_details) == (status, details)


@pytest.mark.parametrize(
    ("given_type", "expected"),
    [("human", 1), ("Service", 2), ("bot", 2), ("machine", 2), ("system", 3), ("alien", 0), (None, 0), (1, 0)],
)
def test_account_types(given_type: Any, expected: int) -> None:
    assert read(user(1, account_type=given_type)).account_type == expected


@pytest.mark.parametrize(
    ("account", "kind", "expected"),
    [("premium", "System", 3), ("premium", "gold", 0), ("Service Account", "human", 2), (["x", "person"], None, 1)],
)
def test_the_first_known_account_type_counts(account: Any, kind: Any, expected: int) -> None:
    record = {**user(1), "account": account, "kind": kind}
    assert read(record, account_type=["/account", "/kind"]).account_type == expected


@pytest.mark.parametrize("identifier", [None, "", True, 1.5, {}, []])
def test_a_record_without_a_usable_id_is_left_out_and_counted(identifier: Any) -> None:
    reader = UserReader(Mapping(READY["users"]))
    assert reader.read(user(1, id=identifier)) is None
    assert dict(reader.tally.left_out) == {"no usable id": 1}


@pytest.mark.parametrize("identifier", ["x" * MAX_BYTES, "é" * (MAX_BYTES // 2), 12345, 2**70, " "])
def test_ids_that_c1_takes(identifier: Any) -> None:
    if identifier == " ":
        assert read(user(1, id=identifier)).id == " "
    else:
        assert read(user(1, id=identifier)).id == str(identifier)


@pytest.mark.parametrize("identifier", ["x" * (MAX_BYTES + 1), "é" * (MAX_BYTES // 2 + 1)])
def test_an_id_that_is_too_long_is_left_out_rather_than_cut(identifier: str) -> None:
    reader = UserReader(Mapping(READY["users"]))
    assert reader.read(user(1, id=identifier)) is None
    assert sum(reader.tally.left_out.values()) == 1


@pytest.mark.parametrize("name", ["x" * 2000, "é" * 1000, "😀" * 500, "x" + "😀" * 500])
def test_long_names_are_cut_between_characters(name: str) -> None:
    reader = UserReader(Mapping(READY["users"]))
    found = reader.read(user(1, display_name=name))
    assert found is not None
    assert name.startswith(found.display_name)
    assert MAX_BYTES - 4 < len(found.display_name.encode()) <= MAX_BYTES
    assert sum(reader.tally.changed.values()) == 1


@pytest.mark.parametrize(
    "address",
    [
        "a@b",
        "ada@example.com",
        "Ada.Lovelace+x@sub.example.co",
        "o'neil@example.com",
        "jörg@example.com",
        "a" * 64 + "@example.com",
        "1@1.com",
        "a@xn--bcher-kva.example",
    ],
)
def test_addresses_that_c1_takes(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("ada", "no name or domain around an @"),
        ("@example.com", "no name or domain around an @"),
        ("ada@", "no name or domain around an @"),
        ("a b@example.com", "malformed"),
        ("a..b@example.com", "malformed"),
        ("a@example..com", "malformed"),
        ("a@-example.com", "malformed"),
        ("a@example.com.", "malformed"),
        ("a@b@example.com", "malformed"),
        ("Ada <a@example.com>", "malformed"),
        ("a@[127.0.0.1]", "malformed"),
        ("a@bücher.example", "a domain that is not in ASCII"),
        ("a" * 65 + "@example.com", "too long"),
        ("é" * 33 + "@example.com", "too long"),
        ("a@" + ".".join(["b" * 60] * 5), "too long"),
        ("a@" + "b" * 64 + ".com", "malformed"),
        ("a\x00b@example.com", "malformed"),
    ],
)
def test_other_addresses_are_kept_in_the_profile_only_and_counted(address: str, why: str) -> None:
    reader = UserReader(Mapping(READY["users"]))
    found = reader.read(user(1, email=address, emails=[{"address": "good@example.com"}]))
    assert found is not None
    assert found.emails == ["good@example.com"]
    assert found.profile["invalid_emails"] == [address]
    assert dict(reader.tally.skipped_addresses) == {why: 1}


@pytest.mark.parametrize("email", [7, True, [1], {}])
def test_an_address_that_is_no_text_is_counted(email: Any) -> None:
    reader = UserReader(Mapping(READY["users"]))
    found = reader.read(user(1, email=email if not isinstance(email, dict) else None, emails=[email, None]))
    assert found is not None
    assert found.emails == []
    assert sum(reader.tally.skipped_addresses.values()) == (0 if email == {} else 2)


EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@given(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),  # noqa: DTZ001
    st.none() | st.integers(-1439, 1439),
)
def test_times_are_those_of_datetime(naive: datetime, offset: int | None) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=offset)) if offset is not None else timezone.utc)
    text = moment.isoformat()
    since = moment - EPOCH
    expected = (since.days * 86400 + since.seconds, since.microseconds * 1000)
    assert parse_time(text if offset is not None else text.replace("+00:00", "Z")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01Z", (1, 0)),
        ("1970-01-01T00:00:01.1Z", (1, 100_000_000)),
        ("1970-01-01T00:00:01.123456789Z", (1, 123_456_789)),
        ("1970-01-01T00:00:01.1234567891234Z", (1, 123_456_789)),
        ("1970-01-01 00:00:01", (1, 0)),
        ("1970-01-01t00:00:01z", (1, 0)),
        ("1970-01-01T00:00:60Z", (60, 0)),
        ("1970-01-01T02:00:00+02:00", (0, 0)),
        ("1970-01-01T00:00:00-0130", (5400, 0)),
        ("1970-02-30T00:00:00Z", None),
        ("0000-01-01T00:00:00Z", None),
        ("1970-01-01T24:00:00Z", None),
        ("1970-01-01T00:60:00Z", None),
        ("1970-01-01", None),
        ("garbage", None),
        ("", None),
        ("9999-12-31T23:59:59-23:59", None),
        ("1970-01-01T00:00:00Z\n", None),
        ("١٩٧٠-01-01T00:00:00Z", None),
        (0, None),
        (None, None),
    ],
)
def test_times(text: Any, expected: tuple[int, int] | None) -> None:
    assert parse_time(text) == expected


ODD = st.one_of(JSON, TEXTS, st.none())


@given(st.dictionaries(st.sampled_from(sorted(user(1))), ODD), st.sampled_from(["users", "identities"]))
def test_any_record_gives_a_user_that_can_be_written(fields: dict[str, Any], stream: str) -> None:
    found = UserReader(Mapping(READY[stream])).read({**user(1, **fields)})
    if found is not None:
        assert 1 <= len(found.id.encode()) <= MAX_BYTES
        assert 1 <= len(found.display_name.encode()) <= MAX_BYTES
        assert all(map(is_address, found.emails))
        encode_resource(found)


IDENTITY_FIELDS: dict[str, Callable[[Any], Any]] = {
    "traits": lambda value: value,
    "verifiable_addresses": lambda value: value,
    "recovery_addresses": lambda value: [value],
    "credentials": lambda value: value,
    "state": lambda value: value,
    "metadata_public": lambda value: value,
}


@given(st.sampled_from(sorted(IDENTITY_FIELDS)), JSON)
def test_any_identity_gives_a_user_that_can_be_written(field: str, value: Any) -> None:
    encode_resource(read(identity(**{field: IDENTITY_FIELDS[field](value)}), "identities"))
