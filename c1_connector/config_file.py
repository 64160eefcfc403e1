"""The file that BATON_CONFIG_PATH names: settings by the names of their flags, in YAML, as baton connectors have them.

Facts from C1's own connector SDK (`pkg/config`): the file's name ends in .yaml or .yml, and variables win over it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from c1_connector.errors import ConnectorError
from command_basics import baton
from command_basics.reader import FILE_SUFFIX
from ory_reader.config.environment import ENV_PREFIX
from target_c1.settings import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = f"{baton.PREFIX}CONFIG_PATH"


def with_file(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with those that the file has in their place; without a file, the variables alone.

    Raises:
        ConnectorError: if the file cannot be read as one of settings.
    """
    path = environ.get(VARIABLE, "")
    found = {name: _text(value) for name, value in (_read(path) if path else {}).items()}
    # The variable of a secret and that of its file are the same setting.
    given = {name.removesuffix(FILE_SUFFIX) for name, value in environ.items() if value}
    return {**environ, **{name: value for name, value in found.items() if name.removesuffix(FILE_SUFFIX) not in given}}


def _read(path: str) -> dict[str, Any]:
    if not path.endswith((".yaml", ".yml")):
        _refuse(path, "does not end in .yaml or .yml", "name a YAML file")
    import yaml  # noqa: PLC0415 - for who has such a file

    try:
        settings = yaml.safe_load(Path(path).read_bytes())
    except OSError as error:
        _refuse(path, f"cannot be read: {error.strerror}", "name a YAML file")
    except (yaml.YAMLError, ValueError, RecursionError):
        # The error's own text shows lines of the file, and with them secrets.
        _refuse(path, "is no YAML", "write a setting a line, such as base-url: https://...")
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        _refuse(path, "holds no settings by name", "write a setting a line, such as base-url: https://...")
    return {_variable(str(name)): value for name, value in settings.items()}


def _variable(name: str) -> str:
    """The variable of a setting; those of a read have their own prefixes in the file too."""
    variable = name.replace("-", "_").upper()
    return variable if variable.startswith((ENV_PREFIX, PREFIX)) else baton.PREFIX + variable


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, default=str)


def _refuse(path: str, what: str, remedy: str) -> NoReturn:
    msg = f"{VARIABLE} names {path!r}, which {what}: {remedy}."
    raise ConnectorError(msg)
