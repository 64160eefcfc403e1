"""Resources, entitlements and grants in numbers, made of what a store holds by the rules that were set.

Each step is a statement over all rows. Numbers are given in the order of names, so that the same input makes the same
numbers, whatever order it came in.
"""

from __future__ import annotations

import json
from array import array
from typing import TYPE_CHECKING, Any

from ory_reader.access.closure import Graph, Table
from ory_reader.access.ids import CLIENT, ORGANIZATION, USER, keto_type, resource_id, slug
from ory_reader.config.access import APP, NONE, SERVICE, SYSTEM
from ory_reader.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ory_reader.access.store import Store
    from ory_reader.config.access import AccessDeclaration

MEMBER = "member"
#: `kind` is what the resource is: a person, organization, app, service, system user, or object of Keto's.
_TABLES = """
create table node(number integer primary key, kind text, type text, id text, name text, namespace text,
    unique(type, id));
create index node_by_name on node(namespace, name);
create table entitlement(number integer primary key, node integer, slug text, relation text, unique(node, slug));
create index entitlement_by_relation on entitlement(node, relation);
create table granted(entitlement integer, principal integer, source integer,
    primary key(entitlement, principal, source)) without rowid;
create table known(namespace text primary key) without rowid;
create table subject(name text primary key, type text, id text) without rowid;
"""
_TUPLES = """
create view {name} as select t.*, o.number as node from tuple t join known k on k.namespace = t.namespace
    join node o on o.namespace = t.namespace and o.name = t.object where {where}
"""
_PEOPLE = "s_namespace in (select value from people)"
#: Of the tuples of namespaces that are known: whom or what a tuple names.
_KINDS = {
    "by_person": f"subject_id <> '' or ({_PEOPLE} and s_relation = '')",
    "by_group": f"s_relation <> '' and not {_PEOPLE}",
    "by_link": f"s_namespace <> '' and s_relation = '' and not {_PEOPLE}",
    "by_people": f"s_relation <> '' and {_PEOPLE}",
}
#: The tuples that name another object which is to be known, too.
_LEADS = f"({_KINDS['by_group']} or ({_KINDS['by_link']} and relation in (select value from parents)))"


class AccessGraph:
    """Who may do what, in numbers; what they stand for is in the store's tables `node` and `entitlement`."""

    def __init__(self, store: Store, rules: AccessDeclaration) -> None:
        """Make resources, entitlements and grants.

        Raises:
            SettingsError: if there are more objects than the rules allow.
        """
        self._sql, self._rules = store.connection, rules
        for function in (keto_type, resource_id, slug, _folded, self._bare):
            self._sql.create_function(function.__name__.strip("_"), 1, function, deterministic=True)
        self._sql.executescript(_TABLES)
        for table, values in (("people", rules.access_people), ("parents", rules.access_parents)):
            self._sql.execute(f"create table {table}(value text primary key)")
            self._sql.executemany(f"insert or ignore into {table} values (?)", [(each,) for each in values])
        for name, where in _KINDS.items():
            self._sql.execute(_TUPLES.format(name=name, where=where))
        self._know_namespaces()
        self._make_nodes()
        self._find_subjects()
        self._make_entitlements()
        self._make_grants()

    def _bare(self, subject: str) -> str | None:
        prefix = next((each for each in self._rules.access_subject_prefixes if subject.startswith(each)), None)
        return None if prefix is None else subject[len(prefix) :]

    def _run(self, statement: str, **values: Any) -> Any:
        return self._sql.execute(statement, values)

    def _know_namespaces(self) -> None:
        """Those that were named, and those whose groups are granted something there: people come through them."""
        self._run(f"create table handed as select distinct namespace, s_namespace from tuple where {_LEADS}")
        named = "select distinct namespace from tuple"
        values = {}
        if self._rules.access_namespaces is not None:
            named, values = (
                "select value from json_each(:named)",
                {"named": json.dumps([*self._rules.access_namespaces])},
            )
        self._run(
            f"insert into known with recursive reached(namespace) as ({named} union "
            "select s_namespace from handed join reached using (namespace)) "
            "select namespace from reached where namespace not in (select value from people)",
            **values,
        )

    def _make_nodes(self) -> None:
        add = "insert or ignore into node(kind, type, id, name, namespace) "
        self._run(f"{add} select 'person', :type, id, null, null from person order by id", type=USER)
        self._run(
            f"{add} select 'organization', :type, id, coalesce(label, id), null from (select id from organization "
            "union select organization from person where organization is not null) left join organization using (id) "
            "order by id",
            type=ORGANIZATION,
        )
        if self._rules.access_clients != NONE:
            kind, type_ = ("app", CLIENT) if self._rules.access_clients == APP else ("service", USER)
            client = "resource_id(id), coalesce(nullif(name, ''), id), null from client order by id"
            self._run(f"{add} select :kind, :type, {client}", kind=kind, type=type_)
        objects = (
            "select namespace, object from tuple join known using (namespace) union select t.s_namespace, t.s_object "
            "from tuple t join known using (namespace) join known k on k.namespace = t.s_namespace "
            f"where {_LEADS}"
        )
        self._check_number(objects)
        self._run(
            f"{add} select 'object', keto_type(namespace), resource_id(object), object, namespace from ({objects}) "
            "order by namespace, object"
        )

    def _check_number(self, objects: str) -> None:
        counting = f"select namespace, count(*) from ({objects}) group by 1 order by 2 desc, 1"
        numbers = dict(self._run(counting).fetchall())
        total, most = sum(numbers.values()), self._rules.access_max_objects
        if total > most:
            largest = ", ".join(f"{name} {number:,}" for name, number in [*numbers.items()][:3])
            msg = (
                f"Relation tuples name {total:,} objects ({largest}), more than access_max_objects ({most:,}): name "
                "those namespaces that are to be known by access_namespaces, or raise the limit. Nothing is published."
            )
            raise SettingsError(msg)

    def _find_subjects(self) -> None:
        """Find whom each subject names, in the order of what is most certain."""
        found = [
            "select id from person where id = {0}",
            "select min(id) from person where external_id = {0} having count(*) = 1",
            *(
                ["select min(id) from called where name = folded({0}) having count(*) = 1"]
                * self._rules.access_match_names
            ),
            *(["select resource_id(id) from client where id = {0}"] * (self._rules.access_clients == SERVICE)),
        ]
        ways = ", ".join(f"({each.format(form)})" for each in found for form in ("s.subject", "bare(s.subject)"))
        self._run("create index person_external on person(external_id)")
        self._run(
            f"insert into subject select s.subject, :user, coalesce({ways}, null) from (select subject_id as subject "
            "from by_person where subject_id <> '' union select s_object from by_person where subject_id = '') s",
            user=USER,
        )
        if self._rules.access_orphans == SYSTEM:
            self._run(
                "insert or ignore into node(kind, type, id, name) select 'system', type, resource_id(name), name "
                "from subject where id is null order by name"
            )
            self._run("update subject set id = resource_id(name) where id is null")

    def _make_entitlements(self) -> None:
        self._run(
            "insert or ignore into entitlement(node, slug, relation) select node, slug(relation), relation from ("
            "select node, relation from by_person union select node, relation from by_group "
            "union select n.number, s_relation from by_group g join node n on n.namespace = g.s_namespace "
            "and n.name = g.s_object) order by node, relation"
        )
        self._run(
            "insert into entitlement(node, slug, relation) select number, :member, :member from node "
            "where kind = 'organization' order by number",
            member=MEMBER,
        )

    def _make_grants(self) -> None:
        self._run(
            "insert or ignore into granted select e.number, n.number, 0 from by_person p "
            "join entitlement e on e.node = p.node and e.relation = p.relation "
            "join subject s on s.name = case p.subject_id when '' then p.s_object else p.subject_id end "
            "join node n on n.type = s.type and n.id = s.id"
        )
        self._run(
            "insert into granted select e.number, n.number, f.number from by_group g "
            "join entitlement e on e.node = g.node and e.relation = g.relation "
            "join node n on n.namespace = g.s_namespace and n.name = g.s_object "
            "join entitlement f on f.node = n.number and f.relation = g.s_relation"
        )
        self._run(
            "insert into granted select e.number, n.number, 0 from person p "
            "join node n on n.type = :user and n.id = p.id join node o on o.type = :organization "
            "and o.id = p.organization join entitlement e on e.node = o.number",
            user=USER,
            organization=ORGANIZATION,
        )

    def closure(self) -> Graph:
        """What `closure.close` makes the final grants of."""
        size = 1 + self._run("select coalesce(max(number), 0) from entitlement").fetchone()[0]
        own = array("I", [0])
        own.extend(node for (node,) in self._run("select node from entitlement order by number"))
        return Graph(
            Table(self._run("select distinct entitlement, principal from granted order by 1, 2"), size),
            Table(self._run("select distinct entitlement, source from granted where source order by 1, 2"), size),
            own,
        )

    def left_out(self) -> Mapping[str, int]:
        """How many tuples made no grant, by the reason."""
        counts = {
            "of namespaces that are not wanted": "tuple where namespace not in (select namespace from known)",
            "that only link objects": "by_link",
            "whose subject is a relation of a person": "by_people",
            "whose subject is nobody": "by_person join subject on name = "
            "case subject_id when '' then s_object else subject_id end where id is null",
        }
        return {reason: self._run(f"select count(*) from {of}").fetchone()[0] for reason, of in counts.items()}

    def nobodies(self, most: int = 3) -> list[str]:
        """Return a few subjects that are nobody."""
        return [name for (name,) in self._run("select name from subject where id is null limit :most", most=most)]

    def rows(self, statement: str, **values: Any) -> Iterator[tuple[Any, ...]]:
        """Ask the tables."""
        return iter(self._run(statement, **values))


def _folded(text: str | None) -> str | None:
    return None if text is None else text.casefold()
