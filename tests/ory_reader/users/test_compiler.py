"""The functions that make users, the quick one and the one for odd traits: what they make, written out by hand."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from ory_reader.config.settings import Settings
from ory_reader.traits.conformer import Conformer
from ory_reader.traits.declaration import shapes_of
from ory_reader.traits.decoder_types import Wanted
from ory_reader.users.compiler import FIELDS, compiled_user
from ory_reader.users.mapping import user_mapping_of
from ory_reader.users.model import Address, Identity

EMAIL = {
    "type": "string",
    "format": "email",
    "ory.sh/kratos": {"credentials": {"password": {"identifier": True}}, "verification": {"via": "email"}},
}
NICK = {"type": "string", "ory.sh/kratos": {"credentials": {"password": {"identifier": True}}}}
TEXT = {"type": "string"}


def users(schema: Any, traits: Any, fields: Any = None, **config: Any) -> list[dict[str, Any]]:
    """The user that both functions make of one identity: the quick one, then the other."""
    shape = shapes_of({"people": {"properties": {"traits": {"type": "object", "properties": schema}}}})["people"]
    settings = Settings.from_config({"base_url": "http://127.0.0.1:1", **config}, "1")
    meaning = user_mapping_of("people", shape, settings)
    wanted = Wanted.from_paths(set(meaning.paths()), {path for path, _ in meaning.service_flags})
    user = msgspec.defstruct("User", [(name, Any) for name in FIELDS])
    raw = msgspec.Raw(json.dumps(traits).encode())
    conformer = Conformer({}, wanted.members["traits"], name="traits", warned=set())
    (part,), _ = conformer.read([raw])
    identity = Identity(id="i", schema_id="people", state="active", traits=raw, credentials=None, **(fields or {}))
    quick, anyhow = compiled_user(meaning, wanted, user, settings)
    made = [anyhow(identity, part, None, None, raw, None)]
    if not conformer.odd:
        made.insert(0, quick(identity, part, None, None, raw, None))
    return [msgspec.to_builtins({**msgspec.structs.asdict(each), "profile": None}) for each in made]


@pytest.mark.parametrize(
    ("schema", "traits", "expected"),
    [
        ({"email": EMAIL}, {"email": "Ann@Example.com"}, {"email": "Ann@Example.com", "login": "Ann@Example.com"}),
        ({"email": EMAIL}, {}, {"email": None, "login": None, "display_name": "i", "emails": []}),
        ({"email": EMAIL}, {"email": "no address"}, {"email": None, "emails": []}),
        (
            {"nick": NICK, "email": EMAIL},
            {"nick": "ann", "email": "a@x.org"},
            {"login": "ann", "login_aliases": ["a@x.org"]},
        ),
        ({"nick": NICK}, {"nick": " ann "}, {"login": "ann", "username": "ann", "display_name": "ann"}),
        ({"nick": NICK}, {"nick": "  "}, {"login": None, "username": None, "display_name": "i"}),
        (
            {"first_name": TEXT, "last_name": TEXT},
            {"first_name": " Ann\u2800 ", "last_name": "de  Wit"},
            {"first_name": "Ann", "last_name": "de Wit", "display_name": "Ann de Wit"},
        ),
        ({"first_name": TEXT}, {"first_name": "Ann"}, {"display_name": "Ann", "last_name": None}),
        # Where the schema says what identifies, it is the login; where it does not, a user name is.
        ({"email": EMAIL, "username": TEXT}, {"email": "a@x.org", "username": "ann"}, {"login": "a@x.org"}),
        ({"email": TEXT, "username": TEXT}, {"email": "a@x.org", "username": "ann"}, {"login": "ann"}),
        # Places of which the schema does not say what they hold.
        ({"email": {}}, {"email": ["a@x.org", "b@x.org"]}, {"email": "a@x.org"}),
        ({"email": {}}, {"email": {"value": "a@x.org"}}, {"email": "a@x.org"}),
        ({"name": {}}, {"name": {"first": "Ann", "last": "Wit"}}, {"display_name": "Ann Wit"}),
        # The quick one takes nothing of it, and hands over.
        (
            {"name": {"type": "object", "properties": {"first": TEXT, "last": TEXT}}},
            {"name": {"given": "Ann", "family": "Wit"}},
            {"display_name": "Ann Wit", "first_name": "Ann"},
        ),
        # Places that hold another shape than the schema says.
        ({"email": EMAIL}, {"email": ["a@x.org", "b@x.org"]}, {"email": "a@x.org"}),
        ({"name": TEXT}, {"name": {"first": "Ann", "last": "Wit"}}, {"display_name": "Ann Wit", "last_name": "Wit"}),
        ({"employee_id": TEXT}, {"employee_id": 1050}, {"employee_id": "1050"}),
    ],
)
def test_both_functions_make_this_user(schema: Any, traits: Any, expected: dict[str, Any]) -> None:
    for user in users(schema, traits):
        assert {name: user[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("known", "recovery", "verified", "addresses"),
    [
        # The one that Ory knows is that of the traits, in lower case.
        ([("ann@x.org", True)], [], True, [("Ann@x.org", True, True)]),
        ([("ann@x.org", False)], ["ann@x.org"], False, [("Ann@x.org", True, False)]),
        ([], [], None, [("Ann@x.org", True, None)]),
        # Another one is another address.
        ([("old@x.org", True)], [], None, [("Ann@x.org", True, None), ("old@x.org", False, True)]),
        ([("no address", True)], [], None, [("Ann@x.org", True, None)]),
        ([("ann@x.org", True)], ["old@x.org"], True, [("Ann@x.org", True, True), ("old@x.org", False, None)]),
    ],
)
def test_an_address_is_verified_as_ory_knows_it(known: Any, recovery: Any, verified: Any, addresses: Any) -> None:
    fields = {
        "verifiable_addresses": [Address(value, done, "email") for value, done in known] or None,
        "recovery_addresses": [Address(value, None, "email") for value in recovery] or None,
    }
    for user in users({"email": EMAIL}, {"email": "Ann@x.org"}, fields):
        assert (user["email"], user["email_verified"]) == ("Ann@x.org", verified)
        assert [tuple(each.values()) for each in user["emails"]] == addresses


def test_fields_are_taken_from_where_the_server_has_them() -> None:
    given = {
        "external_id": "e",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-02T00:00:00Z",
        "state_changed_at": "2026-01-03T00:00:00Z",
        "organization_id": "o",
    }
    for user in users({}, {}, given, project_slug="slug"):
        assert {name: user[name] for name in ("external_id", "created_at", "updated_at", "organization_id")} == {
            name: given[name] for name in ("external_id", "created_at", "updated_at", "organization_id")
        }
        assert user["status_changed_at"] == "2026-01-03T00:00:00Z"
        assert (user["id"], user["schema_id"], user["project_slug"]) == ("i", "people", "slug")
        assert (user["status"], user["status_details"]) == ("enabled", None)


def test_nothing_is_said_of_credentials_that_nobody_asked_for_or_told() -> None:
    configs: list[dict[str, Any]] = [{}, {"credential_metadata": True}]
    for config in configs:
        for user in users({"email": EMAIL}, {"email": "a@x.org"}, **config):
            assert [user[name] for name in ("mfa_enabled", "mfa_methods", "sso_enabled", "sso_providers")] == [None] * 4


@pytest.mark.parametrize(
    ("traits", "config", "expected"),
    [
        ({}, {}, "human"),
        ({"account_type": "service"}, {}, "service"),
        ({"account_type": "nonsense"}, {}, "human"),
        ({"is_service": True}, {}, "service"),
        ({"account_type": "service"}, {"account_types": {"people": "system"}}, "system"),
        ({"kind": "service"}, {"user_fields": {"account_type": "/traits/kind"}}, "service"),
    ],
)
def test_account_types(traits: Any, config: Any, expected: str) -> None:
    schema = {"account_type": TEXT, "is_service": {"type": "boolean"}, "kind": TEXT}
    assert [user["account_type"] for user in users(schema, traits, **config)] == [expected] * 2


def test_a_setting_comes_before_the_traits_and_falls_back_to_them() -> None:
    config = {"user_fields": {"first_name": "/traits/call_name", "login": "/traits/badge"}}
    schema = {"first_name": TEXT, "call_name": TEXT, "badge": TEXT, "email": EMAIL}
    for user in users(schema, {"first_name": "Anna", "call_name": "Ann", "badge": " 7 ", "email": "a@x.org"}, **config):
        assert (user["first_name"], user["login"], user["login_aliases"]) == ("Ann", "7", ["a@x.org"])
    for user in users(schema, {"first_name": "Anna", "email": "a@x.org"}, **config):
        assert (user["first_name"], user["login"]) == ("Anna", "a@x.org")


def test_a_setting_names_the_address() -> None:
    schema = {"email": EMAIL, "mail": TEXT}
    for user in users(schema, {"email": "a@x.org", "mail": "b@x.org"}, user_fields={"email": "/traits/mail"}):
        assert user["email"] == "b@x.org"
        assert [each["address"] for each in user["emails"]] == ["b@x.org", "a@x.org"]


def test_what_is_no_address_is_none_though_ory_knows_it() -> None:
    for user in users(
        {"email": EMAIL}, {"email": "ann"}, {"verifiable_addresses": [Address("ann", verified=True, via="email")]}
    ):
        assert (user["email"], user["email_verified"], user["emails"]) == (None, None, [])
