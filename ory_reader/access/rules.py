"""How tuples, organizations and clients are to be understood: the settings of access, as they were checked."""

from __future__ import annotations

from dataclasses import dataclass

#: What namespaces are called where nothing is set: the names in Ory's own examples of its permission language.
PEOPLE, GROUPS, ROLES = ("User",), ("Group", "Team", "Organization"), ("Role",)


@dataclass(frozen=True)
class AccessRules:
    """What becomes of whom. Names of namespaces and relations are as the permission language has them."""

    #: The namespaces whose objects are published, with those whose groups they name; None: all there are.
    namespaces: tuple[str, ...] | None = None
    #: Namespaces whose objects are people, and no resources of their own.
    people: tuple[str, ...] = PEOPLE
    groups: tuple[str, ...] = GROUPS
    roles: tuple[str, ...] = ROLES
    #: Relations whose subject is the object's parent.
    parents: tuple[str, ...] = ()
    #: What may stand before an id in a subject, and is taken off.
    prefixes: tuple[str, ...] = ()
    #: Whether an e-mail address or username that exactly one identity has names it, too.
    names: bool = False
    #: Whether a subject that nobody is becomes a user of type system; else it is left out and counted.
    orphans: bool = False
    #: What OAuth2 clients are: "app", or "service" users that can hold grants; None: nothing.
    clients: str | None = "app"
    #: More objects than this are refused.
    max_objects: int = 100_000
