"""Log lines: one an event, as text or as JSON, on stderr, without a secret.

Knows nothing of what is logged.
"""

from __future__ import annotations

import json
import logging
import sys
from collections import deque
from datetime import datetime, timezone

FORMATS = ("console", "json")
OWN = ("ory-connector", "tap-ory", "target-c1")
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


def set_up(log_format: str, level: str, secrets: Secrets) -> None:
    """Send what this program, the tap and the target have to say from `level` on to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(secrets, as_json=log_format == "json"))
    root = logging.getLogger()
    root.handlers = [handler]
    # Below INFO the libraries tell of each request; nobody has asked for that.
    root.setLevel(max(logging.INFO, logging.getLevelName(level)))
    for name in OWN:
        logging.getLogger(name).setLevel(level)
    # Its lines are about single requests and sinks, and come by the hundred.
    logging.getLogger("singer_sdk").setLevel(logging.WARNING)
