"""HTTP/1.1 as a Go server speaks it, cut to the minimum: requests in, answers out, connections kept alive.

Knows nothing of identities. ``Connection`` hands each request to one function and writes the answer that
it returns, which also says when an answer is delayed, cut, or the connection dropped instead.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from dataclasses import dataclass
from email.utils import formatdate
from enum import Enum, auto
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# Go's net/http keeps up to 2048 bytes of a body back to count them; a longer one goes out in chunks.
_COUNTED_BODY = 2048
# Go's DefaultMaxHeaderBytes.
_LONGEST_HEAD = 1 << 20
_HTTP_1_0 = "HTTP/1.0"


@dataclass(frozen=True)
class Request:
    """One request: ``target`` is the path and query as sent, header names are in lower case."""

    method: str
    target: str
    version: str
    headers: dict[str, str]

    @cached_property
    def path(self) -> str:
        """The path, percent-decoded."""
        return unquote(self.target.partition("?")[0])

    @property
    def raw_query(self) -> str:
        """The query as sent, without its question mark."""
        return self.target.partition("?")[2]

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        """The decoded names and values of the query, in the order sent."""
        return parse_qsl(self.raw_query, keep_blank_values=True)

    def values(self, name: str) -> list[str]:
        """All values of a parameter of the query."""
        return [value for key, value in self.query if key == name]

    @property
    def keep_alive(self) -> bool:
        """Whether the client may send another request on this connection."""
        return self.version != _HTTP_1_0 and self.headers.get("connection", "").lower() != "close"


class Ending(Enum):
    """What becomes of the connection after an answer."""

    KEEP = auto()
    CLOSE = auto()
    RESET = auto()
    #: Nothing more is sent, and no further request answered, until the client goes away.
    HOLD = auto()


@dataclass(frozen=True)
class Delivery:
    """How an answer's bytes leave, where that is not all at once: in pieces, ``pause`` seconds between them."""

    pieces: Sequence[bytes]
    pause: float = 0.0
    ending: Ending = Ending.KEEP


@dataclass
class Response:
    """One answer.

    Attributes:
        status: The status code.
        headers: Names and values, but for Date, Content-Length, Transfer-Encoding and Connection.
        body: The pieces of the body, written one after the other.
        delay: Seconds to wait before the answer leaves.
        drop: Close the connection instead of answering.
        deliver: Says how the whole answer, head and body, leaves; None is in one go.
    """

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: Sequence[bytes | memoryview] = ()
    delay: float = 0.0
    drop: bool = False
    deliver: Callable[[bytes], Delivery] | None = None


class BadRequestError(Exception):
    """What came in is no HTTP request."""


def parse_head(head: bytes) -> tuple[Request, int]:
    """Parse a request's head, without the empty line at its end.

    Returns:
        The request, and how many bytes of body follow it.

    Raises:
        BadRequestError: It is no HTTP/1 request, or one whose body has no known length.
    """
    request_line, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = request_line.partition(" ")
    target, _, version = rest.rpartition(" ")
    if not target.startswith("/") or not version.startswith("HTTP/1."):
        raise BadRequestError
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequestError
        headers[name.lower()] = value.strip()
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not length.isdecimal():
        raise BadRequestError
    return Request(method, target, version, headers), int(length)


def encode(response: Response, request: Request) -> list[bytes | memoryview]:
    """Put an answer into the bytes to send: headers sorted, then the length or one chunk, as Go does it."""
    size = sum(map(len, response.body))
    counted = size <= _COUNTED_BODY or request.method == "HEAD"
    chunked = not counted and request.version != _HTTP_1_0
    lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in sorted(response.headers)]
    lines.append(f"Date: {formatdate(time.time(), usegmt=True)}")
    if counted and response.status != HTTPStatus.NO_CONTENT:
        lines.append(f"Content-Length: {size}")
    if not request.keep_alive:
        lines.append("Connection: close")
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    if request.method == "HEAD":
        return [head]
    if chunked:
        return [head + f"{size:x}\r\n".encode(), *response.body, b"\r\n0\r\n\r\n"]
    return [head, *response.body]


class Connection(asyncio.Protocol):
    """One client's connection: answers its requests one at a time, in their order."""

    def __init__(self, respond: Callable[[Request], Response], connections: set[Connection]) -> None:
        """Answer with ``respond``; be in ``connections`` for as long as the client is connected."""
        self._respond = respond
        self._connections = connections
        self._received = b""
        self._awaited_body = 0
        self._busy = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport of the new connection."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(transport)
        self._transport = transport
        # asyncio does it only for sockets made with TCP's number; without it answers wait for delayed ACKs.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections.add(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget the connection."""
        self._connections.discard(self)

    def drop(self) -> None:
        """Close the connection at once, whatever is under way."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Collect what came in, and answer whatever is complete."""
        self._received += data
        self._answer_received()

    def pause_writing(self) -> None:
        """Take no more requests while the client doesn't read its answers."""
        self._busy = True

    def resume_writing(self) -> None:
        """Go on with the requests once the client has read its answers."""
        self._busy = False
        self._answer_received()

    def _answer_received(self) -> None:
        while not self._busy and not self._transport.is_closing():
            skipped = min(self._awaited_body, len(self._received))
            self._awaited_body -= skipped
            self._received = self._received[skipped:]
            head, end, rest = self._received.partition(b"\r\n\r\n")
            if not end:
                if len(head) > _LONGEST_HEAD:
                    self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
                return
            try:
                request, self._awaited_body = parse_head(head)
            except BadRequestError:
                self._refuse(HTTPStatus.BAD_REQUEST)
                return
            self._received = rest
            self._answer(request)

    def _answer(self, request: Request) -> None:
        response = self._respond(request)
        if not response.delay:
            self._send(response, request)
            return
        self._busy = True
        asyncio.get_running_loop().call_later(response.delay, self._send_late, response, request)

    def _send_late(self, response: Response, request: Request) -> None:
        self._busy = False
        if self._transport.is_closing():
            return
        self._send(response, request)
        self._answer_received()

    def _send(self, response: Response, request: Request) -> None:
        if response.drop:
            self._transport.abort()
            return
        wire = encode(response, request)
        if response.deliver:
            self._busy = True
            delivery = response.deliver(b"".join(wire))
            self._deliver(delivery, iter(delivery.pieces), request)
            return
        self._transport.writelines(wire)
        if not request.keep_alive:
            self._transport.close()

    def _deliver(self, delivery: Delivery, pieces: Iterator[bytes], request: Request) -> None:
        """Send the pieces that are left, one now and the others later if there is to be a pause."""
        for piece in pieces:
            if self._transport.is_closing():
                return
            self._transport.write(piece)
            if delivery.pause:
                asyncio.get_running_loop().call_later(delivery.pause, self._deliver, delivery, pieces, request)
                return
        self._end(delivery.ending, keep_alive=request.keep_alive)

    def _end(self, ending: Ending, *, keep_alive: bool) -> None:
        if ending is Ending.RESET:
            # Closed without lingering, a connection is reset.
            linger = struct.pack("ii", 1, 0)
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._transport.abort()
        elif ending is Ending.CLOSE or (ending is Ending.KEEP and not keep_alive):
            self._transport.close()
        elif ending is Ending.KEEP:
            self._busy = False
            self._answer_received()

    def _refuse(self, status: HTTPStatus) -> None:
        text = f"{status.value} {status.phrase}"
        self._transport.write(
            f"HTTP/1.1 {text}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{text}".encode(),
        )
        self._transport.close()
