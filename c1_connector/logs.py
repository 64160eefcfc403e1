"""Log lines: one an event, as text or as JSON, on stderr, without a secret.

Knows nothing of what is logged.
"""

from __future__ import annotations

import logging
import sys
from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING

from command_basics.log_format import JsonFormatter, time_of

if TYPE_CHECKING:
    from collections.abc import Mapping

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


class LineFormatter(JsonFormatter):
    """Makes one line of text of each event, whatever is in it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return time, level, logger and text; with an exception, its traceback in the same line."""
        text = " ".join(self.text(record).splitlines())
        return f"{time_of(record)} {record.levelname:<7} {record.name}: {text}"


def set_up(log_format: str, level: str, secrets: Secrets, own: Mapping[str, str] | None = None) -> None:
    """Send what is said from `level` on to stderr; `own` names the levels of single loggers."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter((JsonFormatter if log_format == "json" else LineFormatter)(secrets.hide))
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
