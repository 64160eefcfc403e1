"""Who holds what in the end: grants that are handed on from group to group, to any depth and through any cycle.

Entitlements and principals are numbers from 0 here; what they stand for is the caller's. The rules are those that C1's
own SDK expands by, but for cycles, where it loses access: here a member of any group of a cycle is a member of all.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence


class Table:
    """Numbers by a number, as `array` holds them: eight bytes for each, where a dict of lists takes a hundred."""

    def __init__(self, pairs: Iterable[tuple[int, int]], size: int) -> None:
        """Take pairs in the order of their first numbers, which are all below `size`."""
        self._values = array("I")
        self._ends = array("I")
        for first, second in pairs:
            while len(self._ends) < first:
                self._ends.append(len(self._values))
            self._values.append(second)
        while len(self._ends) < size:
            self._ends.append(len(self._values))

    def __len__(self) -> int:
        """How many first numbers there are."""
        return len(self._ends)

    def __getitem__(self, first: int) -> array[int]:
        """The second numbers of the pairs with this first one."""
        return self._values[self._ends[first - 1] if first else 0 : self._ends[first]]


class Rule(NamedTuple):
    """What limits who is handed on from one entitlement to another."""

    #: Only those who were granted the source itself.
    shallow: bool = False
    #: Only these principals, of any if None.
    only: Container[int] | None = None


@dataclass(frozen=True)
class Graph:
    """All direct grants, and which entitlement hands on its principals to which."""

    #: Of each entitlement the principals that were granted it, groups among them.
    direct: Table
    #: Of each entitlement those whose principals get it, too.
    sources: Table
    #: Of each entitlement the principal that stands for its own resource; it never gets that by being handed on.
    own: Sequence[int]
    #: Of (entitlement, source) the rule, where there is one.
    rules: Mapping[tuple[int, int], Rule] = field(default_factory=dict)


class Held(NamedTuple):
    """That a principal holds an entitlement: by a grant of its own, and handed on from `sources`, in their order.

    Each source is told with whether the principal was granted that one itself.
    """

    principal: int
    is_direct: bool
    sources: tuple[tuple[int, bool], ...]


def close(graph: Graph) -> Iterator[tuple[int, list[Held]]]:
    """Yield each entitlement once with all who hold it, in order; the sources of one come before or with it.

    Memory: four bytes for each holder of what others have as a source and did not take up yet.
    """
    waiting = Counter(source for target in range(len(graph.sources)) for source in {*graph.sources[target]})
    members: dict[int, array[int]] = {}
    for component in _components(graph.sources):
        members.update(_members(graph, component, members))
        for target in component:
            yield target, _held(graph, target, members)
        for target in component:
            for source in {*graph.sources[target]}:
                waiting[source] -= 1
        for each in {*component}.union(*(graph.sources[target] for target in component)):
            if not waiting[each]:
                members.pop(each, None)


def _handed_on(graph: Graph, target: int, source: int, members: Iterable[int]) -> set[int]:
    """Who of the source's members gets the target by that."""
    rule = graph.rules.get((target, source))
    if rule is None:
        found = {*members}
    else:
        found = {*(graph.direct[source] if rule.shallow else members)}
        if rule.only is not None:
            found = {each for each in found if each in rule.only}
    found.discard(graph.own[target])
    return found


def _members(graph: Graph, component: Sequence[int], known: Mapping[int, array[int]]) -> dict[int, array[int]]:
    """Who holds the entitlements of a component, whose sources beyond it are known: repeated until nobody is new."""
    found = {target: {*graph.direct[target]} for target in component}
    inside: dict[int, set[int]] = defaultdict(set)
    for target, holders in found.items():
        for source in {*graph.sources[target]} - {target}:
            if source in found:
                inside[source].add(target)
            else:
                holders.update(_handed_on(graph, target, source, known[source]))
    left = [*component] if inside else []
    while left:
        source = left.pop()
        for target in inside[source]:
            new = _handed_on(graph, target, source, found[source]) - found[target]
            if new:
                found[target] |= new
                left.append(target)
    return {target: array("I", sorted(holders)) for target, holders in found.items()}


def _held(graph: Graph, target: int, members: Mapping[int, array[int]]) -> list[Held]:
    direct = {*graph.direct[target]}
    ways: dict[int, tuple[tuple[int, bool], ...]] = {}
    for source in sorted({*graph.sources[target]} - {target}):
        granted = {*graph.direct[source]}
        for principal in _handed_on(graph, target, source, members[source]):
            ways[principal] = (*ways.get(principal, ()), (source, principal in granted))
    return [Held(each, each in direct, ways.get(each, ())) for each in members[target]]


def _components(sources: Table) -> Iterator[list[int]]:
    """Yield the groups of entitlements that are sources of each other, after all their sources (Tarjan)."""
    number: dict[int, int] = {}
    lowest: dict[int, int] = {}
    open_ones: list[int] = []
    is_open: set[int] = set()
    for root in range(len(sources)):
        if root in number:
            continue
        path = [(root, iter(sources[root]))]
        number[root] = lowest[root] = len(number)
        open_ones.append(root)
        is_open.add(root)
        while path:
            target, following = path[-1]
            source = next(following, None)
            if source is None:
                path.pop()
                if path:
                    above = path[-1][0]
                    lowest[above] = min(lowest[above], lowest[target])
                if lowest[target] == number[target]:
                    component: list[int] = []
                    while not component or component[-1] != target:
                        component.append(open_ones.pop())
                        is_open.discard(component[-1])
                    yield component
            elif source not in number:
                number[source] = lowest[source] = len(number)
                open_ones.append(source)
                is_open.add(source)
                path.append((source, iter(sources[source])))
            elif source in is_open:
                lowest[target] = min(lowest[target], number[source])
