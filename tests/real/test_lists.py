"""Real Hydra with 3,000 clients and real Keto with 100,000 tuples: every row once, compared with their databases."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import ory_reader
from tests.command import run_tap
from tests.real.hydra import ODD_IDS, Hydra
from tests.real.keto import Keto
from tests.real.running import running

CLIENTS = 3000
TUPLES, WRITTEN, TWICE = 100_000, 3_000, 500
TEAM = {"namespace": "Team", "relation": "members"}


def read(stream: str, **settings: Any) -> list[dict[str, Any]]:
    project = ory_reader.settings(base_url="http://127.0.0.1:1", **settings)
    records = ory_reader.decoder(stream, project)
    with ory_reader.open_read(project, stream=stream) as reading:
        found = [record for page in reading.pages() for record in records(page)]
    assert reading.whole
    return found


@pytest.fixture(scope="module")
def hydra() -> Iterator[Hydra]:
    with running(lambda: Hydra(CLIENTS)) as server:
        yield server


@pytest.mark.parametrize("size", [7, 100, 500, 1000])
def test_every_client_once(hydra: Hydra, size: int) -> None:
    found = read("oauth2_clients", oauth2_url=hydra.admin_url, page_size=size)
    ids = [record["client_id"] for record in found]
    assert ids == hydra.client_ids()
    assert len(ids) == CLIENTS
    assert {*ODD_IDS} <= {*ids}


def test_few_clients_one_a_page() -> None:
    with running(lambda: Hydra(20)) as few:
        found = read("oauth2_clients", oauth2_url=few.admin_url, page_size=1)
        assert [record["client_id"] for record in found] == few.client_ids()


def test_every_issuer_once(hydra: Hydra) -> None:
    issuers = [f"https://partner-{number}.example.com" for number in range(5)]
    made = [hydra.trust(issuer, "key", allow_any_subject=True)["id"] for issuer in issuers]
    for size in (1, 2, 5):
        assert {record["id"] for record in read("trust_issuers", oauth2_url=hydra.admin_url, page_size=size)} == {*made}


@pytest.fixture(scope="module")
def keto() -> Iterator[Keto]:
    """3,000 tuples written through the API, 500 of them twice, and as many more as it takes in the database."""
    with running(Keto) as server:
        team = [{**TEAM, "object": f"team-{number % 300}", "subject_id": f"u{number}"} for number in range(WRITTEN)]
        viewed = {"namespace": "Document", "object": "Ünïcode <doc>", "relation": "viewers"}
        odd: list[dict[str, Any]] = [
            {**viewed, "subject_set": {**TEAM, "object": "a:b#c%"}},
            {**viewed, "subject_id": "Team:a:b#c%#members"},
            {"namespace": "Folder", "object": "", "relation": "", "subject_id": ""},
        ]
        server.write(team + team[:TWICE])
        server.write(odd)
        server.multiply(TUPLES - len(team) - TWICE - len(odd))
        yield server


def key_of(row: Mapping[str, Any]) -> str:
    """A tuple in words of this test: both forms of a subject apart."""
    subject = row.get("subject_set") or row["subject_id"]
    return json.dumps([row["namespace"], row["object"], row["relation"], subject], sort_keys=True)


@pytest.mark.parametrize("size", [100, 500, 1000])
def test_every_tuple_once(keto: Keto, size: int) -> None:
    stored = [key_of(row) for row in keto.all_tuples()]
    assert (len(stored), len(stored) - len(set(stored))) == (TUPLES, TWICE)
    found = read("relation_tuples", permissions_url=keto.read_url, page_size=size)
    assert len(found) == TUPLES - TWICE
    assert {key_of(row) for row in found} == {*stored}
    assert len({(row["namespace"], row["object"], row["relation"], row["subject"]) for row in found}) == len(found)


@pytest.mark.parametrize(
    ("size", "namespaces"), [(1, ["Document", "Folder"]), (7, ["Folder", "Team", "Folder", "Role"])]
)
def test_the_tuples_of_chosen_namespaces(keto: Keto, size: int, namespaces: list[str]) -> None:
    keto.execute("DELETE FROM keto_relation_tuples WHERE relation = 'copied'")
    stored = {key_of(row) for row in keto.all_tuples() if row["namespace"] in namespaces}
    found = read("relation_tuples", permissions_url=keto.read_url, page_size=size, namespaces=namespaces)
    assert len(found) == len(stored) > 2
    assert {key_of(row) for row in found} == stored


def test_the_command_reads_both(hydra: Hydra, keto: Keto) -> None:
    variables = {"BASE_URL": "http://127.0.0.1:1", "OAUTH2_URL": hydra.admin_url, "PERMISSIONS_URL": keto.read_url}
    environment = {f"TAP_ORY_{name}": value for name, value in variables.items()}
    run = run_tap("--select", "oauth2_clients,relation_tuples,permission_namespaces", environment=environment)
    assert run.code == 0, run.stderr
    counts: dict[str, int] = {}
    for message in run.messages:
        if message["type"] == "RECORD":
            counts[message["stream"]] = counts.get(message["stream"], 0) + 1
    stored = {key_of(row) for row in keto.all_tuples()}
    assert counts == {"oauth2_clients": CLIENTS, "relation_tuples": len(stored), "permission_namespaces": 6}
    assert len([message for message in run.messages if message["type"] == "ACTIVATE_VERSION"]) == 3
