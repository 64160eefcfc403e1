"""People whose traits are of another shape than their identity schema says: old data under a newer schema."""

import re
from typing import Any

import pytest

from ory_reader.config.settings import Settings
from ory_reader.traits.declaration import shapes_of
from ory_reader.users.decoder import user_mappings_of
from ory_reader.users.explain import table
from tests.ory_reader.users.test_users import EMAIL, FLAG, NAME, PHONE, TEXT, USERNAME, obj, parts, trait
from tests.views import Json, View, identity, page, user

E1, E2, E3 = "1@x.org", "2@x.org", "3@x.org"
OPEN: Json = {"type": "object"}
TEXTS = {"type": "array", "items": TEXT}
EMAILS = {"type": "array", "items": EMAIL}
ADDRESSES = {"type": "array", "items": obj(value=TEXT, type=TEXT, primary=FLAG)}


def others(schema: Json) -> list[Json | None]:
    """The schema, the same where further traits are allowed, one that says nothing, and none."""
    return [schema, {**schema, "additionalProperties": True}, OPEN, None]


NAMES: list[tuple[Any, Json]] = [
    ("Jane Doe", {"display_name": "Jane Doe", "first_name": None, "last_name": None}),
    ({"first": "Jane", "last": "Doe"}, {"display_name": "Jane Doe", "first_name": "Jane", "last_name": "Doe"}),
    ({"given": "Jane", "family": "Doe"}, {"display_name": "Jane Doe", "first_name": "Jane", "last_name": "Doe"}),
    ({"first": None, "given": "Jane", "last": "Doe"}, {"first_name": "Jane", "last_name": "Doe"}),
    ({"firstName": "Jane", "surname": "Doe"}, {"display_name": "Jane Doe", "first_name": "Jane", "last_name": "Doe"}),
    ({"full": "Jane Q. Doe"}, {"display_name": "Jane Q. Doe", "first_name": None}),
    ({"full": "Jane Q. Doe", "given": "Jane"}, {"display_name": "Jane Q. Doe", "first_name": "Jane"}),
    ({"formatted": "Jane Q. Doe"}, {"display_name": "Jane Q. Doe"}),
    ({"value": "Jane Doe"}, {"display_name": "Jane Doe"}),
    (["Jane Doe", "J. Doe"], {"display_name": "Jane Doe", "first_name": None}),
    ([{"given": "Jane", "family": "Doe"}], {"display_name": "Jane Doe", "first_name": "Jane", "last_name": "Doe"}),
    (
        [{"first": "J", "last": "D"}, {"first": "Jane", "last": "Doe", "primary": True}],
        {"display_name": "Jane Doe", "first_name": "Jane", "last_name": "Doe"},
    ),
    ({"first": ["Jane", "Jo"], "last": {"value": "Doe"}}, {"display_name": "Jane Doe"}),
]


@pytest.mark.parametrize(("name", "expected"), NAMES, ids=repr)
@pytest.mark.parametrize(
    "declared", [NAME, TEXT, TEXTS, obj(given=TEXT, family=TEXT), OPEN, {"type": ["string", "object"]}, {}], ids=str
)
@pytest.mark.parametrize("n", range(4))
def test_a_name_is_one_in_whatever_shape(declared: Json, name: Any, expected: Json, n: int) -> None:
    schema = others(obj(email=EMAIL, name=declared))[n]
    given = identity({"email": E1, "name": name})
    assert parts(user(given, schema), *expected) == expected
    # Beside others, who are of another schema that says something else of it.
    neighbour = identity({"email": E2, "name": {"first": "Bo"}}, schema_id="other")
    schemas = {"other": obj(email=EMAIL, name=NAME), **({} if schema is None else {"default": schema})}
    found = View("users", schemas).records(page(given, neighbour, identity({"x": "\ud800"})))
    assert parts(found[0], *expected) == expected
    assert found[1]["display_name"] == "Bo"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (E1, [E1]),
        ([E1, E2], [E1, E2]),
        ({"value": E1, "verified": True}, [E1]),
        ({"address": E1}, [E1]),
        ({"primary": E2, "work": E1}, [E2, E1]),
        ([{"value": E1, "type": "home"}, {"value": E2, "primary": True}], [E2, E1]),
        ([E1, {"email": E2}], [E1, E2]),
        (["", None, 7, {}, [E1]], [E1]),
        (f" {E1} ", [E1]),
        (7, []),
        (True, []),
        ({"manager": E1}, []),
    ],
    ids=repr,
)
@pytest.mark.parametrize("declared", [TEXT, EMAIL, TEXTS, EMAILS, ADDRESSES, obj(value=TEXT, verified=FLAG)], ids=str)
@pytest.mark.parametrize("n", range(4))
def test_addresses_are_some_in_whatever_shape(declared: Json, value: Any, expected: list[str], n: int) -> None:
    for name in ("email", "emails"):
        record = user(identity({name: value}), others(obj(**{name: declared, "age": {"type": "integer"}}))[n])
        found = [each["address"] for each in record["emails"]]
        # What is of no use to anybody has no order to keep.
        assert (sorted(found), found[:1]) == (sorted(expected), expected[:1])
        assert record["email"] == (expected[0] if expected else None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("+15550100", ["+15550100"]),
        (["+15550100", "+15550101"], ["+15550100", "+15550101"]),
        ([{"number": "+15550100"}, {"value": "+15550101", "primary": True}], ["+15550101", "+15550100"]),
        ({"mobile": "+15550100"}, ["+15550100"]),
        (15550100, ["15550100"]),
    ],
    ids=repr,
)
@pytest.mark.parametrize("declared", [TEXT, PHONE, TEXTS, {"type": "array", "items": PHONE}, OPEN], ids=str)
@pytest.mark.parametrize("n", range(4))
def test_numbers_are_some_in_whatever_shape(declared: Json, value: Any, expected: list[str], n: int) -> None:
    assert user(identity({"phone": value}), others(obj(phone=declared))[n])["phone_numbers"] == expected


def test_a_schema_that_changed_under_old_people() -> None:
    phones = {"type": "array", "items": TEXT}
    schema = {"type": "object", "properties": {"email": EMAIL, "name": NAME, "phone": phones}}
    old = identity({"email": "old@example.com", "name": "Jane Doe", "phone": "+15550100"})
    new = identity({"email": "new@example.com", "name": {"first": "Ann", "last": "Lee"}, "phone": ["+15550101"]})
    view = View("users", {"default": schema})
    first, second = view.records(page(old, new))
    assert parts(first, "display_name", "phone_numbers", "email", "login") == {
        "display_name": "Jane Doe",
        "phone_numbers": ["+15550100"],
        "email": "old@example.com",
        "login": "old@example.com",
    }
    assert first["nonconforming_traits"] == {"/name": "Jane Doe", "/phone": "+15550100"}
    assert [second] == View("users", {"default": schema}).records(page(new))
    assert parts(second, "display_name", "phone_numbers") == {"display_name": "Ann Lee", "phone_numbers": ["+15550101"]}


def test_an_identifier_that_is_an_array_now_is_the_login_still() -> None:
    schema = obj(username={"type": "array", "items": USERNAME}, mails={"type": "array", "items": obj(at=EMAIL)})
    record = user(identity({"username": "ada", "mails": {"at": E1}}), schema)
    assert parts(record, "username", "login", "email", "login_aliases") == {
        "username": "ada",
        "login": "ada",
        "email": E1,
        "login_aliases": [E1],
    }
    record = user(identity({"username": [" ada ", "bo"], "email": [E2]}), obj(username=USERNAME, email=EMAIL))
    assert parts(record, "username", "login", "email", "login_aliases") == {
        "username": "ada",
        "login": "ada",
        "email": E2,
        "login_aliases": ["bo", E2],
    }


KINDS = ("string", "integer", "number", "array", "object", "boolean")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (17, "17"),
        (17.0, "17"),
        (12345678901234567, "12345678901234567"),
        ("E-17", "E-17"),
        (" E-17 ", "E-17"),
        (["E-17"], "E-17"),
        ({"value": 17}, "17"),
        (1.5, "1.5"),
        (True, None),
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    "declared", ["string", "integer", "number", "array", "object", ["string", "number"], "boolean"]
)
@pytest.mark.parametrize("n", range(4))
def test_an_employees_number_is_one_in_whatever_shape(declared: Any, value: Any, expected: str | None, n: int) -> None:
    schema = others(obj(employee_number={"type": declared}))[n]
    assert user(identity({"employee_number": value}), schema)["employee_id"] == expected


ACCOUNT = {"account_type": TEXT, "user_type": TEXT, "service_account": FLAG}


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        ({"account_type": "premium", "user_type": "system"}, "system"),
        ({"account_type": "premium", "user_type": "gold"}, "human"),
        ({"account_type": "premium", "service_account": True}, "service"),
        ({"account_type": ["premium", "Service Account"]}, "service"),
        ({"account_type": {"value": "system"}}, "system"),
        ({"user_type": "machine_user"}, "service"),
        ({"account_type": "human", "user_type": "system"}, "human"),
        ({"service_account": "true"}, "service"),
        ({"service_account": "no"}, "human"),
        ({"service_account": [True]}, "service"),
        ({"service_account": 1}, "service"),
        ({"service_account": 0}, "human"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("n", range(4))
def test_the_first_known_word_says_whose_account_it_is(traits: Json, expected: str, n: int) -> None:
    for schema in others(obj(**ACCOUNT))[n], others(obj(**{**ACCOUNT, "service_account": TEXT}))[n]:
        assert user(identity(traits), schema)["account_type"] == expected
    given = identity({**traits, "kind": "gold"})
    config = {"user_fields": {"account_type": "/traits/kind"}}
    assert user(given, {"type": "object", "properties": ACCOUNT}, **config)["account_type"] == expected


@pytest.mark.parametrize(
    ("schema_id", "expected", "word"),
    [
        ("customer_service_agent", "human", None),
        ("customer-service", "human", None),
        ("customer_service_users", "human", None),
        ("service_desk", "human", None),
        ("machine_operators", "human", None),
        ("system-administrators", "human", None),
        ("self_service", "human", None),
        ("botanists", "human", None),
        ("preset://email", "human", None),
        ("users", "human", None),
        ("service_account", "service", "service account"),
        ("acme.service-accounts.v2", "service", "service accounts"),
        ("serviceAccount", "service", "service account"),
        ("serviceaccounts", "service", "serviceaccounts"),
        ("SERVICE_USER", "service", "service user"),
        ("machine_user", "service", "machine user"),
        ("our/bot_v2", "service", "bot"),
        ("robots", "service", "robots"),
        ("machine", "service", "machine"),
        ("service", "service", "service"),
        ("system_v1", "system", "system"),
        ("system-users", "system", "system users"),
    ],
)
def test_the_words_of_a_schemas_id_that_say_whose_accounts_it_has(schema_id: str, expected: str, word: Any) -> None:
    schema = obj(username=USERNAME)
    assert user(identity({"username": "u"}, schema_id=schema_id), schema)["account_type"] == expected
    shapes = shapes_of({schema_id: {"properties": {"traits": schema}}})
    settings = Settings.from_config({"base_url": "http://127.0.0.1:1"}, "1")
    (line,) = [line for line in table(user_mappings_of(shapes, settings)).splitlines() if "account_type" in line]
    assert re.split("  +", line)[-1] == (f'"{word}" in the schema\'s id' if word else "default")
    settings = Settings.from_config({"base_url": "http://127.0.0.1:1", "account_types": {schema_id: "system"}}, "1")
    (line,) = [line for line in table(user_mappings_of(shapes, settings)).splitlines() if "account_type" in line]
    assert line.endswith("setting account_types")


BLANKS = ["\t", "\u00a0", "\u2003", "\u3000", "\u2028", "\u200b ", " \ufeff", "\u2800", "\n\r "]


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
@pytest.mark.parametrize("schema", [obj(email=EMAIL, name=NAME, full_name=TEXT), obj(full_name=NAME), None], ids=str)
def test_names_have_no_padding_and_one_blank_between_words(blank: str, schema: Json | None) -> None:
    traits = {"name": {"first": f"{blank}Ann {blank} Lee{blank}", "last": f"{blank}{blank}"}}
    if schema is None or "name" in schema["properties"]:
        record = user(identity(traits), schema)
        assert parts(record, "first_name", "last_name", "display_name") == {
            "first_name": "Ann Lee",
            "last_name": None,
            "display_name": "Ann Lee",
        }
    record = user(identity({"full_name": f"{blank}Ann{blank}{blank}Lee{blank}"}), schema)
    assert record["display_name"] == "Ann Lee"


def test_a_name_keeps_what_joins_its_letters() -> None:
    for name in ("Mi\u200cna", "Jean-Luc", "d\u2019Arc", "\u09b0\u200d\u09cd\u09af", "O\u200bne"):
        assert user(identity({"name": name}))["display_name"] == name
    assert user(identity({"username": " a  b "}))["display_name"] == "a b"
    assert user(identity({"username": " a  b "}))["username"] == "a  b"


def test_a_text_name_is_one_where_only_another_schema_declares_an_object() -> None:
    schemas = {"old": {"type": "object", "properties": {"email": EMAIL}}, "new": obj(email=EMAIL, name=NAME)}
    given = identity({"email": E1, "name": "Jane Doe"}, schema_id="old")
    (record,) = View("users", schemas).records(page(given))
    assert parts(record, "display_name", "profile") == {
        "display_name": "Jane Doe",
        "profile": {"email": E1, "name": None},
    }


def test_a_passkeys_name_and_settings_hold_in_whatever_shape() -> None:
    shown = trait({"credentials": {"passkey": {"display_name": True}}})
    schema = obj(shown=shown, kind=obj(of=TEXT), x=TEXT)
    assert user(identity({"shown": ["The  Countess"], "name": "Ada"}), schema)["display_name"] == "The Countess"
    config = {"user_fields": {"username": "/traits/x", "employee_id": "/traits/kind/of", "email": "/metadata_public/m"}}
    given = identity({"x": ["nick"], "kind": {"of": {"value": 7}}}, metadata_public={"m": [E1, E2]})
    record = user(given, schema, **config)
    assert parts(record, "username", "employee_id", "email") == {"username": "nick", "employee_id": "7", "email": E1}
    assert [each["address"] for each in record["emails"]] == [E1, E2]
