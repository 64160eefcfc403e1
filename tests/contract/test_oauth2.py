"""A real Hydra v2.3.0 and the sandbox that holds the same: each question has the same answer, to the byte."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from ory_sandbox import Sandbox
from ory_sandbox.holdings import Holdings
from tests.contract.twins import Twins
from tests.real.hydra import CALLBACK, ODD_IDS, Hydra
from tests.real.running import running
from tests.sandbox.client import Answer, fetch

CLIENTS = "/admin/clients"
ISSUERS = "/admin/trust/grants/jwt-bearer/issuers"
CONSENTS = "/admin/oauth2/auth/sessions/consent"
SUBJECT = "4b13af4d-dd22-4581-b50e-6014196ce19f"
#: More than a page of 1,000.
NUMBER, CONSENTED = 1030, 5
OFFSET_2, OFFSET_1000 = "eyJvZmZzZXQiOiIyIiwidiI6Mn0", "eyJvZmZzZXQiOiIxMDAwIiwidiI6Mn0"


@pytest.fixture(scope="module")
def hydra() -> Iterator[Hydra]:
    with running(lambda: Hydra(NUMBER)) as server:
        server.create_client(client_id="shop", client_name="Web <shop>", owner="team & co", metadata={"a": [1, {}]})
        for number in range(5):
            server.trust(f"https://partner-{number}.example.com", "key", allow_any_subject=True)
        for number in range(CONSENTED):
            client_id = f"consenting-{number}"
            server.create_client(client_id=client_id, redirect_uris=[CALLBACK], scope="openid email offline")
            server.consent(client_id, SUBJECT, ["openid", "email"], {"id_token": {"email": "ada@example.com"}})
        yield server


@pytest.fixture(scope="module")
def sandbox(hydra: Hydra) -> Iterator[Sandbox]:
    pages = [rows(hydra, f"{CLIENTS}?page_size=1000&page_token={token}") for token in ("", OFFSET_1000)]
    consents = rows(hydra, f"{CONSENTS}?subject={SUBJECT}")
    with Sandbox([], holdings=Holdings([*pages[0], *pages[1]], rows(hydra, ISSUERS), consents)) as server:
        yield server


def rows(hydra: Hydra, target: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = fetch(hydra.admin_url, target).json
    return found


def asked(hydra: Hydra, sandbox: Sandbox, target: str) -> Answer:
    theirs = fetch(hydra.admin_url, target)
    Twins().compare(fetch(sandbox.oauth2_url, target), theirs)
    return theirs


@pytest.mark.parametrize(
    "target",
    [
        CLIENTS,
        *(f"{CLIENTS}?page_size={size}" for size in (0, -1, 1, 7, 500, 1000, 1001, 5000, "abc", "", "2.5")),
        *(f"{CLIENTS}?page_token={token}" for token in ("nonsense", "", "eyJ9", "eyJvZmZzZXQiOiI5OTk5OTkiLCJ2IjoyfQ")),
        f"{CLIENTS}?page_size=7&page_token=eyJvZmZzZXQiOiIxMCIsInYiOjJ9",
        f"{CLIENTS}?client_name=Web+%3Cshop%3E",
        f"{CLIENTS}?client_name=nobody",
        f"{CLIENTS}?owner=team+%26+co&page_size=2",
        f"{CLIENTS}?unknown=1&page_size=2",
        f"{CLIENTS}?limit=2&offset=1",
        f"{CLIENTS}/",
        "/clients",
        "/clients?page_size=2",
        ISSUERS,
        f"{ISSUERS}?page_size=2",
        CONSENTS,
        f"{CONSENTS}?subject=",
        f"{CONSENTS}?subject=nobody",
        f"{CONSENTS}?subject={SUBJECT}",
        *(f"{CONSENTS}?subject={SUBJECT}&page_size=2&page_token={token}" for token in ("", OFFSET_2)),
        f"{CONSENTS}?subject={SUBJECT}&page_size=1&page_token={OFFSET_2}",
        "/health/ready",
        "/health/alive",
        "/version",
    ],
)
def test_the_same_answer(hydra: Hydra, sandbox: Sandbox, target: str) -> None:
    asked(hydra, sandbox, target)


@pytest.mark.parametrize(("path", "size"), [(CLIENTS, 100), (CLIENTS, 97), (ISSUERS, 2)])
def test_the_same_pages_to_the_end(hydra: Hydra, sandbox: Sandbox, path: str, size: int) -> None:
    target, found = f"{path}?page_size={size}", list[str]()
    for number in count():
        answer = asked(hydra, sandbox, target)
        found += [str(row) for row in answer.json]
        if "next" not in answer.links:
            break
        target = answer.links["next"]
        assert number < 20
    assert len(found) == len(set(found)) > size


def test_the_list_is_what_the_database_holds(hydra: Hydra, sandbox: Sandbox) -> None:
    found = [row["client_id"] for row in sandbox.holdings.clients]
    assert found == hydra.client_ids()
    assert {*ODD_IDS} <= {*found}


def test_consents_of_one_person_get_lost_on_the_way_that_the_server_leads(hydra: Hydra, sandbox: Sandbox) -> None:
    target, found = f"{CONSENTS}?subject={SUBJECT}&page_size=2", list[str]()
    while target:
        answer = asked(hydra, sandbox, target)
        found += [row["handled_at"] for row in answer.json]
        target = answer.links.get("next", "")
    assert len(found) < len(sandbox.holdings.consents) == CONSENTED


def test_nobody(sandbox: Sandbox) -> None:
    with running(Hydra) as hydra, Sandbox([]) as empty:
        for path in (CLIENTS, ISSUERS):
            asked(hydra, empty, path)
