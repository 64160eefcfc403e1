"""Log lines: one an event, as text or as JSON, on stderr, without a secret.

Knows nothing of what is logged.
"""

from __future__ import annotations

import json
import logging
import sys
from collections import deque
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMATS = ("console", "json")
OWN = ("ory-connector", "tap-ory", "target-c1")
#: The id of the task that is debugged here, of which all is told; empty where none is.
DEBUGGED: ContextVar[str] = ContextVar("debugged", default="")
HIDDEN = "[hidden]"
#: Old access tokens are forgotten: they have expired.
MAX_SECRETS = 16


class Secrets:
    """What must not be shown."""

    def __init__(self) -> None:
        """Know none yet."""
        self._values: deque[str] = deque(maxlen=MAX_SECRETS)
        self._lasting: set[str] = set()

    def add(self, value: str, *, lasting: bool = False) -> None:
        """Hide `value` from now on."""
        if lasting:
            self._lasting.add(value)
        else:
            self._values.append(value)

    def hide(self, text: str) -> str:
        """Return the text without any of them."""
        for value in (*self._lasting, *self._values):
            text = text.replace(value, HIDDEN)
        return text


class LineFormatter(logging.Formatter):
    """Makes one line of each event, whatever is in it."""

    def __init__(self, secrets: Secrets, *, as_json: bool) -> None:
        """Hide `secrets`."""
        super().__init__()
        self._secrets = secrets
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """Return time, level, logger and text; with an exception, its traceback in the same line."""
        text = record.getMessage()
        if record.exc_info:
            text = f"{text} {self.formatException(record.exc_info)}"
        # As JSON escapes it, a secret would not be found any more.
        text = self._secrets.hide(text)
        time = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        if self._as_json:
            return json.dumps({"time": time, "level": record.levelname.lower(), "logger": record.name, "message": text})
        return f"{time} {record.levelname:<7} {record.name}: {' '.join(text.splitlines())}"


def set_up(log_format: str, level: str, secrets: Secrets, own: Mapping[str, str] | None = None) -> None:
    """Send what is said from `level` on to stderr; `own` names the levels of single loggers."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(secrets, as_json=log_format == "json"))
    levels = {name: logging.getLevelName(each) for name, each in {**dict.fromkeys(OWN, level), **(own or {})}.items()}
    # Below INFO the libraries tell of each request; nobody has asked for that.
    others = max(logging.INFO, logging.getLevelName(level))
    handler.addFilter(lambda record: bool(DEBUGGED.get()) or record.levelno >= levels.get(record.name, others))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in OWN:
        # One task may be debugged while others are not.
        logging.getLogger(name).setLevel(logging.DEBUG)
