"""Log lines as JSON, one object a line: for each command by the same variables as how much it says.

An object has `time` (RFC 3339, UTC), `level`, `logger` and `message`, and what a line tells in numbers by names of
its own. An exception's traceback is part of the message.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Behind a command's prefix.
SUFFIX = "LOGFORMAT"
SHARED = ("BATON_LOG_FORMAT", SUFFIX)
FORMATS = ("console", "json")
#: The attribute of a record that holds numbers by name.
NUMBERS = "numbers"


def log_format(environ: Mapping[str, str], prefix: str, error: type[Exception]) -> str:
    """Return the format's name, the first one if no variable gives one; an empty variable gives none.

    Raises:
        Exception: `error`, if there is no such format.
    """
    for variable in (prefix + SUFFIX, *SHARED):
        name = environ.get(variable, "").strip().lower()
        if name and name not in FORMATS:
            msg = f"Setting {variable} is no log format: give {' or '.join(FORMATS)}."
            raise error(msg)
        if name:
            return name
    return FORMATS[0]


def time_of(record: logging.LogRecord) -> str:
    """Return when something was said, in RFC 3339 and UTC."""
    return datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")


class JsonFormatter(logging.Formatter):
    """Makes a JSON object of each event."""

    def __init__(self, hide: Callable[[str], str] = str) -> None:
        """`hide` takes out of a text what must not be shown: as JSON escapes it, it would not be found any more."""
        super().__init__()
        self._hide = hide

    def text(self, record: logging.LogRecord) -> str:
        """Return what is said, with an exception's traceback."""
        text = record.getMessage()
        return self._hide(f"{text} {self.formatException(record.exc_info)}" if record.exc_info else text)

    def format(self, record: logging.LogRecord) -> str:
        """Return a line."""
        told = {"time": time_of(record), "level": record.levelname.lower(), "logger": record.name}
        return json.dumps({**told, "message": self.text(record), **getattr(record, NUMBERS, {})})


def settle_log_format(environ: Mapping[str, str], prefix: str, error: type[Exception]) -> None:
    """Let what is logged go to stderr as JSON, and nowhere else, if that is the format; Python's warnings as well.

    A file with a configuration of its own, as Meltano gives one to the SDK of Singer taps, is left to itself.

    Raises:
        Exception: `error`, if there is no such format.
    """
    if log_format(environ, prefix, error) != "json" or environ.get("SINGER_SDK_LOG_CONFIG"):
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().handlers = [handler]
    logging.captureWarnings(capture=True)


def writes_json() -> bool:
    """Whether stderr is for JSON alone."""
    return any(type(handler.formatter) is JsonFormatter for handler in logging.getLogger().handlers)
