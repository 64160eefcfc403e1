"""A C1 of our own: token end-point and gRPC service on one TLS port, with the limits and orders of the real protocol.

What a connector does against them is noted in `violations`. A connector made with C1's published SDK v0.25.0 was seen
to do nothing of that kind here: it buys its token over HTTP/2, gives only FinishTask a deadline, may ask with GetTasks,
and answers what there is nothing to say to with success and without an upload.
"""

import json
import secrets
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from c1_connector import baton_pb2 as pb
from tests.c1_connector.fake_service import HOST_ID, FakeService
from tests.c1_connector.fake_tokens import CLIENT_ID, client_secret, token_server, wrong_in_request
from tests.c1_connector.tls import Authority, Front

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#: A task of each kind with each field of its body set, as C1's published SDK v0.25.0 puts it on the wire.
RECORDED: dict[str, str] = json.loads(Path(__file__).with_name("tasks.json").read_text())


class FakeC1(FakeService):
    """Tasks are given with `give`; what comes back is in `uploads` and `finished`."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._key = Ed25519PrivateKey.generate()
        self.client_secret = client_secret(self._key)
        self.tokens: list[str] = []
        #: Statuses for the next token requests, before 200 is given.
        self.token_statuses: deque[int] = deque()
        self.token_life = 3600
        self.authority = Authority(directory)
        self.ca = self.authority.ca_file
        self._http = token_server(self.authority.context(), self._answer_token)
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        self._pool = futures.ThreadPoolExecutor(16)
        self._grpc = grpc.server(self._pool)
        self._grpc.add_generic_rpc_handlers((self.handlers(),))
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

    def environment(self, **more: str) -> dict[str, str]:
        """What a connector needs to know to come here."""
        return {
            "BATON_CLIENT_ID": CLIENT_ID,
            "BATON_CLIENT_SECRET": self.client_secret,
            "BATON_C1_API_HOST": self.address,
            "BATON_C1_CA_BUNDLE": str(self.ca),
            "BATON_HOST_ID": HOST_ID,
            **more,
        }

    def give(self, kind: str = "sync_full", *, debug: bool = False, **body: Any) -> str:
        """Have a task with this body for the next poll and return its id."""
        fields: dict[str, Any] = {kind: body} if kind else {}
        return self._give(pb.Task(debug=debug, **fields))

    def give_recorded(self, kind: str) -> str:
        """As `give`, with all fields that such a task can have."""
        return self._give(pb.Task.FromString(bytes.fromhex(RECORDED[kind])))

    def _give(self, task: pb.Task) -> str:
        task.id = "".join(secrets.choice(ALPHANUMERIC) for _ in range(27))
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

    def _answer_token(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        with self._lock:
            self.note("token", "")
            if self.token_statuses:
                return self.token_statuses.popleft(), body
            wrong = wrong_in_request(self._key, path, headers, body)
            self.violations += wrong
            if wrong:
                return 401, b"{}"
            token = f"access-{secrets.token_hex(16)}"
            self.tokens.append(token)
            self._valid.add(token)
        answer = {"access_token": token, "token_type": "bearer", "expires_in": self.token_life}
        return 200, json.dumps(answer).encode()


@contextmanager
def fake_c1(directory: Path) -> Iterator[FakeC1]:
    """Run a C1, and see at the end that nothing was done against its rules."""
    fake = FakeC1(directory)
    try:
        yield fake
    finally:
        fake.close()
    assert fake.violations == []
