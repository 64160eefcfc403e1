from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from ory_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(300) as running:
        yield running


def _connect(sandbox: Sandbox) -> socket.socket:
    parts = urlsplit(sandbox.url)
    return socket.create_connection((parts.hostname, parts.port or 0), timeout=10)


def _exchange(sandbox: Sandbox, *sent: bytes) -> bytes:
    """Send, and read until the server closes."""
    with _connect(sandbox) as connection:
        for piece in sent:
            connection.sendall(piece)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received


VERSION = b"GET /admin/version HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /admin/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def test_requests_sent_at_once_are_answered_in_order(sandbox: Sandbox) -> None:
    lists = b"GET /admin/identities HTTP/1.1\r\nHost: x\r\n\r\n"
    answers = _exchange(sandbox, VERSION + lists + VERSION + LAST).split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert [b'{"version"' in answer for answer in answers] == [True, False, True, True]
    assert b"Connection: close" in answers[-1]
    assert b"Connection: close" not in answers[0]


def test_a_request_may_come_in_pieces_and_with_a_body(sandbox: Sandbox) -> None:
    post = b"POST /admin/identities HTTP/1.1\r\nContent-Length: 5\r\n\r\nGET /"
    answer = _exchange(sandbox, post[:20], post[20:48], post[48:], LAST)
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert answer.count(b"HTTP/1.1 ") == 2


def test_long_bodies_are_one_chunk_and_short_ones_counted(sandbox: Sandbox) -> None:
    request = b"GET /admin/identities HTTP/1.1\r\nConnection: close\r\n\r\n"
    head, _, body = _exchange(sandbox, request).partition(b"\r\n\r\n")
    size, _, chunk = body.partition(b"\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert b"Content-Length" not in head
    assert chunk[int(size, 16) :] == b"\r\n0\r\n\r\n"
    assert chunk[: int(size, 16)].endswith(b"}]\n")
    short = _exchange(sandbox, LAST)
    assert b"Content-Length: 21\r\n" in short
    assert b"Transfer-Encoding" not in short


def test_http_1_0_gets_no_chunks(sandbox: Sandbox) -> None:
    head, _, body = _exchange(sandbox, b"GET /admin/identities HTTP/1.0\r\n\r\n").partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert body.startswith(b'[{"id":"')
    assert body.endswith(b"}]\n")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET admin HTTP/1.1\r\n\r\n",
        b"GET /admin HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /admin HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /admin HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(sandbox: Sandbox, request_bytes: bytes) -> None:
    assert _exchange(sandbox, request_bytes + VERSION).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_a_head_without_an_end_is_refused(sandbox: Sandbox) -> None:
    head = b"GET /admin HTTP/1.1\r\nX: " + b"x" * (1 << 20)
    assert _exchange(sandbox, head).startswith(b"HTTP/1.1 431 ")


def test_sixty_four_clients_at_once(sandbox: Sandbox) -> None:
    connections = [_connect(sandbox) for _ in range(64)]
    for connection in connections:
        connection.sendall(LAST)
    answers = [connection.makefile("rb").read() for connection in connections]
    for connection in connections:
        connection.close()
    assert {answer[:15] for answer in answers} == {b"HTTP/1.1 200 OK"}


def test_a_client_that_does_not_read_waits_alone() -> None:
    with Sandbox(3000) as sandbox, _connect(sandbox) as slow:
        slow.sendall(b"GET /admin/identities?page_size=3000 HTTP/1.1\r\n\r\n" * 8)
        assert b'{"version"' in _exchange(sandbox, LAST)
        slow.sendall(LAST)
        received = bytearray()
        while piece := slow.recv(1 << 20):
            received += piece
        assert received.count(b"HTTP/1.1 200 OK") == 9


def test_latency_delays_every_answer() -> None:
    with Sandbox(1, latency_ms=40) as sandbox:
        begun = time.monotonic()
        answers = _exchange(sandbox, VERSION + VERSION + LAST)
        assert time.monotonic() - begun >= 0.12
    assert answers.count(b"HTTP/1.1 200 OK") == 3


def test_leaving_closes_the_connections_and_the_port() -> None:
    with Sandbox(1) as sandbox:
        connection = _connect(sandbox)
        connection.sendall(VERSION)
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
    with connection, connection.makefile("rb") as rest, suppress(ConnectionResetError):
        assert rest.read().endswith(b'{"version":"master"}\n')
    with pytest.raises(ConnectionError):
        _connect(sandbox)
