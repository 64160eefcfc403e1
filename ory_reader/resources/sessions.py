"""Who is signed in where: the sessions, newest first, each with the id of whose it is.

A row says whose it is only with the identity expanded, of which the id alone is kept. Facts are from running Kratos
v1.0.0 and v1.3.1, and from recorded answers of newer ones:

- Since v1.1 tokens are plain maps whose time is cut to 10 microseconds, so rows made within the same ones would be
  lost: see `PlainMap`. Where more of them come again than a page holds, a larger page is asked for.
- v1.0 lists them in the order of their ids, with ids as tokens.
- An identity that the server cannot read, as its schema is configured no more, makes each page with a session of it a
  500. The list without the identities works all the same, and so does each session by its id but for that identity's.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from ory_reader.config.services import KRATOS
from ory_reader.errors import AccessError, AnswerError, UnavailableError
from ory_reader.http.client import InternalServerError
from ory_reader.pagination.id_ranges import Slice
from ory_reader.pagination.page import row_ids, rows_of
from ory_reader.pagination.paginators import LINKED, PLAIN_MAP
from ory_reader.pagination.prefetch import PrefetchedPage
from ory_reader.pagination.unreadable_rows import MAX_BAD_ROWS
from ory_reader.resources.list_read import ListRead
from ory_reader.resources.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ory_reader.http.client import OryClient
    from ory_reader.pagination.page import Page

logger = logging.getLogger("tap-ory")

SESSIONS = Resource(
    name="sessions",
    service=KRATOS,
    path="/admin/sessions",
    paginators=(PLAIN_MAP, LINKED),
    bucket="kratos-admin-medium",
    key=("id",),
    withheld=frozenset({"/identity", "/tokenized"}),
)
#: The most that a server gives in a page.
MAX_PAGE_SIZE = 1000
#: A page that cannot be read is halved down to so many rows, which are then read each by itself.
FEW = 8
WHOSE = "identity"


class SessionsRead(ListRead):
    """A `ListRead` of sessions that steps over those whose identity cannot be read.

    `goes_on` is asked behind each page of a list that is newest first whether older ones are wanted.
    """

    def __init__(
        self, api: OryClient, goes_on: Callable[[bytes], bool] = lambda _: True, *, devices: bool = True
    ) -> None:
        """Make no request yet. Without `devices` none are asked for, whatever the settings say."""
        super().__init__(api, SESSIONS)
        self._goes_on = goes_on
        self._expanded = [WHOSE, *(["devices"] if devices and api.settings.session_devices else [])]
        self._unreadable: list[str] = []
        #: What the 500s said that all tries met, as one identity's do.
        self._lasting: set[str] = set()

    @property
    def undelivered(self) -> list[str]:
        """The sessions whose identity the server cannot read."""
        return [f"session {each}" for each in self._unreadable]

    def pages(self) -> Iterator[PrefetchedPage]:
        """Yield every page."""
        yield from super().pages()
        self.whole = self.whole and not self._unreadable

    def _one_pass(self) -> Iterator[PrefetchedPage]:
        token, seen, before = self._start, set[str](), b"[]"
        wanted = size = self.api.settings.page_size
        while True:
            page, size = self._next_page(token, size, before)
            following = self.paginator.after(page, token, seen)
            if self.paginator is PLAIN_MAP and not (page.is_empty or self._goes_on(page.body)):
                following = None
            repeats = self._repeats(page.body, token, before)
            yield PrefetchedPage(page.body, Slice(token), None, following, page.total, repeats)
            if following is None:
                return
            # After a page that was smaller than wanted they grow again.
            token, before, size = following, page.body, min(wanted, 2 * size)

    def _next_page(self, token: str | None, size: int, before: bytes) -> tuple[Page, int]:
        """Fetch a page with a row that is new, or the last, past rows that cannot be read; return its size as well."""
        failure: InternalServerError | None = None
        while True:
            try:
                patient = failure is None and size >= self.api.settings.page_size
                page = self._fetch(token, size, self._expanded, patient=patient)
            except InternalServerError as error:
                failure = error
                if error.reason:
                    self._lasting.add(error.reason)
                if size > FEW:
                    size = max(FEW, size // 2)
                    continue
            else:
                if token is None:
                    self.paginator = self._family(page)
                if self._has_new(page, token, before):
                    return page, size
                if failure is None:
                    size = self._larger(size)
                    continue
            return self._page_of_single_rows(token, size, before, failure), FEW

    def _has_new(self, page: Page, token: str | None, before: bytes) -> bool:
        """Whether a page is the last, or holds a row that no earlier one had."""
        if token is None or page.next_token is None or self.paginator is not PLAIN_MAP:
            return True
        repeats = self._repeats(page.body, token, before)
        # Usually it is the one row that the token names; then the ids of the others need no look.
        if repeats == {PLAIN_MAP.row(token)}:
            return PLAIN_MAP.row(page.next_token) not in repeats
        return len(repeats) < len(row_ids(page.body))

    def _repeats(self, body: bytes, token: str | None, before: bytes) -> set[str]:
        """The rows that an earlier page had: all up to the one that the token names."""
        if token is None or self.paginator is not PLAIN_MAP:
            return set()
        last = PLAIN_MAP.row(token)
        if body.startswith(b'[{"id":"%s"' % last.encode()):
            return {last}
        ids = row_ids(body)
        return {*ids[: ids.index(last) + 1]} if last in ids else {*row_ids(before)}.intersection(ids)

    def _larger(self, size: int) -> int:
        if size >= MAX_PAGE_SIZE:
            msg = (
                f"More than {MAX_PAGE_SIZE} sessions were made within 10 microseconds, or the server's link to the "
                "next page leads back to a page already read, so the read was ended."
            )
            raise AnswerError(msg)
        return min(2 * size, MAX_PAGE_SIZE)

    def _page_of_single_rows(self, token: str | None, size: int, before: bytes, error: InternalServerError) -> Page:
        """Fetch a page, and each row of it that is new by itself, without those that cannot be read.

        Raises:
            InternalServerError: `error`, if the list without identities cannot be read either: no row is to blame.
        """
        while True:
            try:
                page = self._fetch(token, size, self._expanded[1:])
            except InternalServerError:
                raise error from None
            if token is None:
                self.paginator = self._family(page)
            if self._has_new(page, token, before):
                break
            size = self._larger(size)
        rows = dict(zip(row_ids(page.body), rows_of(page.body), strict=True))
        repeats = self._repeats(page.body, token, before)
        found = [row if each in repeats else self._single(each) for each, row in rows.items()]
        return replace(page, body=b"[" + b",".join(row for row in found if row) + b"]")

    def _single(self, session_id: str) -> bytes | None:
        """Fetch a session by its id; None if it is gone by now, or cannot be read."""
        try:
            expanded = {"expand": self._expanded}
            return self.api.get(f"{SESSIONS.path}/{session_id}", expanded, lasting=self._lasting).body
        except InternalServerError as error:
            logger.warning("The server cannot read whose session %s is; it was stepped over.", session_id)
            self._unreadable.append(session_id)
            if len(self._unreadable) > MAX_BAD_ROWS:
                msg = f"{error} More than {MAX_BAD_ROWS} sessions cannot be read; the read was ended."
                raise UnavailableError(msg) from error
        except AccessError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
        return None

    def _fetch(self, token: str | None, size: int, expanded: list[str], *, patient: bool = True) -> Page:
        query = {**self.paginator.query(token, size), **({"expand": expanded} if expanded else {})}
        answer = self.api.get(SESSIONS.path, query, retry_500=patient, lasting=self._lasting)
        return self.paginator.page(answer)
