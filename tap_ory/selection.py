"""A stream's schema and what a catalog selects of it, as a plan of what is kept of each record.

Knows JSON Schema and the SDK's selection masks; nothing of pages, bytes or identities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class Field:
    """What is kept of a value.

    `fields` keeps the named members of an object, `dropped` never; of the others, `every` says what is kept of
    each, `open` that they are kept whole. `items` applies to each element of an array. None of them: the value
    as it is.
    """

    fields: Mapping[str, Field] | None = None
    dropped: frozenset[str] = frozenset()
    open: bool = False
    every: Field | None = None
    items: Field | None = None

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


WHOLE = Field()


def plan(schema: Mapping[str, Any], mask: Mapping[tuple[str, ...], bool]) -> Field:
    """Compile a stream's schema and selection mask into what is kept of a record.

    The record itself is closed: what the schema does not declare at its top is dropped. Below, objects are
    open unless they say `additionalProperties: false`, and a catalog may deselect what no schema declares.
    The id is always kept: no page can be cut and no record replaced without it.
    """
    return Field(fields={"id": WHOLE, **_selected_fields(schema, schema.get("properties", {}), mask, ())})


def _selected_fields(
    schema: Mapping[str, Any], names: Iterable[str], mask: Mapping[tuple[str, ...], bool], crumb: tuple[str, ...]
) -> dict[str, Field]:
    fields = {}
    for name in names:
        breadcrumb = (*crumb, "properties", name)
        if mask[breadcrumb]:
            fields[name] = _field(schema.get("properties", {}).get(name, {}), mask, breadcrumb)
    return fields


def _field(schema: Mapping[str, Any], mask: Mapping[tuple[str, ...], bool], crumb: tuple[str, ...]) -> Field:
    if isinstance(schema.get("items"), dict):
        items = _field(schema["items"], mask, (*crumb, "items"))
        return WHOLE if items.is_whole else Field(items=items)
    additional = schema.get("additionalProperties", True)
    every = _field(additional, mask, (*crumb, "additionalProperties")) if isinstance(additional, dict) else WHOLE
    names = _names(schema, mask, crumb)
    fields = _selected_fields(schema, names, mask, crumb)
    dropped = frozenset(names) - frozenset(fields)
    is_open = additional is not False
    if is_open and every.is_whole and not dropped and all(field.is_whole for field in fields.values()):
        return WHOLE
    if every.is_whole:
        return Field(fields=fields, dropped=dropped, open=is_open)
    return Field(fields=fields or None, dropped=dropped, every=every)


def _names(schema: Mapping[str, Any], mask: Mapping[tuple[str, ...], bool], crumb: tuple[str, ...]) -> list[str]:
    """The members of an object that the schema declares, and those that only the catalog names."""
    declared = schema.get("properties", {})
    above = (*crumb, "properties")
    named = {below[len(above)] for below in mask if len(below) > len(above) and below[: len(above)] == above}
    return [*declared, *sorted(named - set(declared))]


def prune(value: Any, field: Field) -> Any:
    """Keep of a decoded value what `field` keeps.

    A value of another JSON type than a closed object or a map becomes null: nothing says which of its parts
    were meant to be kept, and a credential's secret must not slip through. Where an object is open, what has
    no members passes, and a list is pruned element by element.
    """
    if field.is_whole or value is None:
        return value
    if field.items is not None:
        return [prune(item, field.items) for item in value] if isinstance(value, list) else None
    if isinstance(value, dict):
        return _prune_members(value, field)
    if not field.open:
        return None
    return [prune(item, field) for item in value] if isinstance(value, list) else value


def _prune_members(value: dict[str, Any], field: Field) -> dict[str, Any]:
    fields = field.fields or {}
    kept = {key: prune(value[key], member) for key, member in fields.items() if key in value}
    others = {key: member for key, member in value.items() if key not in fields and key not in field.dropped}
    if field.every is not None:
        kept.update((key, prune(member, field.every)) for key, member in others.items())
    elif field.open:
        kept.update(others)
    return kept
