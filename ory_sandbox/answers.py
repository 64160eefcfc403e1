"""The answers that Kratos gives in the same form wherever it gives them: JSON, errors, redirects, plain 404s."""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ory_sandbox.http import Response
from ory_sandbox.render import to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ory_sandbox.http import Request

    #: What the methods of a path do.
    Handlers = Mapping[str, Callable[[Request], Response]]

NOT_CACHED = ("Cache-Control", "private, no-cache, no-store, must-revalidate")
MALFORMED = "The request was malformed or contained invalid parameters"
NOT_FOUND = "The requested resource could not be found"
_PLAIN = [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")]


def json_answer(body: Sequence[bytes | memoryview], headers: Sequence[tuple[str, str]] = ()) -> Response:
    """A 200 with JSON text, which ends in a newline, as Go's encoder leaves it."""
    kind = ("Content-Type", "application/json; charset=utf-8")
    return Response(HTTPStatus.OK, [NOT_CACHED, kind, *headers], [*body, b"\n"])


def error(status: HTTPStatus, message: str, *, reason: str = "", headers: Sequence[tuple[str, str]] = ()) -> Response:
    """An error in the body that most of Ory's services use."""
    kind = ("Content-Type", "application/json")
    return Response(status, [NOT_CACHED, kind, *headers], [described(status, message, reason)])


def described(status: HTTPStatus, message: str, reason: str = "") -> bytes:
    """The body of an error."""
    members: dict[str, Any] = {"code": int(status), "status": status.phrase}
    if reason:
        members["reason"] = reason
    members["message"] = message
    return to_json({"error": members}).encode() + b"\n"


def redirect(
    status: HTTPStatus,
    request: Request,
    location: str,
    headers: Sequence[tuple[str, str]] = (),
) -> Response:
    """A redirect that keeps the query, with the page that Go adds to it for those who GET."""
    if request.raw_query:
        location = f"{location}?{request.raw_query}"
    answer = Response(status, [*headers, ("Location", location)])
    if request.method in {"GET", "HEAD"}:
        answer.headers = [*answer.headers, ("Content-Type", "text/html; charset=utf-8")]
        answer.body = [f'<a href="{escape(location)}">{status.phrase}</a>.\n\n'.encode()]
    return answer


def plain_not_found(headers: Sequence[tuple[str, str]] = ()) -> Response:
    """Go's own 404."""
    return Response(HTTPStatus.NOT_FOUND, [*headers, *_PLAIN], [b"404 page not found\n"])


def not_allowed(methods: Sequence[str]) -> Response:
    """A 405, naming the methods that would have been."""
    allowed = ("Allow", ", ".join(sorted({*methods, "OPTIONS"})))
    return Response(HTTPStatus.METHOD_NOT_ALLOWED, [allowed, *_PLAIN], [b"Method Not Allowed\n"])


def options(methods: Sequence[str]) -> Response:
    """The methods that a path takes."""
    return Response(HTTPStatus.OK, [("Allow", ", ".join(sorted({*methods, "OPTIONS"})))])
