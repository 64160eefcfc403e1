"""Records of who may do what: of resources, entitlements and grants, as `schemas/access_*.json` declare them."""

from __future__ import annotations

import json
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ory_reader.access.closure import Held, close
from ory_reader.access.ids import USER, digest, joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ory_reader.access.graph import AccessGraph
    from ory_reader.config.access import AccessDeclaration

    Record = dict[str, Any]

_TYPE_NAMES = {"organization": "Organization", "app": "OAuth2 client", "service": "User", "system": "User"}
_TRAITS = {"organization": "group", "app": "app", "service": "user", "system": "user"}
#: What a relation's name says of it; all others are permissions.
_PURPOSES = {"member": "assignment", "members": "assignment", "owner": "ownership", "owners": "ownership"}
_RESOURCES = """
select n.kind, n.type, n.id, n.name, n.namespace, coalesce(o.created_at, c.created_at), o.domains, c.profile,
    (select min(json_array(p.type, p.id)) from by_link l
        join node p on p.namespace = l.s_namespace and p.name = l.s_object
        where l.node = n.number and l.relation in (select value from parents))
    from node n left join organization o on n.kind = 'organization' and o.id = n.id
    left join client c on n.kind in ('app', 'service') and resource_id(c.id) = n.id
    where n.kind <> 'person' order by n.number
"""
_ENTITLEMENTS = "select n.type, n.id, e.slug from entitlement e join node n on n.number = e.node"


class AccessRecords:
    """Makes the records of a graph, each kind in an order that depends on nothing but the input."""

    def __init__(self, graph: AccessGraph, rules: AccessDeclaration) -> None:
        """Make none yet."""
        self._graph, self._rules = graph, rules

    def resources(self) -> Iterator[Record]:
        """Yield all that is not an identity, which is a user already."""
        for kind, type_, id_, name, namespace, created, domains, profile, parent in self._graph.rows(_RESOURCES):
            parent_type, parent_id = json.loads(parent) if parent else (None, None)
            facts = {"domains": json.loads(domains)} if domains else json.loads(profile) if profile else {}
            yield {
                "resource_type": type_,
                "resource_type_name": _TYPE_NAMES.get(kind, namespace),
                "trait": _TRAITS.get(kind) or self._trait(namespace),
                "id": id_,
                "name": name,
                "account_type": kind if type_ == USER else None,
                "parent_type": parent_type,
                "parent_id": parent_id,
                "created_at": created,
                "profile": facts,
            }

    def _trait(self, namespace: str) -> str | None:
        return (
            "group"
            if namespace in self._rules.access_groups
            else "role"
            if namespace in self._rules.access_roles
            else None
        )

    def entitlements(self) -> Iterator[Record]:
        """Yield all that may be held, held by somebody or not."""
        granted: dict[tuple[str, str], set[str]] = {}
        for type_, slug, principal in self._graph.rows(
            "select distinct n.type, e.slug, p.type from granted g join entitlement e on e.number = g.entitlement "
            "join node n on n.number = e.node join node p on p.number = g.principal"
        ):
            granted.setdefault((type_, slug), {USER}).add(principal)
        for type_, id_, name, namespace, slug, relation in self._graph.rows(
            "select n.type, n.id, n.name, n.namespace, e.slug, e.relation from entitlement e "
            "join node n on n.number = e.node order by e.number"
        ):
            what = f"an object of {namespace} in Ory Permissions" if namespace else "an organization in Ory"
            yield {
                "id": joined(type_, id_, slug),
                "resource_type": type_,
                "resource_id": id_,
                "slug": slug,
                "name": f"{relation} of {name}",
                "description": f"{relation} of {name}, {what}",
                "purpose": _PURPOSES.get(relation, "permission"),
                "grantable_to": sorted(granted.get((type_, slug), {USER})),
                # Who is in an organization is decided by its sign-on, not by C1.
                "immutable": namespace is None,
            }

    def grants(self, *, expand: bool = True) -> Iterator[Record]:
        """Yield who holds what; unless `expand`, only what was granted as it was, for somebody else to expand."""
        graph = self._graph.closure()
        for number, held in close(graph) if expand else self._direct():
            if held:
                yield from self._grants_of(number, held)

    def _direct(self) -> Iterator[tuple[int, list[Held]]]:
        """Yield who was granted each entitlement, handed on from nowhere."""
        pairs = self._graph.rows("select distinct entitlement, principal from granted order by 1, 2")
        for number, rows in groupby(pairs, itemgetter(0)):
            yield number, [Held(principal, is_direct=True, sources=()) for _, principal in rows]

    def _grants_of(self, number: int, held: list[Held]) -> Iterator[Record]:
        rows = self._graph.rows
        [(type_, resource, slug)] = rows(f"{_ENTITLEMENTS} where e.number = :number", number=number)
        entitlement = joined(type_, resource, slug)
        asked = json.dumps([each.principal for each in held])
        nodes = {
            node: (kind, id_)
            for node, kind, id_ in rows(
                "select number, type, id from node where number in (select value from json_each(:asked))", asked=asked
            )
        }
        handing: dict[int, list[str]] = {}
        ids: dict[int, str] = {}
        for principal, source, *parts in rows(
            "select g.principal, g.source, n.type, n.id, e.slug from granted g join entitlement e "
            "on e.number = g.source join node n on n.number = e.node where g.entitlement = :number order by 1, 2",
            number=number,
        ):
            ids[source] = joined(*parts)
            handing.setdefault(principal, []).append(ids[source])
        for principal, is_direct, sources in held:
            kind, id_ = nodes[principal]
            of = {ids[source]: granted for source, granted in sources}
            yield {
                "id": joined(entitlement, kind, self._told_apart(type_, resource, slug, kind, id_)),
                "entitlement_id": entitlement,
                "resource_type": type_,
                "resource_id": resource,
                "principal_type": kind,
                "principal_id": id_,
                "is_direct": is_direct,
                "sources": {entitlement: True, **of} if is_direct and of else of,
                "expandable": handing.get(principal, []),
            }

    def _told_apart(self, type_: str, resource: str, slug: str, kind: str, id_: str) -> str:
        """Return the principal's id; a digest where the colons in it make the grant's id that of another grant.

        `T:R:S:user:x:S2:user:y` is who `x:S2:user:y` is on R, and who `y` is on `R:S:user:x`, if that exists.
        """
        parts = id_.split(":")
        for end in range(1, len(parts) - 2):
            other = joined(resource, slug, kind, *parts[:end])
            exists = "select 1 from entitlement e join node n on n.number = e.node where n.type = :type and n.id = :id "
            if next(self._graph.rows(f"{exists} and e.slug = :slug", type=type_, id=other, slug=parts[end]), None):
                return digest(id_)
        return id_
