"""Page tokens, Link headers, slices of the key space. Knows nothing of HTTP sessions, threads or Singer.

Two families of servers are told apart by what they answer:

- keyset (Kratos v1.1 and newer, Ory Network): the token is the id of the page's last row, rows come in
  ascending order of id, and any id works as a token, so the key space can be read in slices;
- offset (Kratos v1.0 and older): the token hides a row number; pages can only be followed one by one.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, replace
from urllib.parse import parse_qs

import msgspec

from ory_reader.errors import AnswerError
from ory_reader.lossless_json import loads_page

KEY_SPACE = 1 << 128
#: A token that is longer is none: keyset tokens have 36 characters, offset tokens about 30.
TOKEN = re.compile(r"[\x21-\x7e]{1,2048}")
#: Link relations are case-insensitive and need no quotes (RFC 8288).
NEXT = re.compile(r';\s*rel\s*=\s*"?next"?\s*(?:[;,]|$)', re.IGNORECASE)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class _Row(msgspec.Struct):
    id: str


_rows_decoder = msgspec.json.Decoder(list[_Row])


@dataclass(frozen=True)
class Page:
    """One page as it came.

    `body` is a JSON array; `next_token` is None on the last page; `total` is the number of all rows, where
    the server tells it (offset servers do).
    """

    body: bytes
    next_token: str | None
    total: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the page has no rows."""
        return len(self.body) < 64 and not row_ids(self.body)  # noqa: PLR2004 - no row is that short


@dataclass
class Slice:
    """A range of the key space, or a whole chain of offset pages, that one reader follows.

    `position` is the token of the next request (None: from the start). `upper` is the last id that belongs
    to the slice (None: to the end). `written` is how far its rows have reached the output, and `all_written`
    that they all have.
    """

    position: str | None = None
    upper: str | None = None
    written: str | None = None
    all_written: bool = False
    done: bool = False
    #: The next row that makes the server answer 500 is among so many; 0 where none is suspected.
    suspects: int = 0
    #: Width of the stretch that the last page covered: what says how many pages are left.
    gap: int = 0

    def stretch(self) -> int:
        """The width of what is still to be read, in ids."""
        return 0 if self.done else key(self.upper, KEY_SPACE - 1) - key(self.position)

    def split(self) -> Slice:
        """Give the upper half of what is still to be read away, as a slice of its own."""
        middle = token(key(self.position) + self.stretch() // 2)
        taken = Slice(position=middle, upper=self.upper, written=middle, gap=self.gap)
        self.upper = middle
        return taken


def key(page_token: str | None, default: int = 0) -> int:
    """Where a keyset token stands in the key space; `default` for no token."""
    return default if page_token is None else uuid.UUID(page_token).int


def token(number: int) -> str:
    """The keyset token at a place of the key space."""
    return str(uuid.UUID(int=number))


def row_ids(body: bytes) -> list[str]:
    """The ids of a page's rows, in order.

    Raises:
        AnswerError: if `body` is no JSON array of objects with a string `id`.
    """
    try:
        return [row.id for row in _rows_decoder.decode(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        # Half a surrogate pair in somebody's name, or a byte order mark: no reason to end the read.
        return [row.id for row in msgspec.convert(loads_page(body), list[_Row])]
    except (ValueError, RecursionError):
        raise not_a_page() from None


def not_a_page() -> AnswerError:
    """The error for a body that is valid HTTP and yet no page of identities."""
    return AnswerError(
        "The server answered JSON that is not a list of identities. Check that base_url is the Ory Admin API."
    )


def next_page_token(link_header: str | None) -> str | None:
    """Return the `page_token` of the link with `rel="next"`, or None if there is none.

    Nothing else of the link is used: it is relative, may miss a proxy's path prefix, and up to Kratos v1.0
    names an internal host.

    Raises:
        AnswerError: if a next page exists but its token cannot be read.
    """
    for url, parameters in re.findall(r"<([^<>]*)>([^<>]*)", link_header or ""):
        if not NEXT.search(parameters):
            continue
        tokens = parse_qs(url.partition("?")[2].partition("#")[0]).get("page_token", [])
        if len(tokens) == 1 and re.fullmatch(TOKEN, tokens[0]):
            return str(tokens[0])
        msg = (
            "The server links to a next page without a page token that can be used. Kratos v0.10 and older "
            "paginate so and are not supported: upgrade the server."
        )
        raise AnswerError(msg)
    return None


def is_keyset(page: Page) -> bool:
    """Whether `page`, the first one, comes from a keyset server: its next token is its last row's id."""
    if page.next_token is None or not UUID.fullmatch(page.next_token):
        return False
    ids = row_ids(page.body)
    return not ids or ids[-1] == page.next_token


def withholds_rows(page: Page) -> bool:
    """Whether a page of a keyset server lacks the row that its next token names, its last: those before it are lost."""
    return page.next_token is not None and page.body.rfind(page.next_token.encode()) < 0


def cut(rest: Slice, count: int) -> list[Slice]:
    """Cut a slice into `count` of equal width, in order; `rest` itself stays as it is."""
    width, start = rest.stretch() // count, key(rest.position)
    bounds = [token(start + width * number) for number in range(1, count)]
    uppers = [*bounds, rest.upper]
    others = [Slice(at, upper, written=at, gap=rest.gap) for at, upper in zip(bounds, uppers[1:], strict=True)]
    return [replace(rest, upper=uppers[0]), *others]


def spread(slices: list[Slice], count: int) -> list[Slice]:
    """Cut the widest of some slices until there are `count`, or more if there were, in order; they stay as they are."""
    parts = [1] * len(slices)
    while 0 < sum(parts) < count:
        widest = max(range(len(slices)), key=lambda each: slices[each].stretch() / parts[each])
        if slices[widest].stretch() <= parts[widest]:
            break
        parts[widest] += 1
    return [piece for rest, number in zip(slices, parts, strict=True) for piece in cut(rest, number)]
