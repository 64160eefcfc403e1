"""What OpenTelemetry's own packages do for us: spans and metrics go to a collector by OTLP over HTTP.

Where it is, how it is spoken to, how often, and what all this is called say the variables `OTEL_*`, which those
packages read. Imported only where they ask for it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from command_basics.metrics import COUNTERS, GAUGES
from command_basics.version import version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from opentelemetry.trace import Span

    from command_basics.metrics import Metric


class Exporting:
    """Sends what this process tells; the rest of it when the process ends."""

    def __init__(self, program: str, *, traces: bool, metrics: bool) -> None:
        """Start, under the name of the program unless a variable names another."""
        own = Resource({"service.name": program, "service.version": version()})
        resource = Resource.create().merge(own).merge(OTELResourceDetector().detect())
        tracers = TracerProvider(resource=resource)
        if traces:
            tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        readers = [PeriodicExportingMetricReader(OTLPMetricExporter())] if metrics else []
        meter = MeterProvider(readers, resource).get_meter("tap-ory")
        self._tracer = tracers.get_tracer("tap-ory")
        self._values: dict[Metric, dict[frozenset[tuple[str, str]], float]] = {each: {} for each in GAUGES}
        self._counters = {each: meter.create_counter(*each) for each in COUNTERS}
        for gauge in GAUGES:
            meter.create_observable_gauge(gauge.name, [self._observed(gauge)], gauge.unit, gauge.description)

    def add(self, metric: Metric, amount: float, attributes: Mapping[str, str]) -> None:
        """Add to a counter."""
        self._counters[metric].add(amount, attributes)

    def set(self, metric: Metric, value: float, attributes: Mapping[str, str]) -> None:
        """Set a gauge, which is told from now on."""
        self._values[metric][frozenset(attributes.items())] = value

    @contextmanager
    def span(self, name: str, *, of_client: bool) -> Iterator[Span]:
        """Trace what is inside. Of an error its kind is told alone: its text may hold what is nobody's business."""
        kind = SpanKind.CLIENT if of_client else SpanKind.INTERNAL
        with self._tracer.start_as_current_span(
            name, kind=kind, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except BaseException as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    def _observed(self, gauge: Metric) -> Any:
        def observe(_: CallbackOptions) -> Iterable[Observation]:
            return [Observation(value, dict(attributes)) for attributes, value in [*self._values[gauge].items()]]

        return observe
