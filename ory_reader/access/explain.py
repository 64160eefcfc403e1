"""What becomes of what, in sentences: before anything is published, and in the log of every run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ory_reader.access.graph import AccessGraph

_TYPES = """
select n.type, count(distinct n.number), count(distinct e.number), count(g.entitlement)
    from node n left join entitlement e on e.node = n.number left join granted g on g.entitlement = e.number
    where n.kind <> 'person' group by n.type order by n.type
"""


def sentences(graph: AccessGraph) -> Iterator[str]:
    """Yield a sentence for each resource type, and one for each kind of tuple that makes no grant."""
    for type_, resources, entitlements, grants in graph.rows(_TYPES):
        yield f"{type_}: {resources:,} resources with {entitlements:,} entitlements and {grants:,} direct grants."
    for reason, number in graph.left_out().items():
        if number:
            yield f"{number:,} relation tuples {reason} make no grant."
    if nobodies := graph.nobodies():
        yield f"Subjects that are nobody, for example: {', '.join(map(repr, nobodies))}."
