"""Where a connector buys its access tokens: what it has to send, over HTTP/1.1 and HTTP/2."""

import base64
import json
import re
import ssl
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, RequestReceived, StreamEnded

CLIENT_ID = "strange-hydra-1@acme.conductor.example/opaque"
AUDIENCE = "acme.conductor.example"

#: From path, headers (names in lower case) and body to status and body.
Answer = Callable[[str, Mapping[str, str], bytes], tuple[int, bytes]]


def client_secret(key: Ed25519PrivateKey) -> str:
    """The key as C1 hands it out."""
    jwk = {
        "kty": "OKP",
        "crv": "Ed25519",
        "kid": "key-1",
        "x": _unpadded(key.public_key().public_bytes_raw()),
        "d": _unpadded(key.private_bytes_raw()),
    }
    return f"secret-token:conductorone.com:v1:{_unpadded(json.dumps(jwk).encode())}"


def wrong_in_request(key: Ed25519PrivateKey, path: str, headers: Mapping[str, str], body: bytes) -> list[str]:
    """What C1 would not take in a request for a token."""
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    assertion = form.pop("client_assertion", "..")
    expected = {
        "client_id": CLIENT_ID,
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    signed, _, signature = assertion.rpartition(".")
    try:
        key.public_key().verify(_decoded(signature), signed.encode())
    except InvalidSignature:
        return ["the signature is wrong"]
    header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
    nonce = header.pop("nonce", "")
    times = claims.pop("iat", 0), claims.pop("nbf", 0), claims.pop("exp", 0)
    checks = {
        "path": path == "/auth/v1/token",
        "content type": headers.get("content-type") == "application/x-www-form-urlencoded",
        "no auth header": "authorization" not in headers,
        "form": form == expected,
        "JWT header": header == {"alg": "EdDSA", "kid": "key-1"} and re.fullmatch("[0-9a-f]{32}", nonce),
        "claims": claims == {"iss": CLIENT_ID, "sub": CLIENT_ID, "aud": AUDIENCE},
        "times": abs(times[0] - time.time()) < 10 and times[1:] == (times[0] - 120, times[0] + 120),
    }
    return [f"token request: {name}" for name, right in checks.items() if not right]


def token_server(context: ssl.SSLContext, answer: Answer) -> ThreadingHTTPServer:
    """A server that is not running yet."""
    context.set_alpn_protocols(["h2", "http/1.1"])
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer))
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server


def _handler(answer: Answer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle(self) -> None:
            if self.connection.selected_alpn_protocol() == "h2":
                _Http2(self.connection.sendall, answer).serve(self.connection.recv)
            else:
                super().handle()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, told = answer(self.path, headers, body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    return Handler


class _Http2:
    """One connection."""

    def __init__(self, send: Callable[[bytes], object], answer: Answer) -> None:
        self._send, self._answer = send, answer
        self._connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._requests: dict[int, tuple[dict[str, str], bytearray]] = {}

    def serve(self, receive: Callable[[int], bytes]) -> None:
        self._connection.initiate_connection()
        self._send(self._connection.data_to_send())
        while data := receive(65_536):
            for event in self._connection.receive_data(data):
                self._take(event)
            self._send(self._connection.data_to_send())

    def _take(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            headers = {str(name): str(value) for name, value in event.headers}
            self._requests[event.stream_id] = headers, bytearray()
        elif isinstance(event, DataReceived):
            self._connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            self._requests[event.stream_id][1].extend(event.data)
        elif isinstance(event, StreamEnded):
            headers, body = self._requests.pop(event.stream_id)
            status, told = self._answer(headers[":path"], headers, bytes(body))
            self._connection.send_headers(
                event.stream_id, [(":status", str(status)), ("content-type", "application/json")]
            )
            self._connection.send_data(event.stream_id, told, end_stream=True)


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
