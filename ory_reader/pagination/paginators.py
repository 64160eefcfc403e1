"""How lists are gone through: one object for each family of pages that Ory's servers answer.

| family | where | token |
|---|---|---|
| `KEYSET` | identities since Kratos v1.1, Ory Network | the id of the page's last row, in the Link header |
| `PLAIN_MAP` | sessions since Kratos v1.1 | base64url of `id=.../created_at=...`, in the Link header |
| `ENCRYPTED` | Hydra since v25.4 | differs with each answer and expires after an hour, in the Link header |
| `InBody` | Keto since v25.4, organizations, API keys | `next_page_token` beside the rows, encrypted as above |
| `InBodyByRow` | Keto up to v0.14 | likewise, and the id of a row, which it does not show |
| `OFFSET` | Kratos up to v1.0, Hydra up to v2.3, schemas | hides the number of a row, in the Link header |
| `Unpaged` | namespaces of Keto | none: one page has all |
| `LINKED` | sessions of Kratos v1.0 | whatever it is, in the Link header |

A paginator keeps nothing: what a read has seen is the reader's. Facts are from the servers' recorded answers.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from codecs import BOM_UTF8
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from ory_reader.errors import AnswerError
from ory_reader.pagination.id_ranges import UUID
from ory_reader.pagination.links import TOKEN, next_page_token, total_count
from ory_reader.pagination.page import Page, row_ids

if TYPE_CHECKING:
    from ory_reader.http.client import Response

Query = dict[str, "str | int"]
#: Beside this, everything in Go's layout of the times in a plain map is as Python writes it.
WHOLE_SECONDS = "%Y-%m-%d %H:%M:%S"
#: What the times in a plain map are cut to, in microseconds, while rows have single ones.
MAP_RESOLUTION = timedelta(microseconds=10)


class Paginator:
    """A family of pages, with what most of them share: `page_size` and `page_token`, the next one in the Link header.

    `can_be_sliced`: any id is a token and rows come in order of their ids, so ranges of ids can be read side by side.
    `can_be_resumed`: tokens last, so a later run can go on. `can_be_counted`: pages tell the number of all rows, from
    the servers that have it.
    """

    can_be_sliced = can_be_resumed = can_be_counted = False

    def recognises(self, page: Page) -> bool:  # noqa: ARG002 - others look
        """Whether `page`, the first one, is of this family, and not of one that is told apart by nothing else."""
        return True

    def is_token(self, token: str) -> bool:
        """Whether a token that a state has kept can be one of this family."""
        return self.can_be_resumed and re.fullmatch(TOKEN, token) is not None

    def query(self, token: str | None, size: int) -> Query:
        """Return the parameters that ask for `size` rows behind `token`; None is the start."""
        return {"page_size": size} if token is None else {"page_size": size, "page_token": token}

    def page(self, response: Response) -> Page:
        """Return the page in an answer.

        Raises:
            AnswerError: if it does not say whether another follows: to take it for the last would lose rows.
        """
        link = response.headers.get("Link")
        if link is None:
            msg = (
                "The server gave a page without a Link header, in which Ory says whether another follows, so the read "
                "was ended. Let that header pass through proxies before it, and check that base_url is the Ory Admin "
                "API."
            )
            raise AnswerError(msg)
        return Page(response.body, next_page_token(link), total_count(response.headers))

    def after(self, page: Page, position: str | None, seen: set[str]) -> str | None:  # noqa: ARG002 - see Keyset
        """Return the token to go on with behind `page`, or None at the end.

        `position` is the token that the page was asked for with, `seen` what this read has met so far.

        Raises:
            AnswerError: if it does not lead on, or past rows: following it would read for ever, or lose them.
        """
        if page.next_token is None:
            return None
        mark = self.mark(page, page.next_token)
        if mark in seen:
            raise _leads_back()
        seen.add(mark)
        return page.next_token

    def mark(self, page: Page, token: str) -> str:  # noqa: ARG002 - see Encrypted
        """What no two pages of a read have in common."""
        return token


class Keyset(Paginator):
    """The token is the id of the page's last row, rows come in ascending order, any id works as a token."""

    can_be_sliced = can_be_resumed = True

    def recognises(self, page: Page) -> bool:
        """Whether `page`, the first one, is of this family: its next token is its last row's id."""
        if page.next_token is None or not UUID.fullmatch(page.next_token):
            return False
        ids = row_ids(page.body)
        return not ids or ids[-1] == page.next_token

    @staticmethod
    def withholds_rows(page: Page) -> bool:
        """Whether a page lacks the row that its next token names, its last: those before it are lost."""
        return page.next_token is not None and page.body.rfind(page.next_token.encode()) < 0

    def after(self, page: Page, position: str | None, seen: set[str]) -> str | None:  # noqa: ARG002 - order says it
        """Return the token behind `page`; it must lie behind `position`."""
        following = page.next_token
        if following is None:
            return None
        if self.withholds_rows(page):
            msg = (
                "The server gave a page without the rows that its link to the next page says it holds, so the read "
                "was ended. Run it again; if that does not help, look at the server and at proxies before it."
            )
            raise AnswerError(msg)
        if not UUID.fullmatch(following) or following <= (position or ""):
            raise _leads_back()
        return following


class PlainMap(Paginator):
    """The token names the last row's id and time, newest first. The time is cut, and rows within the cut are skipped.

    So it is moved on by what was cut: no row is lost, and some come twice, to be told by their ids.
    """

    can_be_resumed = can_be_counted = True

    def is_token(self, token: str) -> bool:
        """Whether a token that a state has kept holds an id and a time."""
        try:
            return bool(_parts(token))
        except AnswerError:
            return False

    def after(self, page: Page, position: str | None, seen: set[str]) -> str | None:
        """Return the token behind `page`, which brings its last rows again.

        Raises:
            AnswerError: if it does not lead on, as where more rows than a page holds share a time, or is no map.
        """
        if (following := super().after(page, position, seen)) is None:
            return None
        parts = _parts(following)
        moved = _time(parts["created_at"]) + MAP_RESOLUTION
        fraction = f".{moved.microsecond:06}".rstrip("0").rstrip(".")
        text = f"id={parts['id']}/created_at={moved.strftime(WHOLE_SECONDS)}{fraction}"
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def recognises(self, page: Page) -> bool:
        """Whether `page`, the first one, is of this family: its next token, if there is one, is a map."""
        return page.next_token is None or self.is_token(page.next_token)

    def mark(self, page: Page, token: str) -> str:  # noqa: ARG002 - the token's parts come in any order
        """The last row's id: the parts of a token come in random order."""
        return self.row(token)

    @staticmethod
    def row(token: str) -> str:
        """The id of the row that a token names: of the page's last."""
        return _parts(token)["id"]


class Encrypted(Paginator):
    """The token says nothing, differs with each answer and expires: what comes again shows in the rows alone."""

    def mark(self, page: Page, token: str) -> str:  # noqa: ARG002 - it differs each time
        """A hash of the rows."""
        return hashlib.sha256(page.body).hexdigest()


@dataclass(frozen=True)
class InBody(Paginator):
    """The token is in the body, as `next_page_token`, empty at the end; the rows are in the member `rows`.

    It differs with each answer. So a page that comes again is told by its rows; but not where that may be the same row,
    stored twice.
    """

    rows: str

    def mark(self, page: Page, token: str) -> str:
        """A hash of the rows; of one row alone the token."""
        rows = msgspec.json.decode(page.body, type=list[msgspec.Raw])
        return ENCRYPTED.mark(page, token) if len({*map(bytes, rows)}) > 1 else token

    def page(self, response: Response) -> Page:
        """Return the page in an answer.

        Raises:
            AnswerError: if it lacks the rows or the token.
        """
        members = _members(response, self.rows, "next_page_token")
        token: str = msgspec.json.decode(members["next_page_token"], type=str)
        return Page(members[self.rows], token or None)


class InBodyByRow(InBody):
    """The token is the id of a row, of which rows show nothing else; tokens last, and ascend."""

    can_be_resumed = True

    def recognises(self, page: Page) -> bool:
        """Whether `page`, the first one, is of this family: its next token, if there is one, is an id."""
        return page.next_token is None or self.is_token(page.next_token)

    def is_token(self, token: str) -> bool:
        """Whether a token that a state has kept is an id."""
        return UUID.fullmatch(token) is not None

    def mark(self, page: Page, token: str) -> str:  # noqa: ARG002 - see InBody
        """The token."""
        return token


@dataclass(frozen=True)
class Unpaged(Paginator):
    """There is one page, and no token; the rows are in the member `rows`."""

    rows: str

    def query(self, token: str | None, size: int) -> Query:  # noqa: ARG002 - it takes none
        """Return no parameters."""
        return {}

    def page(self, response: Response) -> Page:
        """Return the page in an answer.

        Raises:
            AnswerError: if it lacks the rows.
        """
        return Page(_members(response, self.rows)[self.rows], None)


class Offset(Paginator):
    """The token hides the number of a row: pages can only be followed one by one, and rows shift meanwhile."""

    can_be_counted = True

    def recognises(self, page: Page) -> bool:
        """Whether `page`, the first one, is of this family: its next token, if there is one, holds a number."""
        return page.next_token is None or b'"offset"' in _decoded(page.next_token)

    @staticmethod
    def numbered(number: int, size: int) -> Query:
        """Return the parameters that ask for a page by its number, from 0: all servers take it, and count then."""
        return {"page": number, "per_page": size}

    def after(self, page: Page, position: str | None, seen: set[str]) -> str | None:
        """Return the token behind `page`; some servers link to a next page even from an empty one."""
        return None if page.is_empty else super().after(page, position, seen)


KEYSET, PLAIN_MAP, ENCRYPTED, OFFSET, LINKED = Keyset(), PlainMap(), Encrypted(), Offset(), Paginator()


def _members(response: Response, rows: str, *others: str) -> dict[str, bytes]:
    """The member with the rows, a list, and those with a text, of a body that is an object."""
    try:
        members = msgspec.json.decode(response.body.removeprefix(BOM_UTF8), type=dict[str, msgspec.Raw])
        msgspec.json.decode(members[rows], type=list[msgspec.Raw])
        for name in others:
            msgspec.json.decode(members[name], type=str)
        return {name: bytes(members[name]) for name in (rows, *others)}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
        lacks = " or a ".join((rows, *others))
        msg = f"The server answered JSON without {lacks}. Check the address of that API."
        raise AnswerError(msg) from None


def _leads_back() -> AnswerError:
    return AnswerError(
        "The server's link to the next page leads back to a page already read, so the read was ended. "
        "Run it again; if that does not help, look at the server and at proxies before it."
    )


def _decoded(token: str) -> bytes:
    """The bytes in a token as base64url; none if it is not that."""
    try:
        return urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return b""


def _parts(token: str) -> dict[str, str]:
    """The parts of a plain map, which are an id and a time."""
    try:
        text = _decoded(token).decode()
        parts = dict(part.split("=", 1) for part in text.split("/"))
        _time(parts["created_at"])
        if UUID.fullmatch(parts["id"]):
            return parts
    except (ValueError, KeyError):
        pass
    msg = "The server links to a next page by a page token that holds no id and time, so the read was ended."
    raise AnswerError(msg)


def _time(text: str) -> datetime:
    return datetime.strptime(text, f"{WHOLE_SECONDS}.%f" if "." in text else WHOLE_SECONDS)  # noqa: DTZ007 - compared only
