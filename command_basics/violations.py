"""What is wrong with settings, by their schema: a sentence each, without the value, which could be a secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from command_basics.values import kinds_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from jsonschema import ValidationError

BOUNDS = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "greater than"}


def explain_violation(error: ValidationError, prefix: str, command: str, empty: Collection[str] = ()) -> str:
    """Say in a sentence what is wrong with a setting of `command`, whose variables begin with `prefix`.

    `empty` are the settings that were written, with nothing in them.
    """
    name = ".".join(str(part) for part in error.absolute_path)
    kind, wanted = error.validator, error.validator_value
    if kind == "required":
        missing = re.findall(r"'(\w+)' is a required property", error.message)
        variables = [prefix + setting.upper() for setting in missing]
        what = "empty" if set(missing) & set(empty) else "missing"
        return f"Setting {', '.join(missing)} is {what}: set it in the configuration or as {', '.join(variables)}."
    if kind == "type":
        kinds = [kind for kind in kinds_of({"type": wanted}) if kind != "null"]
        return f"Setting {name} must be of type {' or '.join(kinds)}, not {type(error.instance).__name__}."
    if kind == "enum":
        choices: Any = wanted
        words = [str(choice).lower() for choice in choices if choice is not None]
        return f"Setting {name} must be one of {', '.join(words)}."
    if kind in BOUNDS:
        return f"Setting {name} must be {BOUNDS[kind]} {wanted}."
    if kind == "maxLength":
        return f"Setting {name} is too long: it may have {wanted} characters at most."
    return f"Setting {name} does not fit the schema that {command} --about shows ({kind})."
