"""A request that is to go wrong, and the parts of which its answer is made.

Knows nothing of what goes wrong, nor of sockets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ory_sandbox.http import Response

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from ory_sandbox.http import Delivery, Request
    from ory_sandbox.store import Store


@dataclass
class Call:
    """A request that is to go wrong, and what its server can do."""

    request: Request
    respond: Callable[[Request], Response]
    store: Store
    rng: random.Random
    outage: Callable[[float | None], None]
    _answer: Response | None = None

    def answer(self) -> Response:
        """What the server would answer."""
        if self._answer is None:
            self._answer = self.respond(self.request)
        return self._answer

    def page(self) -> bytes:
        """The body of that answer."""
        return b"".join(self.answer().body)

    @property
    def token(self) -> str:
        """The page token of the request; empty for the first page."""
        return next(iter(self.request.values("page_token")), "")


def delivered(call: Call, deliver: Callable[[bytes], Delivery]) -> Response:
    """The true answer, sent as `deliver` has it."""
    answer = call.answer()
    answer.deliver = deliver
    return answer


def like(answer: Response, pieces: list[bytes]) -> Response:
    """An answer with another's status and headers, and a body of these pieces."""
    return Response(answer.status, answer.headers, pieces)


def with_body(call: Call, text: bytes) -> Response:
    """The true answer with another body."""
    return like(call.answer(), [text])


def encoded(call: Call, data: bytes) -> Response:
    """The true answer with a body that is packed by gzip."""
    answer = with_body(call, data)
    answer.headers = [*answer.headers, ("Content-Encoding", "gzip")]
    return answer


def without(answer: Response, name: str) -> list[tuple[str, str]]:
    """An answer's headers but for one."""
    return [header for header in answer.headers if header[0] != name]


def with_next(answer: Response, token: str) -> Response:
    """An answer whose link leads to another next page."""
    answer.headers = [*without(answer, "Link"), ("Link", f'</admin/identities?page_token={token}>; rel="next"')]
    return answer
