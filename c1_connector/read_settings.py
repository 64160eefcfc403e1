"""The settings of a read, from variables: those of the Ory project, and those of the file.

What tap-ory has of the Singer SDK beside them, maps and flattening, is Singer's alone.
"""

from __future__ import annotations

import fnmatch
import logging
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from command_basics.log_level import log_level
from command_basics.version import version
from command_basics.violations import explain_violation
from ory_reader.config import declaration, environment
from ory_reader.config.settings import Settings as OrySettings
from ory_reader.errors import SettingsError
from target_c1 import settings as target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c1_connector.logs import Secrets
    from command_basics.reader import Reader

_SINGER: dict[str, Any] = {
    "stream_maps": {"type": ["object", "null"]},
    "flattening_enabled": {"type": ["boolean", "null"]},
    "flattening_max_depth": {},
    "flattening_max_key_length": {},
    "flattening_separator": {},
    "stream_map_config": {},
    "faker_config": {},
}
_ORY_SCHEMA = {
    **declaration.CONFIG_SCHEMA,
    "properties": {**declaration.CONFIG_SCHEMA["properties"], **_SINGER},
}
_INSTEAD = "name the fields in TARGET_C1_MAPPING, or let tap-ory write to target-c1"


def ory_settings(environ: Mapping[str, str], secrets: Secrets) -> OrySettings:
    """Return the settings of the Ory project; those that are secret are added to `secrets`.

    Raises:
        SettingsError: in one line, if one is missing, cannot be right, or is none that the connector can follow.
    """
    log_level(environ, environment.ENV_PREFIX, SettingsError)
    config = _checked(environ, environment.READER, _ORY_SCHEMA, "tap-ory")
    for name, definition in _ORY_SCHEMA["properties"].items():
        value = config.get(name) if definition.get("secret") else None
        for each in value.values() if isinstance(value, dict) else (value,):
            if each:
                secrets.add(str(each), lasting=True)
    # To overlook a map would send C1 somebody who was to be left out.
    for pattern, definition in (config.get("stream_maps") or {}).items():
        source = definition.get("__source__") if isinstance(definition, dict) else None
        if pattern == "__else__" or fnmatch.fnmatch("users", source or pattern):
            msg = f"Setting stream_maps: ory-connector does not map users ({pattern}): {_INSTEAD}."
            raise SettingsError(msg)
    if config.get("flattening_enabled"):
        msg = f"Setting flattening_enabled: ory-connector does not flatten users: {_INSTEAD}."
        raise SettingsError(msg)
    return OrySettings.from_config(config, version())


def target_settings(environ: Mapping[str, str]) -> target.Settings:
    """Return the settings of the file.

    Raises:
        TargetC1Error: in one line, if one is missing or cannot be right.
        SettingsError: if its log level is none.
    """
    log_level(environ, target.PREFIX, SettingsError)
    return target.Settings.from_config(_checked(environ, target.READER, target.CONFIG_SCHEMA, "target-c1"))


def _checked(environ: Mapping[str, str], reader: Reader, schema: Mapping[str, Any], command: str) -> dict[str, Any]:
    for warning in reader.unknown_variables(environ, schema):
        logging.getLogger(command).warning("%s", warning)
    config = reader.from_environment(environ, schema)
    violations = Draft202012Validator(schema).iter_errors(config)
    if errors := [explain_violation(each, reader.prefix, command) for each in violations]:
        raise reader.error(" ".join(errors))
    return config
