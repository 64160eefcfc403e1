"""Airbyte's messages as lines on stdout, all but records: those come ready-made, many at once.

The protocol's shapes are written here by hand, without Airbyte's packages: their models would cost more
start-up than these dictionaries, its CDK seconds. The tests hold every line against the published models.
Knows nothing of Singer or of Ory.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

FailureType = Literal["config_error", "transient_error", "system_error"]
StreamStatus = Literal["STARTED", "RUNNING", "COMPLETE", "INCOMPLETE"]
Json = dict[str, Any]

LEVELS = {"WARNING": "WARN", "CRITICAL": "FATAL"}


def emit(kind: str, **body: Any) -> None:
    """Write one message as one line. Readers' threads log, so a line is a single write."""
    sys.stdout.write(json.dumps({"type": kind, **body}, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def emit_lines(lines: bytes) -> None:
    """Write ready-made lines at once."""
    sys.stdout.buffer.write(lines)
    sys.stdout.flush()


def emit_state(stream: str, state: Mapping[str, Any], records: int) -> None:
    """Write the state of a stream, with the number of its records since the last one."""
    place = {"stream_descriptor": {"name": stream}, "stream_state": state}
    # The protocol wants counts as numbers with a decimal point.
    emit("STATE", state={"type": "STREAM", "stream": place, "sourceStats": {"recordCount": float(records)}})


def emit_status(stream: str, status: StreamStatus) -> None:
    """Tell how far a stream is."""
    _trace("STREAM_STATUS", stream_status={"stream_descriptor": {"name": stream}, "status": status})


def emit_estimate(stream: str, rows: int) -> None:
    """Tell how many records a stream will have."""
    _trace("ESTIMATE", estimate={"name": stream, "type": "STREAM", "row_estimate": rows})


def emit_error(message: str, failure: FailureType) -> None:
    """Tell why the command ends without success."""
    _trace("ERROR", error={"message": message, "internal_message": message, "failure_type": failure})


def _trace(kind: str, **body: Json) -> None:
    emit("TRACE", trace={"type": kind, "emitted_at": now_ms(), **body})


def now_ms() -> int:
    """The time as the protocol counts it: milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class LogHandler(logging.Handler):
    """Writes log records as LOG messages."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one; what cannot be formatted goes where logging sends its own errors."""
        try:
            level = LEVELS.get(record.levelname, record.levelname)
            emit("LOG", log={"level": level, "message": self.format(record)})
        except BrokenPipeError:
            raise
        except Exception:  # noqa: BLE001 - a log line must not end a read
            self.handleError(record)
