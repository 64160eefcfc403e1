"""`tap-ory --explain-access`: what becomes what, with counts, before anything is published. In the log of runs, too."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ory_reader.access.closure import close

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ory_reader.access.graph import AccessGraph

HEADER = ("in Ory", "resource type", "resources", "entitlement", "number", "granted", "with members of groups")
PERMITS = (
    "What the permission language computes (permits) is not in relation tuples, so it is neither an entitlement nor a "
    "grant: only Keto's check knows it."
)
_TYPES = "select kind, type, coalesce(namespace, ''), count(*) from node group by 1, 2, 3 order by 1, 2, 3"
_ENTITLEMENTS = (
    "select n.type, e.slug, count(*) from entitlement e join node n on n.number = e.node group by 1, 2 order by 1, 2"
)
_GRANTED = (
    "select n.type, e.slug, count(distinct g.entitlement || ' ' || g.principal) from granted g "
    "join entitlement e on e.number = g.entitlement join node n on n.number = e.node group by 1, 2"
)
_KINDS = "select e.number, n.type, e.slug from entitlement e join node n on n.number = e.node"
_IN_ORY = {
    "person": "identities",
    "organization": "organizations",
    "app": "OAuth2 clients",
    "service": "OAuth2 clients",
    "system": "subjects that nobody is",
}


def table(graph: AccessGraph) -> str:
    """Return a line for each kind of resource and entitlement, in columns: how many, and how many hold them."""
    granted = {(type_, slug): number for type_, slug, number in graph.rows(_GRANTED)}
    of = {number: (type_, slug) for number, type_, slug in graph.rows(_KINDS)}
    held: Counter[tuple[str, str]] = Counter()
    for number, holders in close(graph.closure()):
        if number:
            held[of[number]] += len(holders)
    entitlements: dict[str, list[tuple[str, str, str, str]]] = {}
    for type_, slug, number in graph.rows(_ENTITLEMENTS):
        counts = (number, granted.get((type_, slug), 0), held[type_, slug])
        entitlements.setdefault(type_, []).append((slug, *(f"{each:,}" for each in counts)))
    rows: list[tuple[str, ...]] = [HEADER]
    for kind, type_, namespace, number in graph.rows(_TYPES):
        first, *others = entitlements.get(type_, [()]) if kind in {"organization", "object"} else [()]
        rows.append((_IN_ORY.get(kind) or f"objects of {namespace}", type_, f"{number:,}", *first))
        rows += [("", "", "", *each) for each in others]
    widths = [max(len(row[column]) for row in rows if column < len(row)) for column in range(len(HEADER))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def remarks(graph: AccessGraph) -> Iterator[str]:
    """Yield what is in no table: tuples that make no grant, and what tuples do not say."""
    for reason, number in graph.left_out().items():
        if number:
            yield f"{number:,} relation tuples {reason} make no grant."
    if nobodies := graph.nobodies():
        yield f"Subjects that nobody is, for example: {', '.join(map(repr, nobodies))}."
    yield PERMITS
