"""Whether the service is well, for whoever asks by HTTP: `/live`, `/ready` and `/health`, as every baton connector has.

Facts from C1's own connector SDK (`pkg/healthcheck`): the paths, the words, 200 or 503, and a JSON object with
`status`, `timestamp` and, where there is something to say, `details`. Knows neither C1 nor Ory.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import sys
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timezone
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from c1_connector.errors import ConnectorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Seconds for which a good answer of the project holds: probes come often, and each would be a request.
FRESH = 30.0
#: Seconds for a client to send its request.
PATIENCE = 10
#: Seconds to wait for an answer, which may be the project's.
ASKED = 30


class Health:
    """What is known of the service."""

    def __init__(self, is_ready: Callable[[], bool], validate: Callable[[], str]) -> None:
        """`is_ready` tells whether tasks are asked for; `validate` asks the project what is wrong: mostly nothing."""
        self._is_ready = is_ready
        self._validate = validate
        self._lock = threading.Lock()
        self._valid_until = 0.0

    def answer(self, path: str) -> tuple[HTTPStatus, dict[str, Any]] | None:
        """Return status and body for a path; None if there is none."""
        if path == "/live":
            return _told("alive")
        if path == "/ready":
            return _told("ready") if self._is_ready() else _told("not_ready", error="C1 has not answered the greeting")
        if path == "/health":
            problem = self._problem()
            if not problem:
                return _told("healthy")
            return _told("unhealthy", error="connector validation failed", validation_error=problem)
        return None

    def _problem(self) -> str:
        with self._lock:
            if time.monotonic() < self._valid_until:
                return ""
            problem = self._validate()
            if not problem:
                self._valid_until = time.monotonic() + FRESH
            return problem


def _told(status: str, **details: str) -> tuple[HTTPStatus, dict[str, Any]]:
    """Of a service that is well there are no details."""
    timestamp = datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
    body = {"status": status, "timestamp": timestamp}
    if details:
        return HTTPStatus.SERVICE_UNAVAILABLE, {**body, "details": details}
    return HTTPStatus.OK, body


@contextmanager
def serving(health: Health, address: str, port: int) -> Iterator[None]:
    """Answer on a port, in threads of its own.

    Raises:
        ConnectorError: if nothing can listen there.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE

        def do_GET(self) -> None:
            found = health.answer(self.path.partition("?")[0])
            if found is None:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            status, body = found
            data = json.dumps(body).encode() + b"\n"
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_: Any) -> None:
            """Say nothing: probes come all the time."""

    try:
        server = _Server((address, port), Handler)
    except OSError as error:
        msg = (
            f"The health check cannot listen on {address}, port {port}: {error.strerror or error}. Set "
            "BATON_HEALTH_CHECK_BIND_ADDRESS and BATON_HEALTH_CHECK_PORT to what is free on this machine."
        )
        raise ConnectorError(msg) from error
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def ask(address: str, port: int) -> int:
    """Ask a running service whether it is well, print what it says, and return an exit code.

    Raises:
        ConnectorError: if nobody answers.
    """
    connection = HTTPConnection(address, port, timeout=ASKED)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        sys.stdout.write(answer.read().decode())
    except (OSError, HTTPException) as error:
        msg = f"No connector answers on {address}, port {port}: is one running with BATON_HEALTH_CHECK=true?"
        raise ConnectorError(msg) from error
    return 0 if answer.status == HTTPStatus.OK else 1


class _Server(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        if address[0].count(":") and ipaddress.ip_address(address[0]).version == 6:  # noqa: PLR2004
            self.address_family = socket.AF_INET6
        super().__init__(address, handler)

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that leave before they are answered."""
