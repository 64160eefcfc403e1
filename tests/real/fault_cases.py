"""The lines of the fault matrix: what goes wrong, on which server, and under which clock.

Only data. `docs/faults.md` has a line for each; every trouble of the sandbox is among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.faults.truncation import PLACES

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A page that is neither the first nor the last.
MID: Final = 5
FOR_EVER: Final[dict[str, Any]] = {"times": None}
#: Pauses as long as they are for users: what goes away after a while has done so before the last try.
AS_USERS: Final = 30.0


#: What can go wrong with the list of identity schemas as with a page.
AT_SCHEMAS: Final = frozenset(
    {
        *("outage", "reset", "cut", "stall", "drip", "status", "body", "nested", "large", "bomb"),
        *("content-type", "invalid-utf8", "zipped", "pretty", "byte-order-mark"),
    }
)


@dataclass(frozen=True)
class Case:
    """One fault.

    Attributes:
        name: What it is, in the words of the table.
        faults: The sandbox's scenario.
        manner: The server to behave like.
        clocks: By how many seconds the tap's clock is ahead in the run with the fault and in those that follow.
        timeout: The tap's request_timeout, in seconds: what no answer of a slow machine takes, but where it is the
            fault to be waited for.
        pause: The longest pause between two tries of a request, in seconds.
        stream: The stream that is read.
    """

    name: str
    faults: tuple[Mapping[str, Any], ...]
    manner: str = "v1.3"
    clocks: tuple[float, ...] = (0, 10)
    timeout: float = 60
    pause: float = 0.05
    stream: str = "identities"

    @property
    def at_schemas(self) -> tuple[Mapping[str, Any], ...]:
        """The same faults at the list of identity schemas; none where they are of what only pages have.

        The first request is answered with a redirect to the public address, the second is hit.
        """
        faults = tuple({**fault, "on": "schemas", "at": 2} for fault in self.faults)
        fit = all(fault["do"] in AT_SCHEMAS and "member" not in fault for fault in faults)
        return faults if fit and self.manner == "v1.3" and self.stream == "identities" else ()


def _case(name: str, do: str, **members: Any) -> Case:
    """A fault that hits one request in mid-read, unless told otherwise."""
    own = {member: members.pop(member) for member in ("manner", "timeout", "pause", "stream") if member in members}
    return Case(name, ({"do": do, "at": MID, **members},), **own)


def _status(name: str, status: int, **members: Any) -> Case:
    return _case(name, "status", status=status, **members)


CASES: Final = (
    Case("nothing goes wrong", ()),
    # No connection
    _case("connection refused for ever", "outage"),
    _case("connection refused for a while: the server restarts", "outage", seconds=0.3, pause=AS_USERS),
    _case("connection reset before the headers", "reset"),
    _case("connections reset again and again", "reset", every=3, **FOR_EVER),
    _case("connection reset for ever", "reset", **FOR_EVER),
    # An answer that does not come whole
    *(_case(f"chunked body cut: {place}", "cut", place=place) for place in PLACES),
    *(_case(f"body without a length cut: {place}", "cut", place=place, framing="close") for place in PLACES),
    _case("every page cut in the middle", "cut", **FOR_EVER),
    _case("stalled body", "stall", timeout=3),
    _case("stalled body for ever", "stall", timeout=0.5, **FOR_EVER),
    _case("slow drip: an answer that takes for ever", "drip", size=1, seconds=0.2, timeout=1.5),
    _case("slow drip that ends in time", "drip", size=2000, seconds=0.05),
    _case("truncated gzip", "zipped", keep=0.6),
    _case("truncated gzip for ever", "zipped", keep=0.6, **FOR_EVER),
    # Statuses that may go away
    _status("408", 408),
    _status("425", 425),
    _status("429 with Retry-After", 429, retry_after=1),
    _status("429 without Retry-After", 429),
    _status("429 with Retry-After: soon", 429, retry_after="soon"),
    _status("429 with Retry-After: -5", 429, retry_after="-5"),
    _status("429 with Retry-After: 1e9", 429, retry_after="1e9"),
    _status("429 with Retry-After: 999999999999", 429, retry_after="999999999999"),
    _status("429 for ever", 429, **FOR_EVER),
    _status("500 once", 500),
    _status("500 for ever", 500, **FOR_EVER),
    _status("500 from the first request on", 500, at=1, **FOR_EVER),
    _status("502 with a proxy's page", 502, html=True),
    _status("502 with a proxy's page for ever", 502, html=True, **FOR_EVER),
    _status("503 with Retry-After as a date", 503, retry_at=2),
    _status("503 with a date in the past", 503, retry_at=-3600),
    _status("504", 504),
    _status("400 that may be tried again", 400, message="Unable to serialize access due to a concurrent update"),
    Case("a third of all requests answer 503", ({"do": "status", "status": 503, "share": 0.33, "times": None},)),
    # Statuses that may not
    _status("401 in mid-run", 401),
    _status("403 in mid-run", 403),
    _status("404 in mid-run", 404),
    _status("410 in mid-run", 410),
    _status("400 in mid-run", 400),
    _status("page token expired", 400, message="page token expired, do not persist page tokens"),
    _status("307 to elsewhere", 307, location="http://127.0.0.2:1/admin/identities"),
    _status("307 to itself", 307, location="/admin/identities"),
    _status("200 with a login page", 200, html=True),
    # Bodies that are no page
    _status("200 with {error}", 200),
    _case("null", "body", text="null"),
    _case("an empty body", "body", text=""),
    _case("an object", "body", text="{}"),
    _case("a list of numbers", "body", text="[1, 2]"),
    _case("rows without an id", "body", text='[{"schema_id": "x"}]'),
    _case("half of the text", "body", text='[{"id": "'),
    _case("JSON nested without end", "nested"),
    _case("JSON nested without end in a trait", "nested", member="traits", depth=1_000_000),
    _case("a page larger than the limit", "large", mib=260),
    _case("a decompression bomb of 2 GiB", "bomb", mib=2048),
    # Pages that are not quite right
    _case("wrong content type", "content-type", value="text/html"),
    _case("invalid UTF-8", "invalid-utf8"),
    _case("gzip", "zipped", **FOR_EVER),
    _case("pages printed prettily", "pretty", at=1, **FOR_EVER),
    _case("a byte order mark", "byte-order-mark", at=1, **FOR_EVER),
    _case("a clamped page", "clamp", size=3),
    _case("all pages clamped", "clamp", size=7, at=1, **FOR_EVER),
    # Links
    _case("an empty page that has a next", "empty"),
    _case("an empty page in the place of a full one, with its next", "empty", withheld=True),
    _case("an empty page in the place of a full one, with its next, for ever", "empty", withheld=True, **FOR_EVER),
    _case("a next that repeats", "next-token"),
    _case("a next that leads back to the start", "next-token", token="00000000-0000-0000-0000-000000000000"),
    _case("a page token that is none", "next-token", token="%3Cscript%3E%20%00"),
    _case("a page token of another kind", "next-token", token="eyJvZmZzZXQiOiIyNTAiLCJ2IjoyfQ"),
    _case("a page token of 10,000 characters", "next-token", token="", length=10_000),
    _case("a Link header of 3 MB", "next-token", token="", length=3_000_000),
    _case("a Link header of 3 MB on the first page", "next-token", token="", length=3_000_000, at=1),
    # Rows
    _case("rows created and deleted around the cursor", "move", **FOR_EVER),
    _case("a row that the server cannot read", "unreadable", place=150, at=1),
    _case("the last row cannot be read", "unreadable", place=399, at=1),
    # Clocks
    _case("the server's clock runs backwards", "clock", seconds=-86400, at=2, every=2, **FOR_EVER),
    Case("the tap's clock runs backwards", (), clocks=(-3600, 10)),
    Case(
        "the tap's clock runs backwards over an interruption",
        ({"do": "status", "status": 401, "at": MID},),
        clocks=(0, -3600, 10),
    ),
    # Ory Network
    _status("Ory Network: 429 with Retry-After", 429, retry_after=1, manner="network"),
    _status("Ory Network: 401 in mid-run", 401, manner="network"),
    _case("Ory Network: a row that the server cannot read", "unreadable", place=150, at=1, manner="network"),
    # Offset pagination
    _case("Kratos v1.0: the server restarts", "outage", seconds=0.3, pause=AS_USERS, manner="v1.0"),
    _status("Kratos v1.0: 500 once", 500, manner="v1.0"),
    _status("Kratos v1.0: 500 for ever", 500, manner="v1.0", **FOR_EVER),
    _case("Kratos v1.0: chunked body cut", "cut", manner="v1.0"),
    _case("Kratos v1.0: body without a length cut", "cut", framing="close", manner="v1.0"),
    _case("Kratos v1.0: rows created before the cursor", "move", deleted_read=0, deleted_ahead=0, manner="v1.0"),
    _case("Kratos v1.0: rows deleted before the cursor", "move", created_read=0, created_ahead=0, manner="v1.0"),
    _case("Kratos v1.0: rows come and go on both sides", "move", manner="v1.0"),
    _case("Kratos v1.0: rows deleted with every page", "move", created_read=0, every=2, manner="v1.0", **FOR_EVER),
    _case("Kratos v1.0: a next that repeats", "next-token", manner="v1.0"),
    _case("Kratos v1.0: a row that the server cannot read", "unreadable", place=150, at=1, manner="v1.0"),
    _status("Kratos v1.0: 401 in mid-run", 401, manner="v1.0"),
    # The other stream
    Case("users: nothing goes wrong", (), stream="users"),
    _case("users: the server restarts", "outage", seconds=0.3, pause=AS_USERS, stream="users"),
    _case("users: connections reset again and again", "reset", every=3, stream="users", **FOR_EVER),
    _case("users: chunked body cut", "cut", stream="users"),
    _case("users: every page cut in the middle", "cut", stream="users", **FOR_EVER),
    _status("users: 429 with Retry-After", 429, retry_after=1, stream="users"),
    _status("users: 401 in mid-run", 401, stream="users"),
    _case("users: all pages clamped", "clamp", size=7, at=1, stream="users", **FOR_EVER),
    _case("users: rows created and deleted around the cursor", "move", stream="users", **FOR_EVER),
    _case("users: a row that the server cannot read", "unreadable", place=150, at=1, stream="users"),
    _status("users: Ory Network: 401 in mid-run", 401, manner="network", stream="users"),
    _status("users: Kratos v1.0: 500 once", 500, manner="v1.0", stream="users"),
    _case("users: Kratos v1.0: rows come and go on both sides", "move", manner="v1.0", stream="users"),
)
