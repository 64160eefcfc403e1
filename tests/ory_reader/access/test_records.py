"""Records of access made of people, organizations, clients and tuples: against sets made the naive way."""

import random
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ory_reader.access.graph import AccessGraph
from ory_reader.access.records import AccessRecords
from ory_reader.access.store import Client, Organization, Person, Store, Tuple
from ory_reader.config.access import AccessDeclaration
from ory_reader.errors import SettingsError

Records = list[dict[str, Any]]


class Made(NamedTuple):
    """All that was made of an input."""

    resources: Records
    entitlements: Records
    grants: Records
    raw_grants: Records
    left_out: dict[str, int]
    nobodies: list[str]


@contextmanager
def graph_of(
    tuples: Iterable[Tuple],
    rules: AccessDeclaration,
    people: Iterable[Person] = (),
    organizations: Iterable[Organization] = (),
    clients: Iterable[Client] = (),
) -> Iterator[AccessGraph]:
    with tempfile.TemporaryDirectory() as home, closing(Store(Path(home) / "access.sqlite")) as store:
        store.add_people(people)
        store.add_organizations(organizations)
        store.add_clients(clients)
        store.add_tuples(tuples)
        yield AccessGraph(store, rules)


def made(tuples: Iterable[Tuple], rules: AccessDeclaration = AccessDeclaration(), **others: Any) -> Made:  # noqa: B008 - frozen
    with graph_of(tuples, rules, **others) as graph:
        records = AccessRecords(graph, rules)
        return Made(
            list(records.resources()),
            list(records.entitlements()),
            list(records.grants()),
            list(records.grants(expand=False)),
            {reason: number for reason, number in graph.left_out().items() if number},
            graph.nobodies(),
        )


def who(records: Records) -> dict[str, set[str]]:
    """The users of each entitlement."""
    found: dict[str, set[str]] = {}
    for each in records:
        if each["principal_type"] == "user":
            found.setdefault(each["entitlement_id"], set()).add(each["principal_id"])
    return found


ADA, BOB, CY = Person("id-ada", external_id="ada"), Person("id-bob", names=("Bob@x.io", "bob")), Person("id-cy")

NAMES = st.sampled_from(["Group", "Doc", "User", "a:b", "x"])
OBJECTS = st.sampled_from(["a", "b", "a:view:user:b", "view", "user", ""])
RELATIONS = st.sampled_from(["view", "a:view", "member"])
SUBJECTS = st.sampled_from(["id-ada", "id-bob", "nobody", "ada"])


@st.composite
def a_tuple(draw: st.DrawFn) -> Tuple:
    at = (draw(NAMES), draw(OBJECTS), draw(RELATIONS))
    if draw(st.booleans()):
        return Tuple(*at, draw(SUBJECTS))
    return Tuple(*at, "", draw(NAMES), draw(st.one_of(OBJECTS, SUBJECTS)), draw(st.one_of(RELATIONS, st.just(""))))


def naive_users(tuples: Iterable[Tuple]) -> set[tuple[str, str, str, str]]:
    """Who has which relation to which object in the end, by going round until nothing changes."""
    users = {"id-ada": "id-ada", "ada": "id-ada", "id-bob": "id-bob"}
    found: set[tuple[str, str, str, str]] = set()
    while True:
        before = len(found)
        for each in tuples:
            at = each[:3]
            if each.namespace == "User":
                continue
            if each.subject_id:
                found |= {(*at, users[each.subject_id])} if each.subject_id in users else set()
            elif each.s_namespace == "User":
                found |= {(*at, users[each.s_object])} if not each.s_relation and each.s_object in users else set()
            elif each.s_relation:
                found |= {(*at, other[3]) for other in found if other[:3] == each[4:]}
        if len(found) == before:
            return found


@given(tuples=st.lists(a_tuple(), max_size=14), seed=st.integers())
def test_any_tuples(tuples: list[Tuple], seed: int) -> None:
    people = [ADA, BOB]
    found = made(tuples, people=people)
    assert sum(len(users) for users in who(found.grants).values()) == len(naive_users(tuples))
    by_name = {(row["resource_type"], row["resource_id"], row["slug"]): row["id"] for row in found.entitlements}
    names = {(row["resource_type_name"], row["name"]): (row["resource_type"], row["id"]) for row in found.resources}
    expected: dict[str, set[str]] = {}
    for namespace, name, relation, user in naive_users(tuples):
        kind, id_ = names[namespace, name]
        entitlement = by_name[kind, id_, relation.replace(":", "%3A")]
        expected.setdefault(entitlement, set()).add(user)
    assert who(found.grants) == expected

    entitlements = [row["id"] for row in found.entitlements]
    resources = [(row["resource_type"], row["id"]) for row in found.resources]
    for ids in (entitlements, resources, [row["id"] for row in found.grants], [row["id"] for row in found.raw_grants]):
        assert len(ids) == len({*ids})
    principals = {*resources, *(("user", person.id) for person in people)}
    for row in found.grants + found.raw_grants:
        assert row["entitlement_id"] in entitlements
        assert {*row["sources"], *row["expandable"]} <= {*entitlements}
        assert (row["principal_type"], row["principal_id"]) in principals
    # The order in which rows came, or that some came twice, changes nothing.
    shuffled = random.Random(seed).sample([*tuples, *tuples], 2 * len(tuples))
    assert made(shuffled, people=people[::-1]) == found


def test_the_raw_grants_are_the_tuples_and_the_rest_is_handed_on() -> None:
    tuples = [
        Tuple("Group", "a", "member", "id-ada"),
        Tuple("Group", "b", "member", "", "Group", "a", "member"),
        Tuple("Doc", "x", "viewers", "", "Group", "b", "member"),
        Tuple("Doc", "x", "viewers", "", "Group", "b", "admin"),
        Tuple("Doc", "x", "viewers", "id-ada"),
    ]
    found = made(tuples, people=[ADA])
    assert [(row["id"], row["expandable"]) for row in found.raw_grants] == [
        ("keto-Doc:x:viewers:user:id-ada", []),
        ("keto-Doc:x:viewers:keto-Group:b", ["keto-Group:b:admin", "keto-Group:b:member"]),
        ("keto-Group:a:member:user:id-ada", []),
        ("keto-Group:b:member:keto-Group:a", ["keto-Group:a:member"]),
    ]
    [ada] = [row for row in found.grants if row["id"] == "keto-Doc:x:viewers:user:id-ada"]
    assert ada["is_direct"]
    assert ada["sources"] == {"keto-Doc:x:viewers": True, "keto-Group:b:member": False}
    [group] = [row for row in found.grants if row["id"] == "keto-Doc:x:viewers:keto-Group:a"]
    assert (group["is_direct"], group["sources"]) == (False, {"keto-Group:b:member": True})


@pytest.mark.parametrize(
    ("subject", "rules", "user"),
    [
        ("id-ada", {}, "id-ada"),
        ("ada", {}, "id-ada"),
        ("User:ada", {"access_subject_prefixes": ("User:",)}, "id-ada"),
        ("User:ada", {}, None),
        ("bob@X.io", {"access_match_names": True}, "id-bob"),
        ("bob@X.io", {}, None),
        ("user:BOB", {"access_match_names": True, "access_subject_prefixes": ("x", "user:")}, "id-bob"),
        # Two have this name.
        ("twin", {"access_match_names": True}, None),
        ("machine", {"access_clients": "service"}, "machine"),
        ("machine", {}, None),
        ("ghost", {"access_orphans": "system"}, "ghost"),
        # An identity goes before a client of that name.
        ("id-cy", {"access_clients": "service"}, "id-cy"),
    ],
)
def test_which_user_a_subject_is(subject: str, rules: dict[str, Any], user: str | None) -> None:
    people = [ADA, BOB, CY, Person("id-t1", names=("twin",)), Person("id-t2", names=("twin", "t2"))]
    clients = [Client("machine"), Client("id-cy")]
    for tuples in ([Tuple("Doc", "x", "view", subject)], [Tuple("Doc", "x", "view", "", "User", subject)]):
        found = made(tuples, AccessDeclaration(**rules), people=people, clients=clients)
        assert who(found.grants) == ({"keto-Doc:x:view": {user}} if user else {})
        assert found.nobodies == ([] if user else [subject])
        assert found.left_out == ({} if user else {"whose subject is nobody": 1})
        kinds = {row["id"]: row["account_type"] for row in found.resources if row["resource_type"] == "user"}
        assert kinds.get("ghost") == rules.get("access_orphans")


def test_organizations_are_groups_whoever_lists_them() -> None:
    people = [Person("p1", organization="o1"), Person("p2", organization="o3"), CY]
    organizations = [Organization("o1", "Acme", '["acme.io"]', "2026-01-02T03:04:05Z"), Organization("o2", "Empty")]
    found = made([], people=people, organizations=organizations)
    assert [(row["id"], row["name"], row["trait"], row["profile"]) for row in found.resources] == [
        ("o1", "Acme", "group", {"domains": ["acme.io"]}),
        ("o2", "Empty", "group", {}),
        ("o3", "o3", "group", {}),
    ]
    assert who(found.grants) == {"organization:o1:member": {"p1"}, "organization:o3:member": {"p2"}}
    assert [row["id"] for row in found.entitlements] == [f"organization:o{n}:member" for n in (1, 2, 3)]
    assert all(row["immutable"] and row["purpose"] == "assignment" for row in found.entitlements)


def test_namespaces_that_are_not_wanted_stay_out_but_for_the_groups_that_hand_on() -> None:
    tuples = [
        Tuple("Doc", "x", "view", "", "Team", "t", "member"),
        Tuple("Team", "t", "member", "", "Crew", "c", "member"),
        Tuple("Crew", "c", "member", "id-ada"),
        Tuple("Folder", "f", "view", "id-ada"),
    ]
    found = made(tuples, AccessDeclaration(access_namespaces=("Doc",)), people=[ADA])
    assert {row["resource_type"] for row in found.resources} == {"keto-Doc", "keto-Team", "keto-Crew"}
    assert who(found.grants)["keto-Doc:x:view"] == {"id-ada"}
    assert found.left_out == {"of namespaces that are not wanted": 1}


def test_links_are_parents_where_the_relation_says_so() -> None:
    tuples = [Tuple("Doc", "x", "parents", "", "Folder", "f"), Tuple("Doc", "x", "view", "id-ada")]
    plain = made(tuples, people=[ADA])
    assert plain.left_out == {"that only link objects": 1}
    assert [(row["id"], row["parent_id"]) for row in plain.resources] == [("x", None)]
    linked = made(tuples, AccessDeclaration(access_parents=("parents",)), people=[ADA])
    assert [(row["id"], row["parent_type"], row["parent_id"]) for row in linked.resources] == [
        ("x", "keto-Folder", "f"),
        ("f", None, None),
    ]


def test_too_many_objects_are_refused_by_name() -> None:
    tuples = [Tuple("Doc", str(n), "view", "id-ada") for n in range(4)] + [Tuple("Group", "a", "member", "id-ada")]
    with pytest.raises(SettingsError, match=r"5 objects \(Doc 4, Group 1\), more than access_max_objects \(4\)"):
        made(tuples, AccessDeclaration(access_max_objects=4))
    assert len(made(tuples, AccessDeclaration(access_max_objects=5)).resources) == 5
    assert len(made(tuples, AccessDeclaration(access_max_objects=1, access_namespaces=("Group",))).resources) == 1


def test_ids_stay_within_1024_bytes_and_names_that_are_long_differ() -> None:
    long = "ü" * 1000
    tuples = [Tuple(long, long + last, long, "", long, long + last, long + last) for last in ("", "a")] + [
        Tuple(long, long, long, long)
    ]
    found = made(tuples, AccessDeclaration(access_orphans="system"))
    for row in [*found.resources, *found.entitlements, *found.grants]:
        assert len(row["id"].encode()) <= 1024
    assert len({(row["resource_type"], row["id"]) for row in found.resources}) == 3
    assert len(found.grants) == 3
