"""A C1 of our own: token end-point and gRPC service on one TLS port, with the limits and orders of the real protocol.

What a connector does against them is noted in `violations`. It knows messages from the connector's own .proto, whose
numbers `test_protocol.py` holds against C1's.
"""

import base64
import hashlib
import json
import re
import secrets
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import grpc
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.duration_pb2 import Duration

from c1_connector import baton_pb2 as pb
from tests.c1_connector.tls import Authority, Front

CLIENT_ID = "strange-hydra-1@acme.conductor.example/opaque"
AUDIENCE = "acme.conductor.example"
SERVICE = "c1.connectorapi.baton.v1.BatonService"
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TASK_ID = re.compile(r"[0-9A-Za-z]{27}")
Code = grpc.StatusCode


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _duration(seconds: float | None) -> Duration | None:
    return None if seconds is None else Duration(seconds=int(seconds), nanos=round(seconds % 1 * 1e9))


@dataclass
class Event:
    """A call, when it came, and of which task."""

    method: str
    task_id: str
    time: float = field(default_factory=time.monotonic)


class FakeC1:
    """Tasks are given with `give`; what comes back is in `uploads` and `finished`.

    `trouble(method, number)` may name the code with which the method's call of that number (from 1) fails.
    """

    def __init__(self, directory: Path) -> None:
        self.key = Ed25519PrivateKey.generate()
        jwk = {
            "kty": "OKP",
            "crv": "Ed25519",
            "kid": "key-1",
            "x": _unpadded(self.key.public_key().public_bytes_raw()),
            "d": _unpadded(self.key.private_bytes_raw()),
        }
        self.client_secret = f"secret-token:conductorone.com:v1:{_unpadded(json.dumps(jwk).encode())}"
        self.violations: list[str] = []
        self.events: list[Event] = []
        self.uploads: dict[str, list[bytes]] = defaultdict(list)
        self.finished: dict[str, list[pb.FinishTaskRequest]] = defaultdict(list)
        self.tokens: list[str] = []
        #: Statuses for the next token requests, before 200 is given.
        self.token_statuses: deque[int] = deque()
        self.token_life = 3600
        self.next_poll: float | None = 0.5
        self.next_heartbeat: float | None = 1
        self.trouble: Callable[[str, int], Code | None] = lambda _method, _number: None
        self.cancelled: set[str] = set()
        #: Abort an upload once so many messages of it have come, for each number in turn.
        self.upload_cuts: deque[int] = deque()
        #: Waits in an upload before it answers.
        self.slow_upload = 0.0
        self.words = "trouble on request"
        #: Whether tokens that were given are accepted.
        self.accepting = True
        self._valid: set[str] = set()
        self._given: dict[str, str] = {}
        self._waiting: deque[pb.Task] = deque()
        self._lock = threading.RLock()
        self._counts: dict[str, int] = defaultdict(int)
        self._greeted = False
        self.authority = Authority(directory)
        self.ca = self.authority.ca_file
        self._start()

    def _start(self) -> None:
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _token_handler(self))
        self._http.daemon_threads = True
        self._http.socket = self.authority.context().wrap_socket(self._http.socket, server_side=True)
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        self._pool = futures.ThreadPoolExecutor(16)
        self._grpc = grpc.server(self._pool)
        self._grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, self._handlers()),))
        port = self._grpc.add_secure_port("127.0.0.1:0", self.authority.grpc_credentials())
        self._grpc.start()
        self.front = Front(http_port=self._http.server_address[1], grpc_port=port)
        self.address = f"127.0.0.1:{self.front.port}"

    def close(self) -> None:
        self.front.close()
        self._grpc.stop(0).wait()
        self._pool.shutdown()
        self._http.shutdown()
        self._http.server_close()

    # What a test does

    def environment(self, **more: str) -> dict[str, str]:
        """What a connector needs to know to come here."""
        return {
            "BATON_CLIENT_ID": CLIENT_ID,
            "BATON_CLIENT_SECRET": self.client_secret,
            "BATON_C1_API_HOST": self.address,
            "BATON_C1_CA_BUNDLE": str(self.ca),
            "BATON_HOST_ID": "host-of-the-tests",
            **more,
        }

    def give(self, kind: str = "sync_full") -> str:
        """Have a task for the next poll and return its id."""
        task = pb.Task(id="".join(secrets.choice(ALPHANUMERIC) for _ in range(27)))
        if kind:
            getattr(task, kind).SetInParent()
        with self._lock:
            self._waiting.append(task)
        return task.id

    def revoke_tokens(self) -> None:
        with self._lock:
            self._valid.clear()

    def count(self, method: str, task_id: str | None = None) -> int:
        with self._lock:
            return sum(e.method == method and task_id in (None, e.task_id) for e in self.events)

    def given(self, task_id: str) -> bool:
        return task_id in self._given

    # The token end-point

    def answer_token(self, path: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        with self._lock:
            self._note("token", "")
            if self.token_statuses:
                return self.token_statuses.popleft(), body
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            wrong = self._wrong_in_token(path, headers, form)
            self.violations += wrong
            if wrong:
                return 401, b"{}"
            token = f"access-{secrets.token_hex(16)}"
            self.tokens.append(token)
            self._valid.add(token)
        answer = {"access_token": token, "token_type": "bearer", "expires_in": self.token_life}
        return 200, json.dumps(answer).encode()

    def _wrong_in_token(self, path: str, headers: Any, form: dict[str, str]) -> list[str]:
        assertion = form.pop("client_assertion", "..")
        expected = {
            "client_id": CLIENT_ID,
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }
        signed, _, signature = assertion.rpartition(".")
        try:
            self.key.public_key().verify(_decoded(signature), signed.encode())
        except InvalidSignature:
            return ["the signature is wrong"]
        header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
        nonce = header.pop("nonce", "")
        times = claims.pop("iat", 0), claims.pop("nbf", 0), claims.pop("exp", 0)
        checks = {
            "path": path == "/auth/v1/token",
            "content type": headers["Content-Type"] == "application/x-www-form-urlencoded",
            "no auth header": headers["Authorization"] is None,
            "form": form == expected,
            "JWT header": header == {"alg": "EdDSA", "kid": "key-1"} and re.fullmatch("[0-9a-f]{32}", nonce),
            "claims": claims == {"iss": CLIENT_ID, "sub": CLIENT_ID, "aud": AUDIENCE},
            "times": abs(times[0] - time.time()) < 10 and times[1:] == (times[0] - 120, times[0] + 120),
        }
        return [f"token request: {name}" for name, right in checks.items() if not right]

    # The service

    def _handlers(self) -> dict[str, Any]:
        unary: dict[str, tuple[Callable[[Any], Any], Any]] = {
            "Hello": (self._hello, pb.HelloRequest),
            "GetTask": (self._get_task, pb.GetTaskRequest),
            "Heartbeat": (self._heartbeat, pb.HeartbeatRequest),
            "FinishTask": (self._finish_task, pb.FinishTaskRequest),
        }
        handlers: dict[str, Any] = {
            name: grpc.unary_unary_rpc_method_handler(
                self._guarded(name, answer),
                request_deserializer=request.FromString,
                response_serializer=lambda response: response.SerializeToString(),
            )
            for name, (answer, request) in unary.items()
        }
        handlers["UploadAsset"] = grpc.stream_unary_rpc_method_handler(
            self._upload_asset,
            request_deserializer=pb.UploadAssetRequest.FromString,
            response_serializer=lambda response: response.SerializeToString(),
        )
        return handlers

    def _note(self, method: str, task_id: str) -> int:
        self.events.append(Event(method, task_id))
        self._counts[method] += 1
        return self._counts[method]

    def _enter(self, method: str, task_id: str, context: Any) -> None:
        with self._lock:
            number = self._note(method, task_id)
            sent = dict(context.invocation_metadata()).get("authorization", "")
            valid = sent.startswith("Bearer ") and sent[len("Bearer ") :] in self._valid and self.accepting
        if not valid:
            context.abort(Code.UNAUTHENTICATED, f"token {sent} refused")
        if context.time_remaining() is None or context.time_remaining() > 10_000:
            self.violations.append(f"{method} has no deadline")
        if code := self.trouble(method, number):
            context.abort(code, self.words)

    def _guarded(self, method: str, answer: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
        def handle(request: Any, context: Any) -> Any:
            self._enter(method, getattr(request, "task_id", ""), context)
            with self._lock:
                self._expect(request.host_id == "host-of-the-tests", f"{method}: host id {request.host_id!r}")
                if method not in {"Hello", "GetTask"}:
                    self._expect(request.task_id in self._given, f"{method}: a task that was not given")
                return answer(request)

        return handle

    def _expect(self, holds: object, violation: str) -> None:
        if not holds:
            self.violations.append(violation)

    def _hello(self, request: pb.HelloRequest) -> pb.HelloResponse:
        fields = {**_fields(request.os_info, 8), **_fields(request.build_info, 3)}
        for name, value in fields.items():
            self._expect(1 <= len(value) <= 256, f"Hello: {name} is {value!r}")
        about = request.connector_metadata
        self._expect(1 <= len(about.display_name.encode()) <= 1024, "Hello: display name")
        self._expect(len(about.description) <= 4096, "Hello: description")
        capabilities = about.capabilities
        self._expect(list(capabilities.connector_capabilities) == [2], "Hello: capabilities")
        kinds = [(each.resource_type.id, list(each.capabilities)) for each in capabilities.resource_type_capabilities]
        self._expect(kinds == [("user", [2])], f"Hello: resource types {kinds}")
        if request.task_id:
            self._expect(self._given.get(request.task_id) == "hello", "Hello: of a task that is none")
        self._greeted = True
        return pb.HelloResponse()

    def _get_task(self, request: pb.GetTaskRequest) -> pb.GetTaskResponse:
        self._expect(self._greeted, "GetTask before Hello")
        task = self._waiting.popleft() if self._waiting else None
        if task:
            self._given[task.id] = task.WhichOneof("task_type") or "unknown"
        return pb.GetTaskResponse(task=task, next_poll=_duration(self.next_poll))

    def _heartbeat(self, request: pb.HeartbeatRequest) -> pb.HeartbeatResponse:
        cancelled = request.task_id in self.cancelled
        return pb.HeartbeatResponse(next_heartbeat=_duration(self.next_heartbeat), cancelled=cancelled)

    def _finish_task(self, request: pb.FinishTaskRequest) -> pb.FinishTaskResponse:
        outcome = request.WhichOneof("final_state")
        self._expect(self._given.get(request.task_id) != "hello", "FinishTask of a hello task")
        self._expect(not self.finished[request.task_id], "FinishTask after it was taken")
        self._expect(outcome, "FinishTask without an outcome")
        self._expect((outcome == "error") == bool(request.status.code), "FinishTask: status and outcome differ")
        if outcome == "success":
            self._expect(self.uploads[request.task_id], "success without an upload")
            self._expect(not request.HasField("status"), "success with a status")
        self.finished[request.task_id].append(request)
        return pb.FinishTaskResponse()

    def _upload_asset(self, requests: Iterator[pb.UploadAssetRequest], context: Any) -> pb.UploadAssetResponse:
        head = next(requests)
        self._enter("UploadAsset", head.metadata.task_id, context)
        with self._lock:
            cut = self.upload_cuts.popleft() if self.upload_cuts else None
            self._expect(head.WhichOneof("msg") == "metadata", "upload: no metadata first")
            self._expect(self._given.get(head.metadata.task_id) == "sync_full", "upload: of no sync")
            self._expect(head.metadata.host_id == "host-of-the-tests", "upload: host id")
            beats = [e for e in self.events if (e.method, e.task_id) == ("Heartbeat", head.metadata.task_id)]
            self._expect(beats, "upload: before any heartbeat")
        frames: list[bytes] = []
        end: bytes | None = None
        for number, message in enumerate(requests, 2):
            if cut is not None and number > cut:
                context.abort(Code.INTERNAL, "cut on request")
            self._expect(end is None, "upload: something after the end")
            if message.WhichOneof("msg") == "data":
                self._expect(1 <= len(message.data.data) <= 1 << 20, "upload: size of a frame")
                frames.append(message.data.data)
            else:
                end = message.eof.sha256_checksum
        if cut is not None:
            context.abort(Code.INTERNAL, "cut at the end on request")
        if end is None:
            # The stream ended early: the connector has cancelled it.
            context.abort(Code.ABORTED, "no end")
        body = b"".join(frames)
        self._expect(hashlib.sha256(body).digest() == end, "upload: checksum")
        self._expect(all(len(frame) == 524_288 for frame in frames[:-1]), "upload: frames of another size")
        deadline = time.monotonic() + self.slow_upload
        while time.monotonic() < deadline and context.is_active():
            time.sleep(0.02)
        if context.is_active():
            with self._lock:
                self.uploads[head.metadata.task_id].append(body)
        return pb.UploadAssetResponse()


def _fields(message: Any, number: int) -> dict[str, str]:
    fields = {each.name: getattr(message, each.name) for each in message.DESCRIPTOR.fields}
    assert len(fields) == number
    return fields


def _token_handler(fake: FakeC1) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = fake.answer_token(self.path, self.headers, body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    return Handler


@contextmanager
def fake_c1(directory: Path) -> Iterator[FakeC1]:
    """Run a C1, and see at the end that nothing was done against its rules."""
    fake = FakeC1(directory)
    try:
        yield fake
    finally:
        fake.close()
    assert fake.violations == []
