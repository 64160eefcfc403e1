"""What the sandbox makes up beside people: it is theirs, it is there once, and the newest services page as they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ory_sandbox import Sandbox
from ory_sandbox.console import PROJECT_ID
from ory_sandbox.holdings import Holdings
from tests.sandbox.client import fetch

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY, WORKSPACE_KEY = "ory_pat_x", "ory_wak_x"
ORGANIZATIONS = f"/projects/{PROJECT_ID}/organizations"


@pytest.fixture(scope="module")
def network() -> Iterator[Sandbox]:
    with Sandbox(600, manner="network") as sandbox:
        yield sandbox


def walk(url: str, path: str, size: int) -> list[str]:
    """All rows of a list as text, by whatever leads on."""
    found: list[str] = []
    target: str | None = f"{path}?page_size={size}"
    while target:
        answer = fetch(url, target, token=KEY)
        if isinstance(answer.json, list):
            found += map(str, answer.json)
            target = answer.links.get("next")
        else:
            found += map(str, answer.json["relation_tuples"])
            token = answer.json["next_page_token"]
            target = f"{path}?page_size={size}&page_token={token}" if token else None
    return found


@pytest.mark.parametrize("manner", ["v1.3", "network"])
@pytest.mark.parametrize("size", [7, 500])
def test_every_row_comes(manner: str, size: int) -> None:
    with Sandbox(60, manner=manner) as sandbox:
        held = sandbox.holdings
        assert walk(sandbox.oauth2_url, "/admin/clients", size) == [
            str(each) for each in sorted(held.clients, key=lambda each: str(each["client_id"]))
        ]
        assert walk(sandbox.permissions_url, "/relation-tuples", size) == [str(each) for each in held.tuples]
        sessions = walk(sandbox.url, "/admin/sessions", size)
    assert len(sessions) == len(set(sessions)) == len(held.sessions) > 60
    assert len(held.tuples) == 120


def test_all_of_it_belongs_to_people_of_the_sandbox(network: Sandbox) -> None:
    people = {identity["id"]: identity for identity in network.identities}
    held = network.holdings
    assert {each["identity_id"] for each in held.sessions} <= set(people)
    assert {each["consent_request"]["subject"] for each in held.consents} <= set(people)
    assert {each["subject_id"] for each in held.tuples if "subject_id" in each} <= set(people)
    organizations = {each["organization_id"] for each in people.values()} - {None}
    assert organizations == {each["id"] for each in held.organizations}
    clients = {each["client_id"] for each in held.clients}
    assert {each["consent_request"]["client"]["client_id"] for each in held.consents} <= clients


def test_some_tuples_are_there_twice(network: Sandbox) -> None:
    texts = [str(each) for each in network.holdings.tuples]
    assert 0 < len(texts) - len(set(texts)) < 10


def test_the_same_seed_holds_the_same() -> None:
    one, same, other = (Sandbox(20, seed=seed) for seed in (1, 1, 2))
    with one, same, other:
        assert one.holdings == same.holdings != other.holdings


def test_people_that_were_brought_along_hold_nothing() -> None:
    with Sandbox([{}]) as sandbox:
        assert sandbox.holdings == Holdings()


def test_as_many_tuples_as_told() -> None:
    with Sandbox(10, tuples=777) as sandbox:
        assert len(sandbox.holdings.tuples) == 777


@pytest.mark.parametrize("path", ["/admin/clients", "/relation-tuples"])
def test_tokens_of_the_newest_services_differ_and_expire(path: str) -> None:
    with Sandbox(20, manner="network") as sandbox:
        one, other = (fetch(sandbox.url, f"{path}?page_size=5", token=KEY) for _ in range(2))
        tokens = [
            answer.links["next"].partition("page_token=")[2] if answer.links else answer.json["next_page_token"]
            for answer in (one, other)
        ]
        assert tokens[0] != tokens[1]
        before = fetch(sandbox.url, f"{path}?page_size=5&page_token={tokens[0]}", token=KEY)
        sandbox.expire_page_tokens()
        after = fetch(sandbox.url, f"{path}?page_size=5&page_token={tokens[0]}", token=KEY)
        fresh = fetch(sandbox.url, f"{path}?page_size=5", token=KEY)
    assert (before.status, after.status, fresh.status) == (200, 400, 200)
    assert "expired" in after.body.decode()


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        (ORGANIZATIONS, WORKSPACE_KEY, 200),
        (ORGANIZATIONS, KEY, 403),
        (ORGANIZATIONS, None, 401),
        ("/projects/another/organizations", WORKSPACE_KEY, 404),
        ("/admin/clients", WORKSPACE_KEY, 403),
        ("/relation-tuples", KEY, 200),
        ("/relation-tuples", None, 401),
    ],
)
def test_who_may_ask(network: Sandbox, path: str, key: str | None, status: int) -> None:
    assert fetch(network.url, path, token=key).status == status


def test_organizations_by_pages(network: Sandbox) -> None:
    first = fetch(network.url, f"{ORGANIZATIONS}?page_size=1", token=WORKSPACE_KEY).json
    token = first["next_page_token"]
    second = fetch(network.url, f"{ORGANIZATIONS}?page_size=1&page_token={token}", token=WORKSPACE_KEY).json
    assert [*first["organizations"], *second["organizations"]] == network.holdings.organizations
    assert (first["has_next_page"], second["has_next_page"], second["next_page_token"]) == (True, False, "")


def test_each_service_has_a_rate_limit_of_its_own() -> None:
    with Sandbox(1, manner="network", rate_limit="1;w=60") as sandbox:
        asked = [
            (path, fetch(sandbox.url, path, token=KEY).status)
            for path in ("/admin/identities", "/admin/clients", "/relation-tuples", "/admin/sessions", "/namespaces")
        ]
    assert [status for _, status in asked] == [200, 200, 200, 429, 429]
