"""Consents: those of a list of people or of all who have sessions, each once, nothing of what was said with them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import ory_reader
from ory_reader.errors import TapOryError
from ory_sandbox import Sandbox
from ory_sandbox.holdings import Holdings, holdings_of
from tests.command import KEY
from tests.real.hydra import CALLBACK, Hydra
from tests.real.running import running

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Parts of what must never be in a record: claims, contexts, what was asked for, challenges, sessions.
SECRET = [
    "buyer",
    "somebody@example.com",
    "192.0.2.1",
    "secret-state",
    "secret-nonce",
    "-login",
    "-session",
    "https://",
]


def read(**given: Any) -> tuple[list[dict[str, Any]], bool]:
    project = ory_reader.settings(**{"base_url": "http://127.0.0.1:1", **given})
    records = ory_reader.decoder("consents", project)
    with ory_reader.open_read(project, stream="consents") as reading:
        found = [record for page in reading.pages() for record in records(page)]
    return found, reading.whole


def keys(records: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return sorted((record["subject"], record["client_id"], record["handled_at"]) for record in records)


def held(rows: Any) -> list[tuple[str, str, str]]:
    asked = [(row["consent_request"], row["handled_at"]) for row in rows]
    return sorted((request["subject"], request["client"]["client_id"], handled_at) for request, handled_at in asked)


@pytest.mark.parametrize("manner", ["v1.3", "network"])
def test_those_of_all_who_have_sessions(manner: str) -> None:
    with Sandbox(200, manner=manner) as sandbox:
        signed_in = {each["identity_id"] for each in sandbox.holdings.sessions}
        wanted = [row for row in sandbox.holdings.consents if row["consent_request"]["subject"] in signed_in]
        assert 3 < len(wanted) < len(sandbox.holdings.consents)
        found, whole = read(base_url=sandbox.url, api_token=KEY, oauth2_url=sandbox.oauth2_url, oauth2_token=KEY)
        assert keys(found) == held(wanted)
        assert whole
        asked = [each for each in sandbox.requests.log if "consent" in each.target]
        assert len(asked) == len(signed_in)
    told = json.dumps(found)
    assert [each for each in SECRET if each in told] == []
    assert all(record["grant_scope"] == ["openid", "email"] and record["remember"] is True for record in found)


@pytest.mark.parametrize("size", [1, 2, 3, 500])
@pytest.mark.parametrize("manner", ["v1.3", "network"])
def test_those_of_one_person_with_many(manner: str, size: int) -> None:
    (row,) = holdings_of(["4b13af4d-dd22-4581-b50e-6014196ce19f"], 1).consents
    rows = [{**row, "handled_at": f"2026-01-01T00:00:0{number}.5Z"} for number in range(7)]
    with Sandbox([], manner=manner, holdings=Holdings(consents=rows)) as sandbox:
        subjects = ["nobody", row["consent_request"]["subject"], row["consent_request"]["subject"]]
        found, whole = read(oauth2_url=sandbox.oauth2_url, oauth2_token=KEY, consent_subjects=subjects, page_size=size)
    assert (keys(found), whole) == (held(rows), True)


@pytest.fixture(scope="module")
def hydra() -> Iterator[Hydra]:
    with running(Hydra) as server:
        for number in range(5):
            client_id = f"my-own/{number} & co"
            server.create_client(client_id=client_id, redirect_uris=[CALLBACK], scope="openid email")
            server.consent(client_id, "ada", ["openid", "email"], {"id_token": {"planted": "claim-of-a-token"}})
        server.consent("my-own/0 & co", "ben", ["openid"], {})
        yield server


@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_a_real_server_whose_links_lead_past_rows(hydra: Hydra, size: int) -> None:
    found, whole = read(oauth2_url=hydra.admin_url, consent_subjects=["ada", "nobody", "ben"], page_size=size)
    stored = hydra.rows(
        "SELECT subject, client_id FROM hydra_oauth2_flow WHERE consent_handled_at IS NOT NULL AND consent_remember = 1"
    )
    assert sorted((record["subject"], record["client_id"]) for record in found) == sorted(stored)
    assert len(found) == 6
    assert whole
    assert "claim-of-a-token" not in json.dumps(found)


def test_without_hydra_it_is_an_error() -> None:
    with pytest.raises(TapOryError, match="oauth2_url"):
        read()
