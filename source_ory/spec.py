"""The tap's settings as Airbyte's connection specification, and a configuration of that shape back again.

Airbyte shows the specification as a form, so every setting is text, a number, a switch or a choice: settings
that hold objects or arrays are JSON in a text field, and a choice among mixed types is one among words.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from command_basics.declared import marked
from command_basics.reader import unknown_settings
from command_basics.values import kinds_of
from ory_reader.config.declaration import CONFIG_SCHEMA, Declaration
from ory_reader.config.environment import READER
from ory_reader.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger("tap-ory")

PROTOCOL_VERSION = "0.2.0"
DOCUMENTATION = "https://github.example/your-org/tap-ory/blob/main/docs/airbyte.md"
INTERNAL = frozenset(marked(Declaration, "of_singer_alone"))
EXAMPLES = marked(Declaration, "examples")
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def specification() -> dict[str, Any]:
    """Return Airbyte's ConnectorSpecification."""
    settings = {name: each for name, each in CONFIG_SCHEMA["properties"].items() if name not in INTERNAL}
    return {
        "documentationUrl": DOCUMENTATION,
        "protocol_version": PROTOCOL_VERSION,
        "supportsIncremental": True,
        "connectionSpecification": {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "Ory",
            "type": "object",
            "required": list(CONFIG_SCHEMA["required"]),
            "additionalProperties": True,
            "properties": {name: _form_field(name, each, order) for order, (name, each) in enumerate(settings.items())},
        },
    }


def tap_config(given: Any) -> dict[str, Any]:
    """Return the tap's configuration of a connection's, unchecked; what the specification does not name is left out.

    Raises:
        SettingsError: if it is no object, or a text that must be JSON is none.
    """
    if not isinstance(given, dict):
        msg = "The configuration is no JSON object: give the settings as one."
        raise SettingsError(msg)
    known = [name for name in CONFIG_SCHEMA["properties"] if name not in INTERNAL]
    for warning in unknown_settings(given, known):
        logger.warning("%s", warning)
    config = READER.from_mapping({name: given[name] for name in known if name in given}, CONFIG_SCHEMA)
    for name, value in config.items():
        if isinstance(value, str) and _is_json(CONFIG_SCHEMA["properties"][name]):
            kind = CONFIG_SCHEMA["properties"][name]["type"][0]
            msg = f"Setting {name} is no JSON: give a JSON {kind}."
            raise SettingsError(msg)
    # The tap tells what is empty from what is missing.
    empty = {name: given[name] for name in CONFIG_SCHEMA["required"] if given.get(name) == ""}
    return {**empty, **config}


def _form_field(name: str, setting: Mapping[str, Any], order: int) -> dict[str, Any]:
    field: dict[str, Any] = {
        "type": _form_type(setting),
        "title": setting["title"],
        "description": setting["description"],
        "order": order,
    }
    if setting.get("secret"):
        field["airbyte_secret"] = True
    if _is_choice(setting):
        field["enum"] = [_word(value) for value in setting["enum"] if value is not None]
    if setting.get("default") not in (None, {}, []):
        field["default"] = _shown(setting)
    field.update((bound, setting[bound]) for bound in BOUNDS if bound in setting)
    if name in EXAMPLES:
        field["examples"] = EXAMPLES[name]
    return field


def _shown(setting: Mapping[str, Any]) -> Any:
    default = setting["default"]
    if _is_json(setting):
        return json.dumps(default)
    is_word = isinstance(default, bool) and _form_type(setting) == "string"
    return _word(default) if is_word or _is_choice(setting) else default


def _form_type(setting: Mapping[str, Any]) -> str:
    if _is_choice(setting) or _is_json(setting):
        return "string"
    return next(kind for kind in kinds_of(setting) if kind != "null")


def _is_choice(setting: Mapping[str, Any]) -> bool:
    return "enum" in setting


def _is_json(setting: Mapping[str, Any]) -> bool:
    return not {"object", "array"}.isdisjoint(setting["type"])


def _word(choice: Any) -> str:
    return str(choice).lower()
