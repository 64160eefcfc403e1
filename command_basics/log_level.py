"""How much a command says: its own variable, else the one of all baton connectors, else LOGLEVEL."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

#: Behind a command's prefix: the SDK of Singer taps reads it by this name.
SUFFIX = "LOGLEVEL"
SHARED = ("BATON_LOG_LEVEL", "LOGLEVEL")


def log_level(environ: Mapping[str, str], prefix: str, error: type[Exception]) -> str:
    """Return the level's name, INFO if no variable gives one; an empty variable gives none.

    Raises:
        Exception: `error`, if there is no such level: it would end in a traceback before anything is logged.
    """
    for variable in (prefix + SUFFIX, *SHARED):
        level = environ.get(variable, "").strip().upper()
        if level and not isinstance(logging.getLevelName(level), int):
            msg = f"Setting {variable} is no log level: give debug, info, warn or error."
            raise error(msg)
        if level:
            return level
    return "INFO"


def settle_log_level(environ: MutableMapping[str, str], prefix: str, error: type[Exception]) -> str:
    """Return the level, and leave it where the SDK of Singer taps looks for it.

    Raises:
        Exception: `error`, if there is no such level.
    """
    environ[prefix + SUFFIX] = level = log_level(environ, prefix, error)
    return level
