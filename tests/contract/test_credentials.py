"""`include_credential`: every type is told, the secrets only of those asked for, and only by newer releases."""

import pytest
import requests

from tests.contract.families import Family
from tests.contract.walk import ids
from tests.servers import Server

KEYS = ["type", "identifiers", "config", "version", "created_at", "updated_at"]


def test_without_it_there_are_no_credentials(server: Server) -> None:
    assert all("credentials" not in row for row in server.identities().json())


def test_link_recovery_asks_for_all_types_and_no_secret(server: Server, family: Family) -> None:
    page = server.identities(include_credential="link_recovery")
    assert ids(page) == server.all_ids()[:250]
    kinds: set[str] = set()
    for row in page.json():
        assert ("credentials" in row) is family.lists_credentials
        for kind, credential in row.get("credentials", {}).items():
            assert list(credential) == [key for key in KEYS if key != "config"]
            assert credential["type"] == kind
            assert isinstance(credential["version"], int)
            assert all(isinstance(each, str) for each in credential["identifiers"])
            kinds.add(kind)
    assert ({"password", "oidc"} <= kinds) is family.lists_credentials


def test_everybody_whose_schema_has_an_identifier_has_a_password_even_without_one(
    server: Server, family: Family
) -> None:
    page = server.identities(include_credential="password", page_size=500).json()
    passwords = [row["credentials"]["password"] for row in page if "password" in row.get("credentials", {})]
    assert any("hashed_password" in each["config"] for each in passwords) is family.lists_credentials
    assert any(each["config"] == {} for each in passwords) is family.lists_credentials


@pytest.mark.parametrize("types", [["password"], ["oidc"], ["password", "oidc"]])
def test_only_the_secrets_asked_for_are_told(server: Server, family: Family, types: list[str]) -> None:
    page = server.identities(include_credential=types, page_size=500)
    told = {
        kind: credential
        for row in page.json()
        for kind, credential in row.get("credentials", {}).items()
        if "config" in credential
    }
    assert set(told) == (set(types) if family.lists_credentials else set())
    assert all(list(credential) == KEYS for credential in told.values())


def test_credentials_come_after_the_id(server: Server, family: Family) -> None:
    order = ["id", *family.early_keys, "credentials", "schema_id"]
    for row in server.identities(include_credential="oidc", page_size=50).json():
        keys = list(row)[: list(row).index("schema_id") + 1]
        assert keys == [key for key in order if key in row]


@pytest.mark.parametrize("value", ["nonsense", ""])
def test_a_type_that_is_none(server: Server, family: Family, value: str) -> None:
    page = server.identities(include_credential=value, page_size=7)
    if family.lists_credentials:
        assert page.status_code == requests.codes.bad_request
        assert "for parameter `include_credential`" in page.json()["error"]["reason"]
    else:
        assert ids(page) == server.all_ids()[:7]
