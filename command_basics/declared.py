"""The settings of a command, declared once as a dataclass: their JSON Schema, and their values.

Each field is a `setting`. A default of None or of no text is none to tell of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, field, fields
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from command_basics.values import is_unset

KINDS: dict[Any, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    Mapping: "object",
    dict: "object",
    Sequence: "array",
}


def setting(
    title: str, description: str, default: Any = None, schema: Mapping[str, Any] | None = None, **marks: Any
) -> Any:
    """Return the field of a setting.

    `schema` is what its JSON Schema says beside its type, or in place of that. Of the `marks`, `required` takes the
    default away and `secret` keeps the value out of every `repr`; what else there is to know of it, `marked` finds.
    """
    metadata = {"title": title, "description": description, "schema": schema or {}, **marks}
    if isinstance(default, (dict, list)):
        return field(default_factory=default.copy, repr=not marks.get("secret"), metadata=metadata)
    default = MISSING if marks.get("required") else default
    return field(default=default, repr=not marks.get("secret"), metadata=metadata)


def schema_of(declaration: type) -> dict[str, Any]:
    """Return the JSON Schema of a configuration: one property a field, null allowed where there is a default."""
    hints = get_type_hints(declaration)
    return {
        "type": "object",
        "properties": {each.name: _definition(each, hints[each.name]) for each in fields(declaration)},
        "required": [each.name for each in fields(declaration) if _default(each) is MISSING],
        "$schema": "https://json-schema.org/draft/2020-12/schema",
    }


def marked(declaration: type, mark: str) -> dict[str, Any]:
    """Return what a mark says, by the names of the settings that have it."""
    return {each.name: each.metadata[mark] for each in fields(declaration) if mark in each.metadata}


def values_in(declaration: type, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a configuration gives: what is null or empty has its default, others are others'."""
    return {each.name: config[each.name] for each in fields(declaration) if not is_unset(config.get(each.name))}


def _definition(declared: Field[Any], hint: Any) -> dict[str, Any]:
    first = get_args(hint)[0] if isinstance(hint, UnionType) else hint
    kind, default = KINDS[get_origin(first) or first], _default(declared)
    return {
        "type": [kind] if default is MISSING else [kind, "null"],
        **({"properties": {}} if kind == "object" else {}),
        **declared.metadata["schema"],
        "title": declared.metadata["title"],
        **({} if default is MISSING or is_unset(default) else {"default": default}),
        "description": declared.metadata["description"],
        **({"secret": True, "writeOnly": True} if declared.metadata.get("secret") else {}),
    }


def _default(declared: Field[Any]) -> Any:
    return declared.default if declared.default_factory is MISSING else declared.default_factory()
