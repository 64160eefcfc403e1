"""Identities as users: what each field is made of, by schema, by name, by setting, and for odd identities."""

import json
from typing import Any

import pytest

from ory_reader.config.settings import Settings
from ory_reader.streams import STREAMS
from ory_reader.traits.declaration import shapes_of
from ory_reader.users.compiler import FIELDS
from ory_reader.users.decoder import user_mappings_of
from ory_reader.users.explain import sentences, table
from ory_sandbox import Sandbox
from tap_ory.tap import TapOry
from tests.command import records, run_tap, sync
from tests.views import Json, View, crumb, identity, page, user

Setting = bool | str
TEXT = {"type": "string"}
FLAG = {"type": "boolean"}


def obj(**properties: Any) -> Json:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def trait(*keywords: Json, form: str | None = None) -> Json:
    keyword = {name: value for each in keywords for name, value in each.items()}
    return {"type": "string", **({"format": form} if form else {}), "ory.sh/kratos": keyword}


def identifier(*kinds: str) -> Json:
    return {"credentials": {kind: {"identifier": True} for kind in kinds}}


VERIFIED = {"verification": {"via": "email"}}
RECOVERS = {"recovery": {"via": "email"}}
EMAIL = trait(identifier("password"), VERIFIED, RECOVERS, form="email")
USERNAME = trait(identifier("password"))
PHONE = trait(identifier("password"), {"verification": {"via": "sms"}}, form="tel")
NAME = obj(first=TEXT, last=TEXT)


def verifiable(value: str, *, verified: bool = True, via: str = "email") -> Json:
    return {"id": "x", "value": value, "verified": verified, "via": via, "status": "sent"}


def recovery(value: str) -> Json:
    return {"id": "x", "value": value, "via": "email"}


def parts(record: Json, *names: str) -> Json:
    return {name: record[name] for name in names}


def test_the_fields_are_those_of_the_schema() -> None:
    # What is stamped on a record, where changes are read, is made of nothing.
    assert [*FIELDS, "changed_at"] == list(STREAMS["users"].schema(None)["properties"])
    assert list(user(identity({}))) == list(FIELDS)


def test_a_person_with_an_email_address() -> None:
    given = identity(
        {"email": "Ada@Example.com", "name": {"first": "Ada", "last": "Lovelace"}, "age": 36},
        external_id="hr-1",
        state="active",
        state_changed_at="2026-01-01T00:00:00.123456789Z",
        verifiable_addresses=[verifiable("ada@example.com")],
        recovery_addresses=[recovery("ada@example.com")],
        metadata_public={"x": 1},
        created_at="2026-01-01T00:00:00Z",
        updated_at="2026-01-02T00:00:00.5Z",
        organization_id="0b0c2b5e-6b6f-4b1c-8e69-4f3a1d8cf7a1",
    )
    assert user(given, obj(email=EMAIL, name=NAME, age={"type": "integer"}), project_slug="clever-hare") == {
        "id": given["id"],
        "external_id": "hr-1",
        "email": "Ada@Example.com",
        "email_verified": True,
        "emails": [{"address": "Ada@Example.com", "primary": True, "verified": True}],
        "phone_numbers": [],
        "username": None,
        "login": "Ada@Example.com",
        "login_aliases": [],
        "display_name": "Ada Lovelace",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "status": "enabled",
        "status_details": None,
        "account_type": "human",
        "employee_id": None,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-02T00:00:00.5Z",
        "status_changed_at": "2026-01-01T00:00:00.123456789Z",
        "organization_id": "0b0c2b5e-6b6f-4b1c-8e69-4f3a1d8cf7a1",
        "schema_id": "default",
        "mfa_enabled": None,
        "mfa_methods": None,
        "sso_enabled": None,
        "sso_providers": None,
        "profile": given["traits"],
        "nonconforming_traits": None,
        "project_slug": "clever-hare",
    }


def test_someone_with_a_user_name_and_no_address() -> None:
    record = user(identity({"username": "svc-backup"}), obj(username=USERNAME))
    assert parts(record, "username", "login", "display_name") == dict.fromkeys(
        ("username", "login", "display_name"), "svc-backup"
    )
    assert parts(record, "email", "email_verified", "emails", "login_aliases") == {
        "email": None,
        "email_verified": None,
        "emails": [],
        "login_aliases": [],
    }


def test_someone_with_a_phone_number() -> None:
    given = identity({"phone": "+49 30 123456"}, verifiable_addresses=[verifiable("+4930123456", via="sms")])
    record = user(given, obj(phone=PHONE))
    assert parts(record, "phone_numbers", "login", "display_name", "username", "email", "emails") == {
        "phone_numbers": ["+49 30 123456"],
        "login": "+49 30 123456",
        "display_name": "+49 30 123456",
        "username": None,
        "email": None,
        "emails": [],
    }


def test_the_preset_that_names_the_address_for_the_passkey_still_shows_the_name() -> None:
    keyword = {**identifier("password", "webauthn", "code"), **VERIFIED, **RECOVERS}
    keyword["credentials"]["passkey"] = {"display_name": True}
    schema = obj(email=trait(keyword, form="email"), name=NAME)
    assert user(identity({"email": "a@b.c", "name": {"first": "Ada"}}), schema)["display_name"] == "Ada"
    assert user(identity({"email": "a@b.c"}), schema)["display_name"] == "a@b.c"


def test_the_passkeys_display_name_comes_before_names() -> None:
    shown = trait({"credentials": {"passkey": {"display_name": True}}})
    schema = obj(email=EMAIL, shown=shown, name=NAME, full_name=TEXT)
    traits = {"email": "a@b.c", "shown": "The Countess", "full_name": "A. L.", "name": {"first": "Ada"}}
    assert user(identity(traits), schema)["display_name"] == "The Countess"
    del traits["shown"]
    assert user(identity(traits), schema)["display_name"] == "A. L."


@pytest.mark.parametrize("blank", ["", " ", "\t\n", None])
def test_blank_names_are_none(blank: str | None) -> None:
    schema = obj(email=EMAIL, name=NAME, full_name=TEXT)
    record = user(identity({"email": "a@b.c", "name": {"first": blank, "last": "L"}, "full_name": blank}), schema)
    assert parts(record, "first_name", "last_name", "display_name") == {
        "first_name": None,
        "last_name": "L",
        "display_name": "L",
    }
    assert user(identity({"email": "", "name": {"first": blank}}), schema)["display_name"] == identity({})["id"]


# The primary address.

E1, E2, E3, E4 = "1@x.org", "2@x.org", "3@x.org", "4@x.org"


@pytest.mark.parametrize(
    ("schema", "traits", "expected"),
    [
        # Who signs in by it and is verified comes before who recovers, before who is verified, before who signs in.
        (
            obj(
                d=trait(identifier("password"), form="email"),
                c=trait(VERIFIED),
                b=trait(RECOVERS),
                a=trait(identifier("code"), VERIFIED),
            ),
            {"a": E1, "b": E2, "c": E3, "d": E4},
            [E1, E2, E3, E4],
        ),
        # Then well-known names, also below the person's own objects.
        (obj(mail=TEXT, email=trait(RECOVERS)), {"mail": E1, "email": E2}, [E2, E1]),
        (obj(profile=obj(EmailAddress=TEXT)), {"profile": {"EmailAddress": E1}}, [E1]),
        (obj(**{"E-Mail": TEXT}), {"E-Mail": E1}, [E1]),
        # The format alone counts where nothing else does.
        (obj(contact={"type": "string", "format": "email"}), {"contact": E1}, [E1]),
        (obj(email=TEXT, contact={"type": "string", "format": "email"}), {"email": E1, "contact": E2}, [E1]),
        # What is below somebody else is somebody else's; unless Ory verifies it for this identity.
        (obj(manager=obj(email={"type": "string", "format": "email"})), {"manager": {"email": E1}}, []),
        (obj(work=obj(box=trait(VERIFIED))), {"work": {"box": E1}}, [E1]),
        # Arrays, of addresses and of objects.
        (obj(emails={"type": "array", "items": EMAIL}), {"emails": [E1, E2, E1.upper(), None, ""]}, [E1, E2]),
        (obj(mails={"type": "array", "items": obj(at=EMAIL)}), {"mails": [{"at": E1}, {}, None, {"at": E2}]}, [E1, E2]),
        # Something that is no address is none, and the next source counts.
        (obj(email=EMAIL, mail=TEXT), {"email": "nobody", "mail": E2}, [E2]),
        (obj(email=EMAIL, mail=TEXT), {"mail": E2}, [E2]),
    ],
)
def test_addresses_in_the_order_of_their_use(schema: Json, traits: Json, expected: list[str]) -> None:
    record = user(identity(traits), schema)
    assert [each["address"] for each in record["emails"]] == expected
    assert [each["primary"] for each in record["emails"]] == [True, False, False, False][: len(expected)]
    assert record["email"] == (expected[0] if expected else None)


def test_addresses_that_ory_knows_come_after_those_of_the_traits() -> None:
    given = identity(
        {"email": "A@x.org"},
        verifiable_addresses=[
            verifiable("b@x.org", verified=False),
            verifiable("+4930123456", via="phone"),
            verifiable("a@x.org", verified=False),
        ],
        recovery_addresses=[recovery("c@x.org"), recovery("b@x.org")],
    )
    record = user(given, obj(email=EMAIL))
    assert record["emails"] == [
        {"address": "A@x.org", "primary": True, "verified": False},
        {"address": "b@x.org", "primary": False, "verified": False},
        {"address": "c@x.org", "primary": False, "verified": None},
    ]
    assert record["email_verified"] is False
    assert record["phone_numbers"] == ["+4930123456"]
    without = user({**given, "traits": {}}, obj(email=EMAIL))
    assert without["email"] == "b@x.org"
    assert user({**given, "traits": {}, "verifiable_addresses": None}, obj())["email"] == "c@x.org"


def test_the_only_address_that_ory_knows_may_be_another() -> None:
    given = identity({"email": E1}, verifiable_addresses=[verifiable(E2)], recovery_addresses=[recovery(E2)])
    assert user(given, obj(email=EMAIL))["emails"] == [
        {"address": E1, "primary": True, "verified": None},
        {"address": E2, "primary": False, "verified": True},
    ]
    recovers = identity({"email": E1}, verifiable_addresses=[verifiable(E1)], recovery_addresses=[recovery(E2)])
    assert [each["address"] for each in user(recovers, obj(email=EMAIL))["emails"]] == [E1, E2]
    called = identity({"email": E1}, verifiable_addresses=[verifiable(E1, via="sms")])
    assert user(called, obj(email=EMAIL))["phone_numbers"] == [E1]


def test_an_address_that_ory_does_not_verify_is_neither_verified_nor_not() -> None:
    record = user(identity({"email": E1}), obj(email=EMAIL))
    assert parts(record, "email", "email_verified") == {"email": E1, "email_verified": None}


# Logins.


@pytest.mark.parametrize(
    ("schema", "traits", "login", "aliases"),
    [
        (obj(email=EMAIL), {"email": E1}, E1, []),
        (obj(email=EMAIL, username=USERNAME), {"email": E1, "username": "u"}, "u", [E1]),
        (obj(email=EMAIL, username=USERNAME), {"email": E1}, E1, []),
        # A user name that nobody can sign in with is none to sign in with.
        (obj(email=EMAIL, username=TEXT), {"email": E1, "username": "u"}, E1, []),
        (obj(phone=PHONE, email=EMAIL), {"phone": "+491", "email": E1}, "+491", [E1]),
        (obj(phone=PHONE, nick=USERNAME), {"phone": "+491", "nick": "n"}, "n", ["+491"]),
        (obj(emails={"type": "array", "items": EMAIL}), {"emails": [E1, E2, E3]}, E1, [E2, E3]),
        (obj(a=trait(identifier("code", "webauthn")), b=USERNAME), {"a": "x", "b": "X"}, "x", []),
        (obj(badge={**USERNAME, "type": "integer"}), {"badge": 17}, "17", []),
        (obj(badge={**USERNAME, "type": "integer"}), {"badge": "n/a"}, None, []),
        (obj(username=TEXT, email=TEXT), {"username": "u", "email": E1}, "u", []),
    ],
)
def test_logins(schema: Json, traits: Json, login: str | None, aliases: list[str]) -> None:
    assert parts(user(identity(traits), schema), "login", "login_aliases") == {"login": login, "login_aliases": aliases}


def test_identifiers_of_credentials_are_aliases_where_they_are_read() -> None:
    credentials = {
        "password": {"type": "password", "identifiers": ["ada@x.org", "ada"]},
        "code": {"type": "code", "identifiers": ["+491"]},
        "passkey": {"type": "passkey", "identifiers": ["x-secret-handle"]},
        "oidc": {"type": "oidc", "identifiers": ["github:sub-1"]},
        "totp": {"type": "totp", "identifiers": ["5473449e-79d9-4fbb-8f06-9a4f9d697860"]},
    }
    given = identity({"email": "Ada@x.org"}, credentials=credentials)
    assert user(given, obj(email=EMAIL), credential_metadata=True)["login_aliases"] == ["ada", "+491"]
    assert user(given, obj(email=EMAIL))["login_aliases"] == []
    nameless = user({**given, "traits": {}}, obj(email=EMAIL), credential_metadata=True)
    assert parts(nameless, "login", "login_aliases") == {"login": "ada@x.org", "login_aliases": ["ada", "+491"]}


def test_blank_identifiers_and_numbers_are_none() -> None:
    credentials = {"password": {"identifiers": [" ", ""]}}
    record = user(identity({"username": " ", "phone": " "}, credentials=credentials), FULL, credential_metadata=True)
    assert parts(record, "login", "login_aliases", "phone_numbers", "display_name") == {
        "login": None,
        "login_aliases": [],
        "phone_numbers": [],
        "display_name": identity({})["id"],
    }


# Without a schema, by well-known names.


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        ({"email": E1, "name": "Ada Lovelace"}, {"email": E1, "display_name": "Ada Lovelace", "login": E1}),
        ({"name": {"first": "Ada", "last": "L"}}, {"first_name": "Ada", "last_name": "L", "display_name": "Ada L"}),
        ({"name": {"given": "Ada", "family": "L"}}, {"first_name": "Ada", "last_name": "L"}),
        ({"first_name": "Ada", "lastName": "L"}, {"first_name": "Ada", "last_name": "L", "display_name": "Ada L"}),
        ({"username": "u", "email": E1}, {"username": "u", "login": "u", "email": E1, "display_name": "u"}),
        ({"emails": [E1, E2]}, {"email": E1}),
        ({"employeeNumber": "17"}, {"employee_id": "17"}),
        ({"employee_id": 17}, {"employee_id": "17"}),
        ({"phoneNumber": "+491"}, {"phone_numbers": ["+491"], "login": "+491"}),
        ({"service_account": True}, {"account_type": "service"}),
        ({"account_type": "Bot"}, {"account_type": "service"}),
        ({"manager": {"email": E1, "name": "M"}}, {"email": None, "display_name": identity({})["id"]}),
    ],
)
def test_unknown_schemas_are_read_by_well_known_names(traits: Json, expected: Json) -> None:
    assert parts(user(identity(traits)), *expected) == expected
    # So are traits that a schema does not declare and allows.
    assert parts(user(identity(traits), {"type": "object", "properties": {"x": TEXT}}), *expected) == expected


def test_traits_that_a_schema_rules_out_are_not_looked_for() -> None:
    assert user(identity({"email": E1, "employee_id": "7"}), obj(username=USERNAME))["employee_id"] is None


# Status and account type.


@pytest.mark.parametrize(
    ("fields", "status", "details"),
    [
        ({"state": "active", "state_changed_at": "2026-01-01T00:00:00Z"}, "enabled", None),
        (
            {"state": "inactive", "state_changed_at": "2026-01-01T00:00:00Z"},
            "disabled",
            "inactive in Ory since 2026-01-01T00:00:00Z",
        ),
        ({"state": "inactive"}, "disabled", "inactive in Ory"),
        ({"state": "paused"}, None, "state paused in Ory"),
        ({"state": None}, None, None),
        ({}, None, None),
        ({"state": 7}, None, None),
    ],
)
def test_status(fields: Json, status: str | None, details: str | None) -> None:
    record = user(identity({}, **fields))
    assert parts(record, "status", "status_details") == {"status": status, "status_details": details}


SERVICE = obj(service_account=FLAG, account_type=TEXT, kind=TEXT)


@pytest.mark.parametrize(
    ("schema_id", "traits", "config", "expected"),
    [
        ("staff", {}, {}, "human"),
        ("staff", {"service_account": True}, {}, "service"),
        ("staff", {"service_account": False}, {}, "human"),
        ("staff", {"account_type": "machine", "service_account": False}, {}, "service"),
        ("staff", {"account_type": "System"}, {}, "system"),
        ("staff", {"account_type": "contractor"}, {}, "human"),
        ("staff", {"account_type": "contractor", "service_account": True}, {}, "service"),
        ("service-accounts", {}, {}, "service"),
        ("our/bot_v2", {}, {}, "service"),
        ("system", {}, {}, "system"),
        ("customer-service", {"account_type": "human"}, {}, "human"),
        ("botanists", {}, {}, "human"),
        ("staff", {"service_account": True}, {"account_types": {"staff": "human"}}, "human"),
        ("service", {}, {"account_types": {"service": "system"}}, "system"),
        ("staff", {"kind": "bot"}, {"user_fields": {"account_type": "/traits/kind"}}, "service"),
        (
            "staff",
            {"kind": "bot"},
            {"user_fields": {"account_type": "/traits/kind"}, "account_types": {"staff": "human"}},
            "service",
        ),
        (
            "staff",
            {},
            {"user_fields": {"account_type": "/traits/kind"}, "account_types": {"staff": "system"}},
            "system",
        ),
    ],
)
def test_account_types(schema_id: str, traits: Json, config: Json, expected: str) -> None:
    assert user(identity(traits, schema_id=schema_id), SERVICE, **config)["account_type"] == expected
    if not traits:
        assert user(identity(traits, schema_id=schema_id), None, **config)["account_type"] == expected


# Settings.


def test_user_fields_come_first_and_fall_back() -> None:
    config = {
        "user_fields": {
            "email": "/traits/contact/box",
            "employee_id": "/metadata_public/number",
            "first_name": "/metadata_admin/names/0",
            "login": "/external_id",
            "default": {"username": "/traits/nick", "phone_numbers": "/traits/lines"},
            "other": {"username": "/traits/email"},
        }
    }
    schema = obj(
        email=EMAIL,
        username=USERNAME,
        nick=TEXT,
        contact=obj(box=TEXT),
        lines={"type": "array", "items": TEXT},
        employee_id=TEXT,
    )
    traits = {
        "email": E1,
        "username": "u",
        "nick": "n",
        "contact": {"box": E2},
        "lines": ["+491", "+492"],
        "employee_id": "traits-1",
    }
    given = identity(
        traits, external_id="x", metadata_public={"number": 42}, metadata_admin={"names": ["Ada"], "x": "x-secret"}
    )
    names = ("email", "employee_id", "first_name", "login", "username", "phone_numbers")
    assert parts(user(given, schema, **config), *names) == {
        "email": E2,
        "employee_id": "42",
        "first_name": "Ada",
        "login": "x",
        "username": "n",
        "phone_numbers": ["+491", "+492"],
    }
    bare = identity({"email": E1, "username": "u", "employee_id": "traits-1"}, metadata_public=None, metadata_admin=[7])
    assert parts(user(bare, schema, **config), *names) == {
        "email": E1,
        "employee_id": "traits-1",
        "first_name": None,
        "login": "u",
        "username": "u",
        "phone_numbers": [],
    }
    assert user({**given, "schema_id": "other"}, None, **config)["username"] == E1
    assert "x-secret" not in json.dumps(user(given, schema, **config))


@pytest.mark.parametrize("pointer", ["/traits/email/x", "/traits/none/of/these", "/traits/names/9", "/traits/age/0/x"])
def test_a_pointer_that_leads_nowhere_is_no_harm(pointer: str) -> None:
    schema = obj(email=EMAIL, names={"type": "array", "items": TEXT}, age={"type": "integer"})
    given = identity({"email": E1, "names": ["a"], "age": 7})
    assert user(given, schema, user_fields={"username": pointer, "email": pointer})["email"] == E1


def test_the_slug_of_ory_network_is_in_its_host() -> None:
    config = {"base_url": "https://clever-hare-x1.projects.oryapis.com", "api_token": "ory_pat_x"}
    assert user(identity({}), **config)["project_slug"] == "clever-hare-x1"
    assert user(identity({}), **config, project_slug="mine")["project_slug"] == "mine"
    assert user(identity({}))["project_slug"] is None


# Second factors and linked accounts.

KEYS = [{"id": "x-secret-id", "public_key": "x-secret-key", "display_name": "x-secret-name", "is_passwordless": True}]
SECOND = [{**KEYS[0], "is_passwordless": False}]
LISTED = {kind: {"type": kind, "identifiers": ["a@b.c"], "version": 0} for kind in ("password", "webauthn", "code")}


def enrolled(*kinds: str) -> Json:
    return {kind: {"type": kind, "identifiers": [identity({})["id"]]} for kind in kinds}


def linked(kind: str, *identifiers: str) -> Json:
    return {kind: {"type": kind, "identifiers": list(identifiers)}}


@pytest.mark.parametrize(
    ("credentials", "setting", "mfa", "sso"),
    [
        (LISTED, False, None, None),
        (enrolled("totp"), False, None, None),
        (None, True, None, None),
        ({}, True, [], []),
        # Listed for identities that never enrolled anything: only what a key is tells which factor it is.
        (LISTED, True, None, []),
        (LISTED, "exact", [], []),
        ({**LISTED, **enrolled("totp")}, True, ["totp"], []),
        ({**LISTED, **enrolled("lookup_secret", "totp")}, True, ["totp", "lookup_secret"], []),
        ({"password": LISTED["password"], "code": LISTED["code"]}, True, [], []),
        (linked("oidc", "github:1", "google:2", "github:3"), True, [], ["github", "google"]),
        (linked("saml", "okta:a:b"), True, [], ["okta"]),
        # What is left after the last account was unlinked.
        (linked("oidc"), True, [], []),
        # A key that stands alone, and a passkey, are a first factor.
        ({"webauthn": {"config": {"credentials": SECOND}}}, True, None, []),
        ({"webauthn": {"config": {"credentials": SECOND}}}, "exact", ["webauthn"], []),
        ({"webauthn": {"config": {"credentials": [*KEYS, *SECOND]}}}, "exact", ["webauthn"], []),
        ({"webauthn": {"config": {"credentials": KEYS}}}, "exact", [], []),
        ({"passkey": {"identifiers": ["x-secret-handle"], "config": {"credentials": KEYS}}}, "exact", [], []),
        ({"webauthn": {"config": {"user_handle": "x-secret-handle"}}}, "exact", [], []),
        ({"webauthn": {"config": {"credentials": []}}, "passkey": {"config": None}}, "exact", [], []),
        ({"passkey": {"identifiers": ["x-secret-handle"]}}, True, [], []),
        # A device is known by its identifier, which goes with the last one; the credential does not.
        ({"deviceauthn": {"identifiers": ["0a1b"]}}, True, ["deviceauthn"], []),
        ({"deviceauthn": {"identifiers": []}}, True, None, []),
        ({"deviceauthn": {"identifiers": []}, **enrolled("totp")}, "exact", ["totp"], []),
        # What nobody knows yet may be a second factor.
        ({"telepathy": {"identifiers": ["x"]}}, "exact", None, []),
        ({"telepathy": None}, "exact", [], []),
        # Providers and subjects that hold colons themselves.
        (linked("oidc", "azure:corp:1", "azure:corp:2", "azure:3"), True, [], ["azure:corp", "azure"]),
        (
            linked("oidc", "steam:https://example.com/id/1", "key:f:0b0c2b5e-6b6f-4b1c-8e69-4f3a1d8cf7a1:a:b"),
            True,
            [],
            ["steam", "key"],
        ),
        (linked("oidc", "one:urn:x:y", "a:b:did:z:1", "github:"), True, [], ["one", "a:b", "github"]),
    ],
)
def test_second_factors_and_linked_accounts(
    credentials: Json | None, setting: Setting, mfa: list[str] | None, sso: list[str] | None
) -> None:
    fields = {} if credentials is None else {"credentials": credentials}
    record = user(identity({"email": "a@b.c"}, **fields), obj(email=EMAIL), credential_metadata=setting)
    assert parts(record, "mfa_enabled", "mfa_methods", "sso_enabled", "sso_providers") == {
        "mfa_enabled": None if mfa is None else bool(mfa),
        "mfa_methods": mfa,
        "sso_enabled": None if sso is None else bool(sso),
        "sso_providers": sso,
    }
    assert "x-secret" not in json.dumps(record)


CODE: Json = {"type": "code", "identifiers": ["a@b.c"]}


@pytest.mark.parametrize(
    ("credential", "counts"),
    [
        ({**CODE, "config": {"addresses": [{"channel": "email", "address": "a@b.c"}]}}, True),
        # As servers wrote it before.
        ({**CODE, "config": {"address_type": "email", "used_at": None}}, True),
        ({**CODE, "config": {"address_type": ""}}, False),
        ({**CODE, "config": {"addresses": [{"channel": "email", "address": ""}]}}, False),
        ({**CODE, "config": {"addresses": []}}, False),
        ({**CODE, "config": {}}, False),
        (CODE, False),
        (None, False),
    ],
)
@pytest.mark.parametrize("odd", [{}, {"external_id": "\ud800"}])
def test_a_code_is_a_second_factor_where_the_setting_says_so(credential: Any, counts: Any, odd: Json) -> None:
    given = identity({}, credentials={"password": LISTED["password"], "code": credential}, **odd)
    for setting in (True, "exact"):
        record = user(given, credential_metadata=setting, code_mfa_enabled=True)
        assert parts(record, "mfa_enabled", "mfa_methods") == {
            "mfa_enabled": counts,
            "mfa_methods": ["code"] if counts else [],
        }
        assert user(given, credential_metadata=setting)["mfa_enabled"] is False
    assert user(given, code_mfa_enabled=True)["mfa_enabled"] is None


@pytest.mark.parametrize("manner", ["v1.0", "v1.3", "network"])
@pytest.mark.parametrize("page_size", [1, 500])
@pytest.mark.parametrize("setting", [True, "exact"])
def test_who_has_no_credentials_has_no_second_factor_on_a_server_that_tells_them(
    manner: Any, page_size: int, setting: Setting
) -> None:
    people = [identity({}, id=f"5473449e-79d9-4fbb-8f06-9a4f9d69786{n}", schema_id="person") for n in range(3)]
    people[1]["credentials"] = enrolled("totp")
    with Sandbox(identities=people, manner=manner) as sandbox:
        config = {"base_url": sandbox.url, "page_size": page_size, "credential_metadata": setting}
        if manner == "network":
            config["api_token"] = "ory_pat_x"
        found = records(sync(config, catalog=catalog(sandbox.url, "users")))
        by_id = sorted(found, key=lambda each: str(each["id"]))
        names = ("mfa_enabled", "mfa_methods", "sso_enabled", "sso_providers")
        told = [[False, [], False, []], [True, ["totp"], False, []], [False, [], False, []]]
        assert [[each[name] for name in names] for each in by_id] == ([[None] * 4] * 3 if manner == "v1.0" else told)
        # What a page does not show itself is asked for once.
        asked = [seen for seen in sandbox.requests.log if "include_credential=none" in seen.target]
        assert len(asked) == (1 if manner == "v1.0" or page_size == 1 else 0)


SECRETS: Json = {
    "password": {"type": "password", "identifiers": ["a@b.c"], "config": {"hashed_password": "x-secret"}},
    "totp": {"type": "totp", "identifiers": ["id"], "config": {"totp_url": "otpauth://x-secret"}},
    "lookup_secret": {"type": "lookup_secret", "config": {"recovery_codes": [{"code": "x-secret"}]}},
    "oidc": {"type": "oidc", "identifiers": ["github:1"], "config": {"providers": [{"initial_id_token": "x-secret"}]}},
    "webauthn": {
        "type": "webauthn",
        "identifiers": ["a@b.c"],
        "config": {"credentials": KEYS, "user_handle": "x-secret-handle"},
    },
    "passkey": {
        "type": "passkey",
        "identifiers": ["x-secret-handle"],
        "config": {"credentials": KEYS, "user_handle": "x-secret-handle"},
    },
}


@pytest.mark.parametrize("setting", [True, "exact"])
@pytest.mark.parametrize("odd", [{}, {"state": 7}, {"external_id": "\ud800"}])
@pytest.mark.parametrize("stream", ["identities", "users"])
def test_no_key_handle_or_secret_is_anywhere(stream: str, odd: Json, setting: Setting) -> None:
    view = View(stream, {"default": obj(email=EMAIL)}, credential_metadata=setting)
    out = view.block(page(identity({"email": "a@b.c"}, credentials=SECRETS, **odd)))
    assert b"x-secret" not in out
    assert b"totp" in out


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("odd", [None, 7, "x-secret", ["x-secret"], {"config": "x-secret"}, {"config": ["x-secret"]}])
def test_credentials_of_another_shape_are_no_harm(kind: str, odd: Any) -> None:
    given = identity({"email": "a@b.c"}, credentials={**SECRETS, kind: odd})
    for setting in (True, "exact"):
        out = json.dumps(user(given, obj(email=EMAIL), credential_metadata=setting))
        assert "x-secret" not in out


# Odd identities yield a row.

ODD_TRAITS: list[Any] = [
    None,
    "x",
    17,
    1.5,
    True,
    [],
    ["a@b.c"],
    {},
    {"email": 17},
    {"email": ["a@b.c"]},
    {"email": {"value": "a@b.c"}},
    {"email": True, "name": "Ada", "username": {"x": 1}},
    {"name": [{"first": "Ada"}]},
    {"name": {"first": {"x": 1}, "last": 7}},
    {"email": "\u0000", "name": {"first": "\u2028", "last": '"\\'}},
    {"email": "a@b.c" * 2_000_000},
    {"email": "a@b.c", "x": {"deep": [[[[[[[[[[{}]]]]]]]]]]}},
]
FULL = obj(email=EMAIL, username=USERNAME, phone=PHONE, name=NAME, emails={"type": "array", "items": EMAIL})


@pytest.mark.parametrize("traits", ODD_TRAITS, ids=lambda traits: json.dumps(traits)[:40])
@pytest.mark.parametrize("schema", [None, FULL, {"type": "object"}, {}, {"type": "string"}], ids=str)
def test_odd_traits_yield_a_row_and_nothing_vanishes(traits: Any, schema: Any) -> None:
    given = page(identity(traits))
    view = View("users", {} if schema is None else {"default": schema})
    (record,) = view.records(given)
    (whole,) = View("identities", {} if schema is None else {"default": schema}).records(given)
    assert record["profile"] == whole["traits"]
    assert record["nonconforming_traits"] == whole.get("nonconforming_traits")
    assert record["id"] == identity({})["id"]


def test_odd_traits_do_not_touch_their_neighbours() -> None:
    plain = identity({"email": "a@b.c", "name": {"first": "Ada", "last": "L"}})
    view = View("users", {"default": FULL})
    (alone,) = view.records(page(plain))
    for traits in ODD_TRAITS:
        first, second, third = view.records(page(plain, identity(traits), plain))
        assert first == third == alone
        assert second["id"] == plain["id"]


@pytest.mark.parametrize("traits", ODD_TRAITS, ids=lambda traits: json.dumps(traits)[:40])
@pytest.mark.parametrize("stream", ["identities", "users"])
def test_a_row_is_the_same_whichever_way_its_page_takes(stream: str, traits: Any) -> None:
    view = View(stream, {"default": FULL})
    alone = view.records(page(identity(traits)))
    # Half a surrogate pair sends the whole page the slower way.
    assert view.records(page(identity(traits), identity({"x": "\ud800"})))[:1] == alone


def test_a_number_where_an_address_is_declared_is_no_address() -> None:
    record = user(identity({"email": 17, "username": 18}), FULL)
    assert parts(record, "email", "emails", "username", "login", "profile") == {
        "email": None,
        "emails": [],
        "username": "18",
        "login": "18",
        "profile": {"email": "17", "username": "18"},
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"verifiable_addresses": "x"},
        {"verifiable_addresses": [7, None, {"value": 7}, {"value": "b@x.org", "via": 7, "verified": "yes"}]},
        {"recovery_addresses": {"x": 1}},
        {"schema_id": 7},
        {"schema_id": None},
        {"external_id": 7, "created_at": [], "organization_id": {}},
        {"credentials": "x"},
        {"metadata_public": "\ud800"},
    ],
)
def test_odd_fields_yield_a_row(fields: Json) -> None:
    record = user({**identity({"email": E1}), **fields}, credential_metadata=True)
    assert record["email"] == E1
    assert record["id"] == identity({})["id"]


# Selection.


def test_a_deselected_field_is_not_there() -> None:
    schemas = {"default": obj(email=EMAIL, name=NAME)}
    given = page(identity({"email": E1, "name": {"first": "Ada", "last": "L"}}))
    (record,) = View("users", schemas, deselected=[crumb("profile"), crumb("emails")]).records(given)
    assert set(FIELDS) - set(record) == {"profile", "emails"}
    assert record["first_name"] == "Ada"


def test_a_deselected_trait_is_not_in_the_profile_nor_among_what_does_not_fit() -> None:
    schemas = {"default": {"type": "object", "properties": {"email": EMAIL, "name": NAME, "age": {"type": "integer"}}}}
    deselected = [crumb("profile", "age"), crumb("profile", "name", "last")]
    view = View("users", schemas, deselected=deselected)
    given = {"email": E1, "name": {"first": "Ada", "last": "x-secret", "x": "x-secret"}, "age": "x-secret", "more": [1]}
    (record,) = view.records(page(identity(given)))
    # Who deselects wants privacy: what no schema declares could not be named, and stays in.
    assert record["profile"] == {"email": E1, "name": {"first": "Ada"}}
    assert record["nonconforming_traits"] is None
    # It is the trait that was deselected, not the field that is made of it.
    assert record["last_name"] == "x-secret"
    deselected = [crumb("traits", "age"), crumb("traits", "name", "last")]
    view = View("identities", schemas, deselected=deselected)
    for odd in ({}, {"external_id": "\ud800"}):
        out = view.block(page(identity(given, **odd)))
        assert b"x-secret" not in out
        assert json.loads(out)["record"]["traits"] == {"email": E1, "name": {"first": "Ada"}}


@pytest.mark.parametrize("stream", ["identities", "users"])
def test_undeclared_traits_stay_in_where_single_ones_are_chosen_or_all_deselected(
    stream: str, caplog: pytest.LogCaptureFixture
) -> None:
    field = {"identities": "traits", "users": "profile"}[stream]
    schemas = {"default": {"type": "object", "properties": {"email": EMAIL, "name": NAME, "age": {"type": "integer"}}}}
    given = {"email": E1, "age": "x-secret", "name": {"first": "Ada", "more": "x-secret"}, "more": "x-secret"}
    everything = [crumb(field, *way) for way in (("email",), ("age",), ("name",), ("name", "first"), ("name", "last"))]
    for deselected, left in ((everything, {}), (everything[1:], {"email": E1})):
        caplog.clear()
        caplog.set_level("INFO")
        view = View(stream, schemas, deselected=deselected)
        for neighbours in ([], [identity({"x": "\ud800"})]):
            record = view.records(page(identity(given), *neighbours))[0]
            assert record[field] == left
            assert record.get("nonconforming_traits") is None
        assert (
            caplog.messages.count("Some traits are deselected; those that no identity schema declares stay out, too.")
            == 1
        )


def test_undeclared_traits_leave_where_nothing_or_the_whole_field_is_deselected() -> None:
    schemas = {"default": {"type": "object", "properties": {"email": EMAIL}}}
    given = page(identity({"email": E1, "more": 1}))
    (record,) = View("identities", schemas, deselected=[crumb("state")]).records(given)
    assert record["traits"] == {"email": E1, "more": 1}
    (record,) = View("identities", schemas, deselected=[crumb("traits")]).records(given)
    assert "traits" not in record


@pytest.mark.parametrize(
    ("traits", "left", "apart"),
    [
        # What is deselected may be anywhere in a value of another type than declared.
        ({"name": "Ada x-secret"}, {"name": None}, None),
        ({"name": 7}, {"name": None}, None),
        ({"name": None}, {"name": None}, None),
        ({"name": [{"first": "Ada", "last": "x-secret"}]}, {"name": None}, None),
        ("x-secret", None, None),
        ([{"name": {"last": "x-secret"}}, 7], None, None),
        (None, None, None),
        # What is selected as a whole is kept, whatever it is.
        ({"age": "old"}, {"age": None}, {"/age": "old"}),
        ({"home": "a street"}, {"home": None}, {"/home": "a street"}),
        ({"home": {"street": ["x"], "more": "x-secret"}}, {"home": {"street": None}}, {"/home/street": ["x"]}),
        ({"free": {"more": [1]}, "name": {"first": "Ada"}}, {"free": {"more": [1]}, "name": {"first": "Ada"}}, None),
    ],
)
def test_odd_traits_where_some_are_deselected(traits: Any, left: Any, apart: Json | None) -> None:
    name = {"type": "object", "properties": {"first": TEXT, "last": TEXT}}
    home = {"type": "object", "properties": {"street": TEXT}}
    schema = obj(name=name, home=home, age={"type": "integer"}, free={"type": "object"})
    for stream, field in (("identities", "traits"), ("users", "profile")):
        view = View(stream, {"default": schema}, deselected=[crumb(field, "name", "last")])
        for neighbours in ([], [identity({"x": "\ud800"})]):
            record = view.records(page(identity(traits), *neighbours))[0]
            assert record[field] == left
            assert record.get("nonconforming_traits") == apart


# The streams.


def catalog(url: str, *selected: str) -> Json:
    found: Json = json.loads(json.dumps(TapOry(config={"base_url": url}, setup_mapper=False).catalog_dict))
    for stream in found["streams"]:
        (root,) = [entry for entry in stream["metadata"] if entry["breadcrumb"] == []]
        root["metadata"]["selected"] = stream["tap_stream_id"] in selected
    return found


def test_together_and_alone_cost_one_read() -> None:
    with Sandbox(1200) as sandbox:
        read: dict[tuple[str, ...], int] = {}
        for selected in (("identities",), ("users",), ("identities", "users")):
            chosen = catalog(sandbox.url, *selected)
            sandbox.requests.log.clear()
            found = records(sync({"base_url": sandbox.url, "concurrency": 1}, catalog=chosen))
            assert len({record["id"] for record in found}) == 1200
            assert len(found) == 1200 * len(selected)
            pages = [seen for seen in sandbox.requests.log if "/admin/identities" in seen.target]
            read[selected] = len(pages)
        assert set(read.values()) == {3}


def test_users_are_not_selected_by_default_and_tested_all_the_same() -> None:
    with Sandbox(3) as sandbox:
        assert len(records(sync({"base_url": sandbox.url}))) == 3
        tested = run_tap("--test", environment={"TAP_ORY_BASE_URL": sandbox.url})
    schemas = {each["stream"]: each["schema"] for each in tested.messages if each["type"] == "SCHEMA"}
    found = {each["stream"]: each["record"] for each in tested.messages if each["type"] == "RECORD"}
    assert set(schemas["users"]["properties"]) - {"changed_at"} == set(found["users"]) == set(FIELDS)


def test_discovery_declares_traits_and_a_given_catalog_asks_for_nothing() -> None:
    with Sandbox(5) as sandbox:
        chosen = catalog(sandbox.url, "identities")
        traits = chosen["streams"][0]["schema"]["properties"]["traits"]
        assert traits["type"] == ["object", "null"]
        assert traits["properties"]["orders"] == {"type": ["integer", "null"]}
        assert chosen["streams"][1]["schema"]["properties"]["profile"]["properties"] == traits["properties"]
        sandbox.requests.log.clear()
        assert len(records(sync({"base_url": sandbox.url}, catalog=chosen))) == 5
        assert not [seen for seen in sandbox.requests.log if "schemas" in seen.target]


def test_about_and_check_ask_for_no_schemas() -> None:
    with Sandbox(5) as sandbox:
        environment = {"TAP_ORY_BASE_URL": sandbox.url}
        assert "public_url" in run_tap("--about", environment=environment).stdout
        assert sandbox.requests.count == 0
        assert run_tap("--check", environment=environment).stdout.startswith("Connected")
        assert not [seen for seen in sandbox.requests.log if "schemas" in seen.target]


def test_discovery_goes_without_schemas_or_settings() -> None:
    for environment, warnings in (({}, 0), ({"TAP_ORY_BASE_URL": "http://127.0.0.1:9"}, 1)):
        found = run_tap("--discover", environment=environment)
        assert found.code == 0
        (stream,) = (each for each in json.loads(found.stdout)["streams"] if each["stream"] == "identities")
        assert "properties" not in stream["schema"]["properties"]["traits"]
        assert len([line for line in found.logged("WARNING") if "identity schemas" in line]) == warnings


def test_a_run_says_which_trait_becomes_what() -> None:
    with Sandbox(5) as sandbox:
        environment = {"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_USER_FIELDS": '{"employee_id": "/metadata_public/x"}'}
        explained = run_tap("--explain-users", environment=environment)
        assert explained.code == 0
        rows = [line.split() for line in explained.stdout.splitlines()]
        assert rows[0] == ["identity", "schema", "field", "of", "users", "comes", "from", "why"]
        assert rows[1][:3] == ["person", "email", "/traits/email"]
        assert ["employee_id", "/metadata_public/x", "setting", "user_fields"] in rows
        assert ["preset://basic", "email", "/traits/email"] in [row[:3] for row in rows]


def test_an_explanation_names_the_traits_that_a_schema_declares() -> None:
    traits = {"staff": {"type": "object", "properties": {"mail": EMAIL, "name": NAME}}, "blank": {"type": "object"}}
    shapes = shapes_of({name: {"properties": {"traits": each}} for name, each in traits.items()})
    settings = Settings.from_config({"base_url": "http://127.0.0.1:1"}, "1")
    meanings = user_mappings_of(shapes, settings)
    shown = table(meanings)
    pointers = {part for line in shown.splitlines() for part in line.split() if part.startswith("/")}
    assert pointers == {"/traits/mail", "/traits/name/first", "/traits/name/last"}
    assert shown.splitlines()[-2].endswith("those of well-known names count.")
    staff, blank = sentences(meanings)
    assert staff == (
        "Users of identity schema staff: email from /traits/mail, login_aliases from /traits/mail, "
        "first_name from /traits/name/first, last_name from /traits/name/last."
    )
    assert blank == "Users of identity schema blank: no trait is known."
    # What stands in for schemas that nobody knows has no other traits.
    assert "/traits/preferred_username" in table(user_mappings_of({}, settings))
