"""The environment as a source of settings: names, aliases, and values that cannot be read.

Knows which types the settings have, nothing of what they mean. No value is ever repeated: it could be the key.
"""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

from tap_ory.settings import ENV_PREFIX, listed, refuse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: C1's own names for the same settings; `TAP_ORY_*` wins.
ENV_ALIASES = {
    "BATON_BASE_URL": "base_url",
    "BATON_API_TOKEN": "api_token",
    "BATON_PROJECT_SLUG": "project_slug",
}
#: Environment names under our prefix that the SDK reads itself.
RESERVED = frozenset({"TAP_ORY_LOGLEVEL"})
#: The words that the SDK reads as true, and their opposites.
BOOLEANS = frozenset({"true", "1", "yes", "on", "false", "0", "no", "off"})


def aliases_from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that C1's own variable names give."""
    return {setting: environ[name] for name, setting in ENV_ALIASES.items() if environ.get(name)}


def names_in_environment(environ: Iterable[str]) -> list[str]:
    """The settings that environment variables name, known or not."""
    return [name[len(ENV_PREFIX) :].lower() for name in environ if name.startswith(ENV_PREFIX) and name not in RESERVED]


def check_log_level(environ: Mapping[str, str]) -> None:
    """Refuse a log level that does not exist, which would end in a traceback before anything is logged.

    Raises:
        SettingsError: naming the variable.
    """
    for variable in (*RESERVED, "LOGLEVEL"):
        level = environ.get(variable)
        if level and not isinstance(logging.getLevelName(level.upper()), int):
            refuse(variable, "is no log level", "give debug, info, warning or error")


def check_environment(environ: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, float | str]:
    """Refuse variables that cannot be read as their setting's type; return the values that the SDK would mistake.

    The SDK leaves decimal numbers as text, takes any word it does not know for false, and ends with a traceback
    on all others that are malformed.

    Raises:
        SettingsError: naming the variable.
    """
    others: dict[str, float | str] = {}
    for name, definition in schema["properties"].items():
        variable = ENV_PREFIX + name.upper()
        if variable not in environ:
            continue
        value, kinds = environ[variable].strip(), listed(definition.get("type", []))
        if "integer" in kinds and not re.fullmatch(r"[+-]?\d{1,18}", value, re.ASCII):
            refuse(variable, "is no whole number", "give digits only")
        if "number" in kinds:
            if not re.fullmatch(r"[+-]?\d{1,18}(\.\d{1,18})?", value, re.ASCII):
                refuse(variable, "is no number", "give digits and at most one point")
            others[name] = float(value)
        if "boolean" in kinds and (word := environ[variable].lower()) not in BOOLEANS:
            if word not in definition.get("enum", []):
                refuse(variable, "is neither true nor false", "give true or false")
            others[name] = word
        if "object" in kinds:
            try:
                json.loads(value)
            except ValueError:
                refuse(variable, "is no JSON", "give a JSON object")
    return others
