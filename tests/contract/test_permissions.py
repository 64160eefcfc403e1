"""A real Keto v0.13 and the sandbox that holds the same: each question has the same answer, to the byte."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from ory_sandbox import Sandbox
from ory_sandbox.holdings import Holdings
from tests.contract.twins import Twins
from tests.real.keto import Keto
from tests.real.running import running
from tests.sandbox.client import Answer, fetch

TUPLES = "/relation-tuples"
MEMBERS = {"namespace": "Team", "relation": "members"}
IN_TEAM_20 = {**MEMBERS, "object": "team-20", "subject_set.namespace": "Team", "subject_set.relation": "members"}
USER = {"namespace": "User", "relation": ""}


def written() -> Iterator[dict[str, Any]]:
    for number in range(90):
        yield {**MEMBERS, "object": f"team-{number % 7}", "subject_id": f"somebody-{number}"}
        yield {**MEMBERS, "object": f"team-{number}", "subject_set": {**MEMBERS, "object": f"team-{number + 1}"}}
    document = {"namespace": "Document", "object": 'Ünïcode <doc> & "co" \\ /'}
    # What is written twice is there twice.
    for _ in range(2):
        yield {**document, "relation": "viewers", "subject_set": {**USER, "object": "a:b#c@d"}}
    yield {**document, "relation": "nosuch", "subject_id": "a:b#c@d"}
    yield {**document, "relation": "owners", "subject_id": ""}
    yield {**document, "relation": "parents", "subject_set": {"namespace": "Folder", "object": "root", "relation": ""}}
    yield {"namespace": "Folder", "object": "root", "relation": "viewers", "subject_id": "ada"}


@pytest.fixture(scope="module")
def keto() -> Iterator[Keto]:
    with running(Keto) as server:
        server.write(written())
        yield server


@pytest.fixture(scope="module")
def sandbox(keto: Keto) -> Iterator[Sandbox]:
    # Only the server itself knows its order.
    tuples = fetch(keto.read_url, f"{TUPLES}?page_size=100000").json["relation_tuples"]
    with Sandbox([], holdings=Holdings(tuples=tuples)) as server:
        yield server


def as_text(each: Mapping[str, Any]) -> str:
    return json.dumps(each, sort_keys=True)


def asked(keto: Keto, sandbox: Sandbox, target: str, twins: Twins) -> Answer:
    theirs = fetch(keto.read_url, target)
    twins.compare(fetch(sandbox.permissions_url, twins.ours(target)), theirs)
    return theirs


@pytest.mark.parametrize(
    "target",
    [
        TUPLES,
        *(f"{TUPLES}?page_size={size}" for size in (0, 1, 100, 186, 187, 100000, "abc", "")),
        f"{TUPLES}?page_token=nonsense",
        f"{TUPLES}?page_token=",
        f"{TUPLES}?namespace=Team&page_size=7",
        f"{TUPLES}?namespace=Nope",
        f"{TUPLES}?relation=members&object=team-3",
        f"{TUPLES}?subject_id=somebody-3",
        f"{TUPLES}?subject_set.namespace=Team&subject_set.object=team-2&subject_set.relation=members",
        f"{TUPLES}/check?{urlencode({**MEMBERS, 'object': 'team-3', 'subject_id': 'somebody-3'})}",
        f"{TUPLES}/check?{urlencode({**MEMBERS, 'object': 'team-3', 'subject_id': 'ada'})}",
        *(f"{TUPLES}/check?{urlencode({**IN_TEAM_20, 'subject_set.object': f'team-{far}'})}" for far in range(21, 29)),
        f"{TUPLES}/check?namespace=Folder&object=root&relation=view&subject_id=ada",
        "/admin/relation-tuples",
        "/health/ready",
        "/version",
        "/nothing",
    ],
)
def test_the_same_answer(keto: Keto, sandbox: Sandbox, target: str) -> None:
    asked(keto, sandbox, target, Twins())


@pytest.mark.parametrize(("query", "size"), [("", 31), ("", 100), ("namespace=Team&", 40), ("relation=members&", 60)])
def test_the_same_pages_to_the_end(keto: Keto, sandbox: Sandbox, query: str, size: int) -> None:
    twins, token, number = Twins(), "", 0
    while True:
        answer = asked(keto, sandbox, f"{TUPLES}?{query}page_size={size}" + token, twins)
        number += len(answer.json["relation_tuples"])
        if not (following := answer.json["next_page_token"]):
            break
        token = f"&page_token={following}"
    assert number == (186 if not query else 180)


def test_the_list_is_what_the_database_holds(keto: Keto, sandbox: Sandbox) -> None:
    everything = (sandbox.holdings.tuples, keto.all_tuples(), written())
    told, held, wanted = (sorted(map(as_text, each)) for each in everything)
    assert told == held == wanted


def test_the_namespaces_in_some_order(keto: Keto, sandbox: Sandbox) -> None:
    found = [fetch(url, "/namespaces").json["namespaces"] for url in (keto.read_url, sandbox.permissions_url)]
    assert sorted(found[0], key=str) == sorted(found[1], key=str)
    assert len(found[0]) == 6
