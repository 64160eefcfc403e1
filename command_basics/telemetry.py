"""Traces and metrics for OpenTelemetry, where the variables that all its programs know ask for them.

Where they do not, nothing is imported, started or kept: a run pays for a question to the environment.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from command_basics.metrics import Metric
    from command_basics.open_telemetry import Exporting

#: Each of these asks for it.
ENDPOINTS = tuple(f"OTEL_EXPORTER_OTLP_{signal}ENDPOINT" for signal in ("", "TRACES_", "METRICS_"))
EXPORTERS = ("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER")
OTLP, NONE = "otlp", "none"
PROTOCOL = "http/protobuf"


_logger = logging.getLogger("tap-ory")
_exporting: Exporting | None = None


def set_up(program: str, environ: Mapping[str, str]) -> None:
    """Tell of this process from now on, under the name of the program, if `environ` asks for it."""
    global _exporting  # noqa: PLW0603 - a process has one
    if not _is_wanted(environ):
        return
    if problem := _problem(environ):
        _logger.warning("No traces and metrics are sent: %s", problem)
        return
    try:
        from command_basics.open_telemetry import Exporting  # noqa: PLC0415 - half a second, for who wants it
    except ModuleNotFoundError as error:
        _logger.warning(
            "No traces and metrics are sent: OTEL_* variables ask for them, but %s is not installed. Install "
            "tap-ory with the extra otel, or unset them.",
            error.name,
        )
        return
    _exporting = Exporting(
        program,
        traces=environ.get(EXPORTERS[0], OTLP) != NONE,
        metrics=environ.get(EXPORTERS[1], OTLP) != NONE,
    )


def count(metric: Metric, amount: float = 1, **attributes: str) -> None:
    """Add to a counter."""
    if _exporting is not None:
        _exporting.add(metric, amount, attributes)


def tell(metric: Metric, value: float, **attributes: str) -> None:
    """Set a gauge."""
    if _exporting is not None:
        _exporting.set(metric, value, attributes)


def span(name: str, *, of_client: bool = False) -> AbstractContextManager[Any]:
    """Trace what is inside, `of_client` if it asks a server; the value is the span, or None where nothing is traced."""
    return nullcontext() if _exporting is None else _exporting.span(name, of_client=of_client)


def _is_wanted(environ: Mapping[str, str]) -> bool:
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporters = [environ.get(name, "") for name in EXPORTERS]
    return any(each not in {"", NONE} for each in exporters) or (
        any(environ.get(name) for name in ENDPOINTS) and exporters != [NONE, NONE]
    )


def _problem(environ: Mapping[str, str]) -> str:
    for name in EXPORTERS:
        if environ.get(name, "") not in {"", OTLP, NONE}:
            return f"{name} must be {OTLP} or {NONE}."
    for name in (f"OTEL_EXPORTER_OTLP_{signal}PROTOCOL" for signal in ("", "TRACES_", "METRICS_")):
        if environ.get(name, "") not in {"", PROTOCOL}:
            return f"{name} must be {PROTOCOL}, and the endpoint one for that (port 4318, mostly)."
    return ""
