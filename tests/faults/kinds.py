"""What can go wrong with a page of identities, one function each.

Each takes the ``Call`` at hand and its own parameters, which are members of a fault in a scenario, and returns
the answer to be sent. Knows nothing of which requests are hit, nor of sockets.
"""

from __future__ import annotations

import gzip
import re
import time
import uuid
from email.utils import formatdate
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from ory_sandbox.answers import error
from ory_sandbox.http import Delivery, Ending, Response
from tests.faults import truncation
from tests.faults.context import Call, delivered, encoded, like, with_body, with_next, without

if TYPE_CHECKING:
    from collections.abc import Callable


_MIB = 1 << 20
_HTML = b"<!DOCTYPE html><html><head><title>Bad Gateway</title></head><body><center>nginx</center></body></html>\n"
_FIRST_ID = re.compile(rb'\[\{"id":"([0-9a-f-]{36})"')
_JSON_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{,]')


# No answer


def outage(call: Call, seconds: float | None = None) -> Response:
    """Drop all connections and refuse new ones, for a while or for ever."""
    call.outage(seconds)
    return Response(HTTPStatus.OK, drop=True)


def reset(call: Call) -> Response:
    """Reset the connection before the first byte."""
    return delivered(call, lambda _: Delivery([], ending=Ending.RESET))


def cut(call: Call, place: str = "middle", framing: str = "as is") -> Response:
    """Close the connection in the middle of the answer.

    Args:
        call: The call.
        place: Behind which byte, see ``truncation.PLACES``.
        framing: ``as is``, or ``close``: neither length nor chunks tell where the body ends.
    """
    unframed = framing == "close"

    def deliver(wire: bytes) -> Delivery:
        return Delivery(
            [truncation.first_part(truncation.unframed(wire) if unframed else wire, place)], ending=Ending.CLOSE
        )

    return delivered(call, deliver)


def stall(call: Call) -> Response:
    """Send half of the answer, and nothing more for as long as the client waits."""
    return delivered(call, lambda wire: Delivery([wire[: len(wire) // 2]], ending=Ending.HOLD))


def drip(call: Call, size: int = 1, seconds: float = 0.1) -> Response:
    """Send the body in pieces of so many bytes, with a pause before each."""

    def deliver(wire: bytes) -> Delivery:
        begin = wire.index(b"\r\n\r\n") + 4
        return Delivery([wire[:begin], *(wire[at : at + size] for at in range(begin, len(wire), size))], seconds)

    return delivered(call, deliver)


# Another answer


def status(  # noqa: PLR0913 the parts of an answer
    call: Call,
    status: int,
    *,
    message: str = "",
    html: bool = False,
    retry_after: float | str | None = None,
    retry_at: float | None = None,
    location: str | None = None,
) -> Response:
    """Answer with another status.

    Args:
        call: The call.
        status: The status code.
        message: What the error in the body says; the status' own words by default.
        html: The body is a proxy's page instead.
        retry_after: The Retry-After header.
        retry_at: So many seconds from now as a date in the Retry-After header.
        location: The Location header.
    """
    code = HTTPStatus(status)
    headers = [("Location", location)] if location else []
    if retry_at is not None:
        headers.append(("Retry-After", formatdate(time.time() + retry_at, usegmt=True)))
    elif retry_after is not None:
        headers.append(("Retry-After", str(retry_after)))
    if html:
        return Response(code, [*headers, ("Content-Type", "text/html")], [_HTML])
    return error(code, message or code.phrase, headers=headers)


def body(call: Call, text: str) -> Response:
    """Answer with another text as its body, and the headers of the page, Link included."""
    return with_body(call, text.encode())


def nested(call: Call, depth: int = 5_000_000, member: str | None = None) -> Response:
    """Answer with arrays in arrays, alone or as one member of the page's first identity."""
    pile = b"[" * depth + b"]" * depth
    if member is None:
        return with_body(call, pile)
    return with_body(call, call.page().replace(b'{"id":', b'{"%b":%b,"id":' % (member.encode(), pile), 1))


def large(call: Call, mib: int) -> Response:
    """Answer with a page of so many MiB, almost all of it white space."""
    return like(call.answer(), [b"[", *[b" " * _MIB] * mib, b"]"])


def bomb(call: Call, mib: int) -> Response:
    """Answer with gzip of so many MiB of white space, a thousandth of that on the wire."""
    return encoded(call, _bomb(mib))


@cache
def _bomb(mib: int) -> bytes:
    member = gzip.compress(b" " * _MIB, mtime=0)
    return gzip.compress(b"[", mtime=0) + member * mib + gzip.compress(b"]", mtime=0)


def empty(call: Call, *, withheld: bool = False) -> Response:
    """Answer with a page of no rows that has a next.

    Args:
        call: The call.
        withheld: Its next is the true page's, so that the rows of this one never come; by default it leads to
            just before the first of them.
    """
    if withheld:
        return with_body(call, b"[]")
    first = call.store.id(call.store.after(call.token))
    return with_next(with_body(call, b"[]"), str(uuid.UUID(int=uuid.UUID(first).int - 1)))


# A page that is not quite right


def content_type(call: Call, value: str) -> Response:
    """Name another type of content."""
    answer = call.answer()
    answer.headers = [*without(answer, "Content-Type"), ("Content-Type", value)]
    return answer


def invalid_utf8(call: Call) -> Response:
    """Put bytes that are no UTF-8 into a name."""
    return with_body(call, call.page().replace(b'"schema_id":"', b'"schema_id":"\xff\xc3(\xed\xa0\x80', 1))


def zipped(call: Call, *, keep: float = 1.0) -> Response:
    """Answer in gzip, of which a share is kept (the length is that of what is kept)."""
    data = gzip.compress(call.page(), mtime=0)
    return encoded(call, data[: int(len(data) * keep)])


def pretty(call: Call) -> Response:
    """Put a line break and a space after each bracket and comma."""
    return with_body(call, _JSON_TOKEN.sub(_spread, call.page()))


def _spread(token: re.Match[bytes]) -> bytes:
    return token[0] if token[0].startswith(b'"') else token[0] + b"\r\n "


def byte_order_mark(call: Call) -> Response:
    """Put a byte order mark before the page."""
    return with_body(call, b"\xef\xbb\xbf" + call.page())


def clamp(call: Call, size: int) -> Response:
    """Give no more than so many rows, whatever was asked for."""
    asked = call.request
    target = re.sub(r"(?<=[?&]page_size=)\d+", lambda found: str(min(int(found[0]), size)), asked.target)
    return call.respond(type(asked)(asked.method, target, asked.version, asked.headers))


def next_token(call: Call, token: str | None = None, length: int = 0) -> Response:
    """Link to a next page with another token.

    Args:
        call: The call.
        token: The token, as it stands in the URL; that of this very page by default.
        length: Make the token so long with letters.
    """
    return with_next(call.answer(), (call.token if token is None else token) + "a" * length)


def clock(call: Call, seconds: float) -> Response:
    """Have the server's clock be ahead by so many seconds."""
    date = b"\r\nDate: " + formatdate(time.time() + seconds, usegmt=True).encode()
    return delivered(call, lambda wire: Delivery([re.sub(rb"\r\nDate: [^\r]*", date, wire, count=1)]))


# Other rows


def move(
    call: Call,
    *,
    created_read: int = 1,
    created_ahead: int = 1,
    deleted_read: int = 1,
    deleted_ahead: int = 1,
) -> Response:
    """Have identities come and go on both sides of the cursor before the page is served.

    So many are created, and so many deleted, among those just before the page and among those on it. Nothing
    happens at the first page.
    """
    store = call.store
    found = _FIRST_ID.match(call.page())
    here = store.find(found[1].decode()) if found else None
    if not here:
        return call.answer()
    read, ahead = store.id(here - 1), store.id(here)
    row, credentials = store.row(here), store.credentials[here]
    gone = [store.id(max(0, here - 2 - number)) for number in range(deleted_read)]
    on_page = range(here + 1, min(here + 6, len(store)))
    gone += [store.id(place) for place in call.rng.sample(on_page, min(deleted_ahead, len(on_page)))]
    back = -1 if read < ahead else 1
    near = [(read, 1 + number) for number in range(created_read)]
    near += [(ahead, 1 + number) for number in range(created_ahead)]
    for identity, distance in near:
        new = str(uuid.UUID(int=uuid.UUID(identity).int + back * distance))
        store.put(new, row.replace(ahead.encode(), new.encode()), credentials)
    for identity in gone:
        store.remove(identity)
    return call.respond(call.request)


def unreadable(call: Call, place: int) -> Response:
    """Make the identity at a place of the list, from 0, one that the server can't serialise."""
    call.store.unreadable.add(call.store.id(place))
    return call.respond(call.request)


TROUBLES: dict[str, Callable[..., Response]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        *(outage, reset, cut, stall, drip),
        *(status, body, nested, large, bomb, empty),
        *(content_type, invalid_utf8, zipped, pretty, byte_order_mark, clamp, next_token, clock),
        *(move, unreadable),
    )
}
