"""Who may do what in a company on a real Kratos, Keto and Hydra: against Keto's database, and Keto's own check."""

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import pytest
import requests

from tests.command import Finished, run_tap
from tests.real.hydra import Hydra
from tests.real.keto import Keto
from tests.real.people import Json
from tests.real.running import running
from tests.real.server import Kratos

PEOPLE, CLIENTS = 60, 20
STREAMS = ("access_resources", "access_entitlements", "access_grants")
ORGANIZATIONS = [f"0b7a4f6e-1111-4c2d-9a3b-00000000000{number}" for number in range(3)]
#: How many pairs of user and entitlement Keto is asked about.
CHECKS = 400


class Company(NamedTuple):
    kratos: Kratos
    keto: Keto
    hydra: Hydra
    people: list[str]
    members: dict[str, str]

    def run(self, *arguments: str, **settings: str) -> Finished:
        given = {
            "BASE_URL": self.kratos.admin_url,
            "PERMISSIONS_URL": self.keto.read_url,
            "OAUTH2_URL": self.hydra.admin_url,
            "ACCESS": "true",
            **settings,
        }
        variables = {f"TAP_ORY_{name}": value for name, value in given.items()}
        return run_tap("--select", ",".join(STREAMS), *arguments, environment=variables)

    def records(self, **settings: str) -> dict[str, list[dict[str, Any]]]:
        """The records of a whole read, by their streams."""
        done = self.run(**settings)
        assert done.code == 0, done.stderr
        activated = {each["stream"] for each in done.messages if each["type"] == "ACTIVATE_VERSION"}
        assert activated == {*STREAMS}
        return {
            name: [each["record"] for each in done.messages if each["type"] == "RECORD" and each["stream"] == name]
            for name in STREAMS
        }


def tuples_of(people: list[str]) -> Iterator[Json]:
    """Teams in teams, five deep and one in a cycle, roles, folders, documents; some subjects nobody is."""
    pick = random.Random(7)

    def said(what: str, relation: str, subject: str | None = None, of: str | None = None) -> Json:
        namespace, thing = what.split(":", 1)
        if subject is not None:
            return {"namespace": namespace, "object": thing, "relation": relation, "subject_id": subject}
        assert of is not None
        place, _, member = of.partition("#")
        other, name = place.split(":", 1)
        subject_set = {"namespace": other, "object": name, "relation": member}
        return {"namespace": namespace, "object": thing, "relation": relation, "subject_set": subject_set}

    for number in range(12):
        for person in pick.sample(people, 3):
            yield said(f"Team:t{number}", "members", person)
        # Of each chain of five the last one has no team in it.
        if number % 4 != 3:
            yield said(f"Team:t{number}", "members", of=f"Team:t{number + 1}#members")
    yield said("Team:t11", "members", of="Team:t10#members")
    for number in range(4):
        yield said(f"Role:r{number}", "members", pick.choice(people))
        yield said(f"Role:r{number}", "members", of=f"Team:t{number * 3}#members")
        yield said(f"Folder:f/{number}", "viewers", of=f"Role:r{number}#members")
        yield said(f"Folder:f/{number}", "viewers", "nobody@example.com")
    for number in range(30):
        document = f"Document:q3:plan {number} <ü>"
        yield said(document, "owners", pick.choice(people))
        yield said(document, "viewers", of=f"Team:t{pick.randrange(12)}#members")
        yield said(document, "viewers", of=f"User:{pick.choice(people)}#")
        yield said(document, "parents", of=f"Folder:f/{pick.randrange(4)}#")
    # Twice in the database.
    yield said("Document:q3:plan 0 <ü>", "owners", people[0])
    yield said("Document:q3:plan 0 <ü>", "owners", people[0])


@contextmanager
def company() -> Iterator[Company]:
    with (
        running(lambda: Kratos("v1.3.1", PEOPLE)) as kratos,
        running(Keto) as keto,
        running(lambda: Hydra(CLIENTS)) as hydra,
    ):
        people = [row[0] for row in kratos.rows("SELECT id FROM identities ORDER BY id")]
        members = {person: ORGANIZATIONS[number % 3] for number, person in enumerate(people[::2])}
        for person, organization in members.items():
            change = [{"op": "add", "path": "/organization_id", "value": organization}]
            url = f"{kratos.admin_url}admin/identities/{person}"
            requests.patch(url, json=change, timeout=30).raise_for_status()
        keto.write(tuples_of(people))
        yield Company(kratos, keto, hydra, people, members)


@pytest.fixture(scope="module")
def ory() -> Iterator[Company]:
    with company() as made:
        yield made


def closure(tuples: Iterator[Json]) -> set[tuple[str, str, str, str]]:
    """Who has which relation to what: SQL's own recursion over the tuples of the database."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("create table granted(place text, subject text)")
        database.execute("create table handed(place text, source text)")
        for each in tuples:
            place = json.dumps([each["namespace"], each["object"], each["relation"]])
            if "subject_id" in each:
                database.execute("insert into granted values (?, ?)", (place, each["subject_id"]))
                continue
            of = each["subject_set"]
            if of["relation"]:
                source = json.dumps([of["namespace"], of["object"], of["relation"]])
                database.execute("insert into handed values (?, ?)", (place, source))
            elif of["namespace"] == "User":
                database.execute("insert into granted values (?, ?)", (place, of["object"]))
        found = database.execute(
            "with recursive held(place, subject) as (select place, subject from granted union "
            "select handed.place, subject from held join handed on handed.source = held.place) select * from held"
        )
        return {(*json.loads(place), subject) for place, subject in found}


def test_every_grant_is_there_and_no_other(ory: Company) -> None:
    records = ory.records()
    resources = {(row["resource_type"], row["id"]): row for row in records["access_resources"]}
    entitlements = {row["id"]: row for row in records["access_entitlements"]}
    found = set()
    for grant in records["access_grants"]:
        entitlement = entitlements[grant["entitlement_id"]]
        resource = resources[entitlement["resource_type"], entitlement["resource_id"]]
        if grant["principal_type"] == "user":
            place = resource["resource_type_name"], resource["name"], entitlement["slug"]
            found.add((*place, grant["principal_id"]))
        else:
            assert (grant["principal_type"], grant["principal_id"]) in resources
    expected = {row for row in closure(ory.keto.all_tuples()) if row[3] in ory.people}
    expected |= {("Organization", place, "member", person) for person, place in ory.members.items()}
    assert found == expected
    assert len({grant["id"] for grant in records["access_grants"]}) == len(records["access_grants"])
    assert [row["id"] for row in records["access_resources"] if row["trait"] == "app"] == ory.hydra.client_ids()


def test_keto_itself_says_the_same(ory: Company) -> None:
    """Keto looks five relations deep; no chain here is longer."""
    records = ory.records()
    names = {(row["resource_type"], row["id"]): row for row in records["access_resources"]}
    granted = {(row["entitlement_id"], row["principal_id"]) for row in records["access_grants"]}
    asked = [row for row in records["access_entitlements"] if row["resource_type"].startswith("keto-")]
    pick = random.Random(3)
    typed = {
        (each["object"], each["relation"], each["subject_set"]["object"])
        for each in ory.keto.all_tuples()
        if each.get("subject_set", {}).get("namespace") == "User"
    }
    outcomes = []
    with requests.Session() as http:
        for _ in range(CHECKS):
            entitlement, person = pick.choice(asked), pick.choice(ory.people)
            resource = names[entitlement["resource_type"], entitlement["resource_id"]]
            query = {
                "namespace": resource["resource_type_name"],
                "object": resource["name"],
                "relation": entitlement["slug"],
                "subject_id": person,
            }
            allowed = http.get(f"{ory.keto.read_url}relation-tuples/check/openapi", params=query, timeout=30).json()
            # To Keto `User:ID` is another subject than the id alone.
            expected = allowed["allowed"] or (resource["name"], entitlement["slug"], person) in typed
            assert ((entitlement["id"], person) in granted) == expected, query
            outcomes.append(expected)
    assert min(outcomes.count(True), outcomes.count(False)) > CHECKS // 20


def test_a_subject_that_nobody_is_can_be_seen(ory: Company) -> None:
    done = ory.run()
    assert any("4 relation tuples whose subject is nobody" in line for line in done.logged("INFO")), done.stderr
    shown = ory.records(ACCESS_ORPHANS="system")
    (orphan,) = [row for row in shown["access_resources"] if row["account_type"] == "system"]
    assert orphan["id"] == orphan["name"] == "nobody@example.com"
    holds = {row["resource_id"] for row in shown["access_grants"] if row["principal_id"] == orphan["id"]}
    assert holds == {f"f/{number}" for number in range(4)}


def test_nothing_is_published_of_a_service_that_is_gone(ory: Company) -> None:
    ory.keto.stop()
    try:
        done = ory.run(REQUEST_TIMEOUT="1")
    finally:
        ory.keto.start()
    assert done.code == 1
    assert not [each for each in done.messages if each["type"] in {"RECORD", "ACTIVATE_VERSION"}]
    (line,) = done.logged("ERROR")
    assert "permissions_url" in line
