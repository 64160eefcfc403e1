"""A receiver of OpenTelemetry's protocol (OTLP over HTTP, Protocol Buffers), read with OpenTelemetry's own messages."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Receiver:
    """What has come in so far; it is all there when whoever sent it has ended."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.traces: list[ExportTraceServiceRequest] = []
        self.metric_sets: list[ExportMetricsServiceRequest] = []
        self.url = ""

    def take(self, path: str, body: bytes) -> None:
        self.bodies.append(body)
        if path == "/v1/traces":
            self.traces.append(ExportTraceServiceRequest.FromString(body))
        elif path == "/v1/metrics":
            self.metric_sets.append(ExportMetricsServiceRequest.FromString(body))
        else:
            raise AssertionError(path)

    @property
    def spans(self) -> list[Any]:
        return [
            span
            for request in self.traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def metrics(self) -> dict[str, float]:
        """The last value of each metric by its name."""
        return {
            metric.name: point.as_int or point.as_double
            for request in self.metric_sets
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in (metric.sum if metric.HasField("sum") else metric.gauge).data_points
        }

    @property
    def services(self) -> set[str]:
        """The names of the programs that have sent something."""
        resources = [each.resource for request in self.traces for each in request.resource_spans]
        resources += [each.resource for request in self.metric_sets for each in request.resource_metrics]
        return {attributes_of(each)["service.name"] for each in resources}


def attributes_of(told: Any) -> dict[str, Any]:
    """The attributes of a span, a resource or a point."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in told.attributes}


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Receive on a free port of 127.0.0.1."""
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.take(self.path, gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    serving.start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
