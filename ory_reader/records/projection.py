"""A stream's schema and what a catalog selects of it, as a project of what is kept of each record.

Knows JSON Schema and the SDK's selection masks; nothing of pages, bytes or identities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    Crumb = tuple[str, ...]
    Mask = Mapping[Crumb, bool]


@dataclass(frozen=True)
class Projection:
    """What is kept of a value.

    `fields` keeps the named members of an object, `dropped` never; of the others, `every` says what is kept of
    each, `open` that they are kept whole. `items` applies to each element of an array. None of them: the value
    as it is. `bare`: where an object is closed, what has no members passes nevertheless.
    """

    fields: Mapping[str, Projection] | None = None
    dropped: frozenset[str] = frozenset()
    open: bool = False
    every: Projection | None = None
    items: Projection | None = None
    bare: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether the value passes as it is."""
        return self.fields is None and self.every is None and self.items is None

    @property
    def is_compiled(self) -> bool:
        """Whether a struct can express it: members that are kept or dropped beside the named ones need a dict."""
        if self.open or (self.every and (self.fields or self.dropped)):
            return False
        parts = [*(self.fields or {}).values(), self.every, self.items]
        return all(part.is_compiled for part in parts if part is not None)


WHOLE = Projection()


def project(schema: Mapping[str, Any], mask: Mask, private: Container[str] = (), key: str = "id") -> Projection:
    """Compile a stream's schema and selection mask into what is kept of a record.

    The record itself is closed: what the schema does not declare at its top is dropped. Below, objects are
    open unless they say `additionalProperties: false`, and a catalog may deselect what no schema declares.
    In the fields that are `private`, anything that is deselected closes all objects with declared members: who
    deselects one member wants none that nobody could have named. The id, which is in the field `key`, is always
    kept: no page can be cut and no record replaced without it.
    """
    properties = schema.get("properties", {})
    fields = {key: WHOLE}
    for name in properties:
        crumb = ("properties", name)
        if mask[crumb]:
            closing = name in private and _deselects(properties[name], mask, crumb)
            fields[name] = _Planner(mask, closing=closing).field(properties[name], crumb)
    return Projection(fields=fields)


def _deselects(schema: Mapping[str, Any], mask: Mask, crumb: Crumb) -> bool:
    """Whether anything below a place is deselected."""
    below = [((*crumb, "properties", name), _member(schema, name)) for name in _names(schema, mask, crumb)]
    below += [
        ((*crumb, key), schema[key]) for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)
    ]
    return any(not mask[each] or _deselects(member, mask, each) for each, member in below)


@dataclass(frozen=True)
class _Planner:
    """Plans what is kept of one field; with `closing`, what no schema declares is not."""

    mask: Mask
    closing: bool

    def field(self, schema: Mapping[str, Any], crumb: Crumb) -> Projection:
        if isinstance(schema.get("items"), dict):
            items = self.field(schema["items"], (*crumb, "items"))
            return WHOLE if items.is_whole else Projection(items=items)
        additional = schema.get("additionalProperties", True)
        every = self.field(additional, (*crumb, "additionalProperties")) if isinstance(additional, dict) else WHOLE
        names = _names(schema, self.mask, crumb)
        places = {name: (*crumb, "properties", name) for name in names}
        fields = {name: self.field(_member(schema, name), place) for name, place in places.items() if self.mask[place]}
        dropped = frozenset(names) - frozenset(fields)
        closed = self.closing and bool(schema.get("properties"))
        is_open = additional is not False and not closed
        if is_open and every.is_whole and not dropped and all(field.is_whole for field in fields.values()):
            return WHOLE
        if every.is_whole:
            bare = closed and not _deselects(schema, self.mask, crumb)
            return Projection(fields=fields, dropped=dropped, open=is_open, bare=bare)
        return Projection(fields=fields or None, dropped=dropped, every=every)


def _member(schema: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    member: Mapping[str, Any] = schema.get("properties", {}).get(name, {})
    return member


def _names(schema: Mapping[str, Any], mask: Mask, crumb: Crumb) -> list[str]:
    """The members of an object that the schema declares, and those that only the catalog names."""
    declared = schema.get("properties", {})
    above = (*crumb, "properties")
    named = {below[len(above)] for below in mask if len(below) > len(above) and below[: len(above)] == above}
    return [*declared, *sorted(named - set(declared))]


def prune(value: Any, field: Projection) -> Any:
    """Keep of a decoded value what `field` keeps.

    A value of another JSON type than a closed object or a map becomes null: nothing says which of its parts
    were meant to be kept, and a credential's secret must not slip through. Where an object is open or `bare`,
    what has no members passes, and a list is pruned element by element.
    """
    if field.is_whole or value is None:
        return value
    if field.items is not None:
        return [prune(item, field.items) for item in value] if isinstance(value, list) else None
    if isinstance(value, dict):
        return _prune_members(value, field)
    if not field.open and not field.bare:
        return None
    return [prune(item, field) for item in value] if isinstance(value, list) else value


def _prune_members(value: dict[str, Any], field: Projection) -> dict[str, Any]:
    fields = field.fields or {}
    kept = {key: prune(value[key], member) for key, member in fields.items() if key in value}
    others = {key: member for key, member in value.items() if key not in fields and key not in field.dropped}
    if field.every is not None:
        kept.update((key, prune(member, field.every)) for key, member in others.items())
    elif field.open:
        kept.update(others)
    return kept
