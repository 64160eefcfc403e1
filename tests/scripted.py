"""A server that answers from a script, byte for byte: for answers that no well-behaved server gives.

`replies` is a function of the request and its number (from 0); what it returns is written to the socket, piece by
piece, and the connection is closed. Knows nothing of identities.
"""

import http.client
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from typing_extensions import Self

Pieces = Iterable[bytes]
#: The Link header of a page that is the last: Ory's own never lack the relation to the first.
LAST_PAGE = '</admin/identities?page_token=00000000-0000-0000-0000-000000000000>; rel="first"'
TLS_HANDSHAKE = b"\x16"


class Reset(Exception):  # noqa: N818 - an end of a connection, not an error
    """Raised by a reply: the connection is reset instead of closed."""


@dataclass(frozen=True)
class Asked:
    """A request: `target` is what stood in its first line, header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]


Replies = Callable[[Asked, int], Pieces]


@dataclass
class ScriptedServer:
    """Serves on a free port of 127.0.0.1 from `with` to the end of the block; `asked` is all that came in."""

    replies: Replies
    tls: ssl.SSLContext | None = None
    asked: list[Asked] = field(default_factory=list)
    #: Set at the end: a reply that stalls waits for it.
    closing: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Self":
        self._server = _Server(self)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"{'https' if self.tls else 'http'}://{self.host}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def stall(self, *before: bytes) -> Iterator[bytes]:
        """Answer `before` and then nothing more, until the block ends."""
        yield from before
        self.closing.wait()

    def take(self, request: Asked) -> Pieces:
        """Note a request and return its reply."""
        with self._server.lock:
            number = len(self.asked)
            self.asked.append(request)
        return self.replies(request, number)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, scripted: ScriptedServer) -> None:
        self.scripted = scripted
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that break off are what these tests are about."""


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        connection: socket.socket = self.request
        tls = self.server.scripted.tls
        if tls:
            connection = tls.wrap_socket(connection, server_side=True)
        elif connection.recv(1, socket.MSG_PEEK) == TLS_HANDSHAKE:
            # What Go's server answers to TLS on a port without.
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request")
            return
        request = _read_request(connection)
        if request is None:
            return
        try:
            for piece in self.server.scripted.take(request):
                connection.sendall(piece)
        except Reset:
            # No lingering: what follows the close is a reset.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        finally:
            connection.close()


def _read_request(connection: socket.socket) -> Asked | None:
    head = b""
    while b"\r\n\r\n" not in head:
        received = connection.recv(65536)
        if not received:
            return None
        head += received
    first, *lines = head.decode("latin-1").partition("\r\n\r\n")[0].split("\r\n")
    method, target, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    return Asked(method, target, {name.lower(): value for name, value in headers.items()})


def reply(
    status: int = 200,
    body: bytes = b"[]",
    content_type: str = "application/json; charset=utf-8",
    **headers: str,
) -> list[bytes]:
    """A whole answer with its length; underscores in names of headers stand for hyphens."""
    extra = {"Content-Type": content_type, "Content-Length": str(len(body))}
    extra.update((name.replace("_", "-"), value) for name, value in headers.items())
    return [head(status, **extra), body]


def head(status: int = 200, **headers: str) -> bytes:
    """The head of an answer, with exactly these headers and `Connection: close`."""
    phrase = HTTPStatus(status).phrase if status in list(HTTPStatus) else "Unknown"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


def forwarded(url: str, request: Asked) -> tuple[dict[str, str], bytes]:
    """What the server at `url` answers to a request with 200: the headers that matter, and the body."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    with closing(connection):
        connection.request(request.method, request.target, headers=request.headers)
        answer = connection.getresponse()
        assert answer.status == HTTPStatus.OK
        headers = {
            name: value for name, value in answer.getheaders() if name in {"Content-Type", "Link", "X-Total-Count"}
        }
        return headers, answer.read()


@contextmanager
def always(*pieces: bytes, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    """A server that answers every request alike."""
    with ScriptedServer(lambda request, number: pieces, tls=tls) as server:
        yield server
