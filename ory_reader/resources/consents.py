"""The consents of Ory Hydra: which person lets which client act for them. One request a person.

Up to v2.3 the list takes its page for its size: its links lead past rows, and end before them (seen on v2.3.0). There
it is read by the numbers of its rows, which it counts rightly.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

import msgspec

from ory_reader.config.services import HYDRA
from ory_reader.pagination.id_ranges import Slice
from ory_reader.pagination.page import Page, row_ids, rows_of
from ory_reader.pagination.paginators import ENCRYPTED, Offset
from ory_reader.pagination.passes import passes
from ory_reader.pagination.prefetch import PrefetchedPage
from ory_reader.resources.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ory_reader.http.client import OryClient, Response
    from ory_reader.resources.sessions import SessionsRead


class ConsentPages(Offset):
    """Pages that lack the Link header where they have no rows: so all releases answer for who has none."""

    def page(self, response: Response) -> Page:
        """Return the page in an answer.

        Raises:
            AnswerError: if it does not say whether another follows.
        """
        if "Link" not in response.headers and not rows_of(response.body):
            return Page(response.body, None)
        return super().page(response)


PAGES = ConsentPages()
CONSENTS = Resource(
    name="consents",
    service=HYDRA,
    path="/admin/oauth2/auth/sessions/consent",
    paginators=(PAGES, ENCRYPTED),
    bucket="hydra-admin-high",
    key=("subject", "client_id", "handled_at"),
    withheld=frozenset({"/session", "/context", "/consent_request"}),
    # Nobody has it: it is there to be asked whether there is such a list.
    query=(("subject", "nobody"),),
)


#: How the tokens of rows' numbers begin.
OFFSET_TOKEN = "page_token=eyJvZmZzZXQi"  # noqa: S105 - no key


class _Identity(msgspec.Struct):
    id: str


class _Session(msgspec.Struct):
    identity: _Identity | None = None


_sessions_decoder = msgspec.json.Decoder(list[_Session])


class ConsentRead:
    """Pages of the consents of some people, or of all that have sessions: one after the other."""

    def __init__(self, api: OryClient, subjects: Iterable[str] | None, sessions: Callable[[], SessionsRead]) -> None:
        """Make no request yet. Without `subjects` they are those that `sessions` names."""
        self.api = api
        self.resource = CONSENTS
        self.whole = False
        self.undelivered: tuple[str, ...] = ()
        self._subjects, self._sessions = subjects, sessions
        #: Whether the server numbers its rows, as up to v2.3.
        self._is_counted = False

    def resume(self, slices: list[Slice]) -> None:  # noqa: ARG002 - none is any of this read's
        """Go on with nothing: who has sessions is asked anew.

        Raises:
            ValueError: always.
        """
        raise ValueError

    def pages(self) -> Iterator[PrefetchedPage]:
        """Yield every page."""
        subjects, whole = (self._subjects, True) if self._subjects is not None else self._signed_in()
        for subject in dict.fromkeys(subjects):
            whole &= yield from passes(lambda: self._one_pass(subject), self._keys, self.resource.rows)  # noqa: B023
        self.whole = whole

    def mark_written(self, page: PrefetchedPage) -> None:
        """Take no note: no later run goes on."""

    def remaining(self) -> None:
        """From nowhere."""
        return

    def count(self) -> int | None:
        """How many there are nobody tells."""
        return None

    def _signed_in(self) -> tuple[list[str], bool]:
        """The people who have sessions, and whether those are all."""
        sessions, found = self._sessions(), dict[str, None]()
        for page in sessions.pages():
            rows = _sessions_decoder.decode(page.body)
            found.update((row.identity.id, None) for row in rows if row.identity)
        self.undelivered = tuple(sessions.undelivered)
        return [*found], sessions.whole

    def _one_pass(self, subject: str) -> Iterator[PrefetchedPage]:
        token, seen, number = None, set[str](), 0
        while True:
            page = self._page(subject, token)
            number += (rows := len(rows_of(page.body)))
            if self._is_counted:
                more = rows and (page.total is None or number < page.total)
                following = _offset(number) if more else None
            else:
                following = ENCRYPTED.after(page, token, seen)
            yield PrefetchedPage(page.body, Slice(token), None, following, page.total)
            if following is None:
                return
            token = following

    def _page(self, subject: str, token: str | None) -> Page:
        query = {**PAGES.query(token, self.api.settings.page_size), "subject": subject}
        answer = self.api.get(self.resource.path, query)
        page = PAGES.page(answer)
        self._is_counted = page.total is not None or OFFSET_TOKEN in answer.headers.get("Link", "")
        return page

    def _keys(self, page: PrefetchedPage) -> list[str] | None:
        """What tells the consents of one person apart, where they shift."""
        return row_ids(page.body, "handled_at") if self._is_counted else None


def _offset(number: int) -> str:
    """The token of Hydra up to v2.3 for the row behind so many."""
    return urlsafe_b64encode(b'{"offset":"%d","v":2}' % number).decode().rstrip("=")
