"""Grants handed on from group to group: as C1's own SDK does where it is right, and against a naive closure."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ory_reader.access.closure import Graph, Rule, Table, close

#: Inputs, and what baton-sdk 0.25.0 made of them.
CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("expansions.json").read_bytes())
#: Where the SDK loses access: the rows that are right where its own are not, and their sources. In a cycle everybody is
#: handed on once around: who is in b is in a, and as a member of a in b.
LOST_IN_CYCLES: dict[str, dict[tuple[str, str], dict[str, bool]]] = {
    "cycle of two teams": {
        ("team:a:members", "user:u1"): {"team:b:members": True},
        ("team:b:members", "user:u1"): {"team:b:members": True, "team:a:members": False},
    },
    "cycle of two teams below a document": {
        ("team:a:members", "user:u1"): {"team:b:members": True},
        ("team:b:members", "user:u1"): {"team:b:members": True, "team:a:members": False},
        ("doc:x:view", "user:u1"): {"team:a:members": False},
    },
    "cycle of two teams, both granted the document": {
        ("team:a:members", "user:u1"): {"team:b:members": True},
        ("team:a:members", "user:u2"): {"team:a:members": True, "team:b:members": False},
        ("team:b:members", "user:u1"): {"team:b:members": True, "team:a:members": False},
        ("team:b:members", "user:u2"): {"team:a:members": True},
        ("doc:x:view", "user:u1"): {"team:a:members": False, "team:b:members": True},
        ("doc:x:view", "user:u2"): {"team:a:members": True, "team:b:members": False},
        ("doc:x:view", "team:a"): {"doc:x:view": True, "team:b:members": True},
    },
    "a team in itself": {},
}
#: What the SDK refuses, and no tuple can say: a subject set is of its own object.
REFUSED = "source entitlement of another resource"


class Numbers(dict[str, int]):
    def __missing__(self, name: str) -> int:
        self[name] = len(self)
        return self[name]


def colons(name: str) -> str:
    return name.replace("/", ":").replace("#", ":")


def table(pairs: Sequence[tuple[int, int]], size: int) -> Table:
    return Table(sorted(pairs), size)


class Row(NamedTuple):
    sources: dict[str, bool]
    immutable: bool


def expanded(case: Mapping[str, Any]) -> dict[tuple[str, str], Row]:
    """The rows that our closure makes of a case, in the form of the SDK's."""
    entitlements, principals = Numbers(), Numbers()
    for name in case["entitlements"]:
        entitlements[colons(name)]
    direct, sources, rules = [], [], {}
    for grant in case["grants"]:
        target = entitlements[colons(grant["entitlement"])]
        direct.append((target, principals[colons(grant["principal"])]))
        for each in grant.get("expand", ()):
            source = entitlements[colons(each)]
            sources.append((target, source))
            kinds = grant.get("resource_type_ids")
            only = {number for name, number in principals.items() if name.split(":")[0] in kinds} if kinds else None
            rules[target, source] = Rule(grant.get("shallow", False), only)
    own = [principals[name.rpartition(":")[0]] for name in entitlements]
    graph = Graph(table(direct, len(entitlements)), table(sources, len(entitlements)), own, rules)
    names, whom = list(entitlements), list(principals)
    return {
        (names[target], whom[held.principal]): Row(
            ({names[target]: True} if held.is_direct and held.sources else {})
            | {names[source]: granted for source, granted in held.sources},
            immutable=not held.is_direct,
        )
        for target, found in close(graph)
        for held in found
    }


def told(case: Mapping[str, Any]) -> dict[tuple[str, str], Row]:
    """The rows that the SDK made."""
    return {(row["entitlement"], row["principal"]): Row(row["sources"], row["immutable"]) for row in case["result"]}


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case["name"] not in {*LOST_IN_CYCLES, REFUSED}],
    ids=lambda case: case["name"],
)
def test_without_a_cycle_as_the_sdk_does(case: dict[str, Any]) -> None:
    assert expanded(case) == told(case)


@pytest.mark.parametrize("name", LOST_IN_CYCLES)
def test_no_access_is_lost_in_a_cycle(name: str) -> None:
    case = next(case for case in CASES if case["name"] == name)
    ours, theirs = expanded(case), told(case)
    assert {row: ours[row].sources for row in ours if ours[row] != theirs.get(row)} == LOST_IN_CYCLES[name]
    assert {*theirs} <= {*ours}


def test_every_case_is_looked_at() -> None:
    assert len(CASES) == 13
    assert {case["name"] for case in CASES} > {*LOST_IN_CYCLES, REFUSED}


small = st.integers(0, 7)
pairs = st.lists(st.tuples(small, small), max_size=25)


@given(direct=pairs, sources=pairs)
def test_the_same_as_a_naive_closure(direct: list[tuple[int, int]], sources: list[tuple[int, int]]) -> None:
    # Principal n is the resource of entitlement n.
    graph = Graph(table(direct, 8), table(sources, 8), range(8))
    naive = {*direct}
    while True:
        new = {(to, who) for to, source in sources for each, who in naive if each == source and who != to} - naive
        if not new:
            break
        naive |= new
    found = list(close(graph))
    assert [target for target, _ in sorted(found)] == list(range(8))
    assert sorted((target, held.principal) for target, all_held in found for held in all_held) == sorted(naive)
    for target, all_held in found:
        for principal, is_direct, ways in all_held:
            assert is_direct == ((target, principal) in direct)
            assert ways == tuple(
                (source, (source, principal) in direct)
                for source in sorted({source for to, source in sources if to == target} - {target})
                if (source, principal) in naive and principal != target
            )


@given(direct=pairs, sources=pairs)
def test_what_others_have_as_a_source_comes_first_or_is_in_a_cycle_with_it(
    direct: list[tuple[int, int]], sources: list[tuple[int, int]]
) -> None:
    order = [target for target, _ in close(Graph(table(direct, 8), table(sources, 8), range(8)))]
    reaches = {*sources}
    for _ in range(8):
        reaches |= {(to, beyond) for to, source in reaches for at, beyond in reaches if at == source}
    for target, source in sources:
        assert order.index(source) <= order.index(target) or (source, target) in reaches


def test_a_chain_longer_than_python_can_recurse() -> None:
    length = 20_000
    graph = Graph(
        table([(length - 1, length)], length), table([(n, n + 1) for n in range(length - 1)], length), range(length)
    )
    assert all([held.principal for held in found] == [length] for _, found in close(graph))
