"""Users out of a real Ory Kratos: five identity schemas of different shape, second factors, a linked account."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tap_ory.tap import TapOry
from tests.command import records, run_tap, sync
from tests.real.enrolment import enrol_totp, store_security_key
from tests.real.people import PASSWORD_HASH
from tests.real.server import Kratos
from tests.servers import run_kratos

Json = dict[str, Any]
HIDDEN = "x-never-to-be-seen"


def trait(form: str = "", credentials: Json | None = None, **keyword: Json) -> Json:
    keyword = {**keyword, "credentials": credentials or {"password": {"identifier": True}}}
    return {"type": "string", **({"format": form} if form else {}), "ory.sh/kratos": keyword}


def document(title: str, /, **properties: Json) -> Json:
    return {
        "$id": f"https://tap-ory.invalid/users-{title}.schema.json",
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"traits": {"type": "object", "properties": properties}},
    }


BY_EMAIL: Json = {"verification": {"via": "email"}, "recovery": {"via": "email"}}
SIGN_IN = {"password": {"identifier": True}, "webauthn": {"identifier": True}, "totp": {"account_name": True}}
TEXT = {"type": "string"}
SCHEMAS = {
    "customer": document("customer", email=trait("email", SIGN_IN, **BY_EMAIL), age={"type": "integer"}),
    "machine": document("machine", username=trait(), purpose=TEXT),
    "caller": document("caller", phone=trait("tel", verification={"via": "sms"})),
    "staff": document(
        "staff",
        contact={"type": "object", "properties": {"work": trait("email", **BY_EMAIL)}},
        name={"type": "object", "properties": {"given": TEXT, "family": TEXT}},
        employeeNumber={"type": "integer"},
        manager={"type": "object", "properties": {"email": TEXT}},
    ),
    # The shape of a preset that new projects of Ory Network start with.
    "preset://basic": document(
        "basic",
        email=trait(
            "email",
            {**SIGN_IN, "code": {"identifier": True, "via": "email"}, "passkey": {"display_name": True}},
            **BY_EMAIL,
        ),
        name={"type": "object", "properties": {"first": TEXT, "last": TEXT}},
    ),
}

WITH_PASSWORD = {"password": {"config": {"hashed_password": PASSWORD_HASH}}}
WITH_GITHUB = {"oidc": {"config": {"providers": [{"provider": "github", "subject": "sub-1"}]}}}
PEOPLE: dict[str, Json] = {
    "plain": {"schema_id": "customer", "traits": {"email": "Grace@Example.com", "age": 36}},
    "totp": {"schema_id": "customer", "traits": {"email": "ada@example.com"}, "credentials": WITH_PASSWORD},
    "github": {"schema_id": "customer", "traits": {"email": "alan@example.com"}, "credentials": WITH_GITHUB},
    "key": {"schema_id": "customer", "traits": {"email": "key@example.com"}, "credentials": WITH_PASSWORD},
    "machine": {"schema_id": "machine", "traits": {"username": "svc-backup", "purpose": "backups"}},
    "caller": {"schema_id": "caller", "traits": {"phone": "+493023125678"}, "state": "inactive"},
    "staff": {
        "schema_id": "staff",
        "traits": {
            "contact": {"work": "zoe@example.com"},
            "name": {"given": "Zoë", "family": "Ångström"},
            "employeeNumber": 4711,
            "manager": {"email": "boss@example.com"},
        },
        "verifiable_addresses": [
            {"value": "zoe@example.com", "verified": True, "via": "email", "status": "completed"},
        ],
    },
    "preset": {"schema_id": "preset://basic", "traits": {"email": "bo@example.com", "name": {"first": "Bo"}}},
}


class Project:
    """The server, who is who in it, and the catalog with both streams."""

    def __init__(self, kratos: Kratos) -> None:
        self.kratos = kratos
        self.ids = {who: kratos.create(body)["id"] for who, body in PEOPLE.items()}
        self.totp_secret = enrol_totp(kratos, "ada@example.com")
        store_security_key(kratos, self.ids["key"], HIDDEN)
        self.config = {"base_url": kratos.admin_url}
        catalog = TapOry(config=self.config, setup_mapper=False).catalog_dict
        self.catalog: Json = json.loads(json.dumps(catalog))
        for stream in self.catalog["streams"]:
            for entry in stream["metadata"]:
                entry["metadata"]["selected"] = True

    def read(self, **config: Any) -> bytes:
        return sync({**self.config, **config}, catalog=self.catalog)

    def users(self, **config: Any) -> dict[str, Json]:
        """The users, by who they are."""
        by_id = {each["id"]: each for each in records(self.read(**config)) if "display_name" in each}
        assert sorted(by_id) == self.kratos.all_ids()
        return {who: by_id[each] for who, each in self.ids.items()}


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    with run_kratos("v1.3.1", 0, SCHEMAS) as kratos:
        yield Project(kratos)


NAMES = ("email", "email_verified", "phone_numbers", "username", "login", "login_aliases", "display_name")
MORE = ("first_name", "last_name", "status", "account_type", "employee_id", "schema_id")


@pytest.mark.parametrize(
    ("who", "names", "more"),
    [
        (
            "plain",
            ["Grace@Example.com", False, [], None, "Grace@Example.com", [], "Grace@Example.com"],
            [None, None, "enabled", "human", None, "customer"],
        ),
        (
            "machine",
            [None, None, [], "svc-backup", "svc-backup", [], "svc-backup"],
            [None, None, "enabled", "service", None, "machine"],
        ),
        (
            "caller",
            [None, None, ["+493023125678"], None, "+493023125678", [], "+493023125678"],
            [None, None, "disabled", "human", None, "caller"],
        ),
        (
            "staff",
            ["zoe@example.com", True, [], None, "zoe@example.com", [], "Zoë Ångström"],
            ["Zoë", "Ångström", "enabled", "human", "4711", "staff"],
        ),
        (
            "preset",
            ["bo@example.com", False, [], None, "bo@example.com", [], "Bo"],
            ["Bo", None, "enabled", "human", None, "preset://basic"],
        ),
    ],
)
def test_each_schema_says_what_its_traits_are(project: Project, who: str, names: list[Any], more: list[Any]) -> None:
    record = project.users()[who]
    assert [record[name] for name in NAMES] == names
    assert [record[name] for name in MORE] == more
    assert record["profile"] == PEOPLE[who]["traits"]
    assert record["nonconforming_traits"] is None
    assert (record["status_details"] or "").startswith("inactive in Ory since 20") is (who == "caller")


@pytest.mark.parametrize(
    ("setting", "factors"), [(True, {"totp": ["totp"]}), ("exact", {"totp": ["totp"], "key": ["webauthn"]})]
)
def test_only_those_who_enrolled_have_a_second_factor(
    project: Project, setting: object, factors: dict[str, list[str]]
) -> None:
    users = project.users(credential_metadata=setting)
    assert {who: each["mfa_methods"] for who, each in users.items() if each["mfa_enabled"]} == factors
    linked = {who: each["sso_providers"] for who, each in users.items() if each["sso_enabled"]}
    assert linked == {"github": ["github"]}
    # What keys the webauthn credential holds that some schemas give everybody shows in its config only.
    unknown = {who for who, each in users.items() if each["mfa_enabled"] is None}
    assert unknown == ({"plain", "github", "key", "preset"} if setting is True else set())
    assert {each["sso_enabled"] for each in users.values()} == {True, False}


def test_without_the_setting_nothing_is_said(project: Project) -> None:
    for each in project.users().values():
        assert [each[name] for name in ("mfa_enabled", "mfa_methods", "sso_enabled", "sso_providers")] == [None] * 4


@pytest.mark.parametrize("setting", [True, "exact"])
def test_no_key_handle_or_secret_leaves_the_tap(project: Project, setting: object) -> None:
    out = project.read(credential_metadata=setting)
    assert b'"webauthn"' in out
    for secret in (HIDDEN, project.totp_secret, PASSWORD_HASH, "eC1uZXZlci10by1iZS1zZWVu", "public_key", "user_handle"):
        assert secret.encode() not in out


def test_the_server_did_tell_the_key(project: Project) -> None:
    where = f"{project.kratos.admin_url}admin/identities/{project.ids['key']}"
    answer = requests.get(where, params={"include_credential": "webauthn"}, timeout=30).json()
    assert answer["credentials"]["webauthn"]["config"]["credentials"][0]["display_name"] == HIDDEN


def test_traits_are_declared_from_behind_the_redirect(project: Project) -> None:
    declared = project.catalog["streams"][0]["schema"]["properties"]["traits"]["properties"]
    assert declared["age"] == {"type": ["integer", "null"]}
    assert declared["contact"]["properties"]["work"] == {"type": ["string", "null"]}
    assert list(declared["name"]["properties"]) == ["given", "family", "first", "last"]


def test_the_explanation_names_each_schema(project: Project) -> None:
    shown = run_tap("--explain-users", environment={"TAP_ORY_BASE_URL": project.kratos.admin_url}).stdout
    rows = [line.split() for line in shown.splitlines()]
    assert {row[0] for row in rows if row[1:2] == ["email"]} == set(SCHEMAS)
    assert ["staff", "email", "/traits/contact/work"] in [row[:3] for row in rows]
