"""The sandbox, holding what the recorded servers held, answers as Hydra, Keto and Kratos's sessions did."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ory_sandbox import Sandbox
from ory_sandbox.holdings import Holdings
from tests.contract.twins import Twins
from tests.sandbox.client import Answer, fetch

RECORDINGS = Path(__file__).parents[1] / "recordings"
#: By directory: the manner, the port, and the file that holds all rows.
SERVERS = {
    "hydra-v2.3.0": ("v1.3", "oauth2_url"),
    "hydra-main": ("network", "oauth2_url"),
    "keto-v0.13.0": ("v1.3", "permissions_url"),
    "keto-v26.2.0": ("network", "permissions_url"),
    "sessions-v1.3.1": ("v1.3", "url"),
    "sessions-main": ("network", "url"),
}
#: Of servers that had got more tuples meanwhile, and a page that says nothing of the server's own.
LATER = ("check-deep-chain", "check-typed", "tuples-duplicate", "check-through-parents")


def names(server: str) -> list[str]:
    return sorted(path.stem for path in (RECORDINGS / server).glob("*.http"))


def recorded(server: str, name: str) -> tuple[str, Answer]:
    """What was asked, and the answer; status 0 where the server closed the connection instead."""
    request, head, body = f"{(RECORDINGS / server / f'{name}.http').read_text()}\n\n".split("\n\n", 2)
    status_line, *lines = head.split("\n")
    _, status, reason = status_line.split(" ", 2)
    headers = [(key, value.strip()) for key, _, value in (line.partition(":") for line in lines)]
    return request.split(" ")[1], Answer(int(status) if status.isdecimal() else 0, reason, headers, body.encode())


def rows(server: str, name: str) -> list[dict[str, Any]]:
    body = recorded(server, name)[1].json
    found: list[dict[str, Any]] = body["relation_tuples"] if isinstance(body, dict) else body
    return found


def holdings(server: str) -> tuple[list[dict[str, Any]], Holdings]:
    """Whom the recorded server knew, and what it held."""
    if server.startswith("hydra"):
        clients, issuers, consents = (rows(server, name) for name in ("clients", "trust-grants", "consent-sessions"))
        return [], Holdings(clients=clients, issuers=issuers, consents=consents)
    if server.startswith("keto"):
        return [], Holdings(tuples=rows(server, "tuples-all"))
    sessions = rows(server, "sessions-expand-identity-devices")
    # That of somebody who may not sign in reads so only beside the identity.
    stored = {row["id"]: row["active"] for row in rows(server, "sessions-plain")}
    people = {row["identity"]["id"]: row["identity"] for row in sessions}
    # What the list leaves out is made up.
    whole = [{"metadata_admin": None, "verifiable_addresses": [], **each} for each in people.values()]
    return whole, Holdings(
        sessions=[{**row, "active": stored[row["id"]], "identity_id": row["identity"]["id"]} for row in sessions]
    )


def running(server: str, *more: dict[str, Any]) -> Sandbox:
    people, held = holdings(server)
    held = replace(held, tuples=[*held.tuples, *more])
    return Sandbox(people, manner=SERVERS[server][0], holdings=held)


def ask(sandbox: Sandbox, server: str, target: str) -> Answer:
    return fetch(getattr(sandbox, SERVERS[server][1]), target, token="ory_pat_x")


def check(sandbox: Sandbox, server: str, name: str, twins: Twins) -> None:
    target, theirs = recorded(server, name)
    answer = ask(sandbox, server, twins.ours(target))
    if name == "namespaces":
        # In random order.
        assert sorted(answer.json["namespaces"], key=str) == sorted(theirs.json["namespaces"], key=str)
    else:
        twins.compare(answer, theirs)


@pytest.mark.parametrize("server", SERVERS)
def test_answers_as_recorded(server: str) -> None:
    twins = Twins()
    asked = [name for name in names(server) if not name.startswith(LATER)]
    assert len(asked) > 10
    with running(server) as sandbox:
        for name in asked:
            target, theirs = recorded(server, name)
            if theirs.status:
                check(sandbox, server, name, twins)
                continue
            with pytest.raises(ConnectionError):
                ask(sandbox, server, target)


@pytest.mark.parametrize("server", ["keto-v0.13.0", "keto-v26.2.0"])
def test_checks_and_repeats_as_recorded(server: str) -> None:
    somebody = "83dbeaa4-1fd1-43a9-b338-daddabdfe396"
    members = {"namespace": "Team", "relation": "members"}
    sets = [{**members, "object": f"c{number}"} for number in range(9)]
    chain = [{**one, "subject_set": other} for one, other in pairwise(sets)]
    typed = {"namespace": "User", "object": "4b13af4d-dd22-4581-b50e-6014196ce19f", "relation": ""}
    more: list[dict[str, Any]] = [
        *chain,
        {**sets[-1], "subject_id": somebody},
        {"namespace": "Document", "object": "typed", "relation": "viewers", "subject_set": typed},
        {"namespace": "Team", "object": "platform", "relation": "members", "subject_id": somebody},
    ]
    with running(server, *more) as sandbox:
        for name in (each for each in names(server) if each.startswith(LATER)):
            check(sandbox, server, name, Twins())
