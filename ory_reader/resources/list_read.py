"""One read of a list whose pages can only be followed one by one, as all are but that of the identities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ory_reader.errors import AnswerError, BadRequestError
from ory_reader.pagination.channel import read_ahead
from ory_reader.pagination.id_ranges import Slice
from ory_reader.pagination.page import row_ids
from ory_reader.pagination.paginators import OFFSET
from ory_reader.pagination.passes import passes
from ory_reader.pagination.prefetch import PrefetchedPage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ory_reader.http.client import OryClient
    from ory_reader.pagination.page import Page
    from ory_reader.pagination.paginators import Paginator
    from ory_reader.resources.resource import Resource


def first_page(api: OryClient, resource: Resource) -> Page:
    """Return a page of one row, by one cheap request.

    Raises:
        TapOryError: if it fails; it is not retried.
    """
    paginator = resource.paginators[0]
    query = {**paginator.query(None, 1), **dict(resource.query)}
    return paginator.page(api.get(resource.path, query, retry=False))


class ListRead:
    """Pages of all rows of a list.

    The first page tells the family. What is unreadable ends the read; where rows shift it is done again until none can
    have slipped through; where tokens last, a later run can go on. `whole` tells, after the last page, whether that was
    the end of it.
    """

    def __init__(self, api: OryClient, resource: Resource) -> None:
        """Make no request yet."""
        self.api = api
        self.resource = resource
        self.query = dict(resource.query)
        self.whole = False
        self.paginator: Paginator = resource.paginators[0]
        self._start: str | None = None
        self._written: str | None = None

    @property
    def undelivered(self) -> list[str]:
        """What could not be delivered, in words: nothing, as it ends the read."""
        return []

    def resume(self, slices: list[Slice]) -> None:
        """Go on with a read that was interrupted, at the one token that it has kept.

        Raises:
            ValueError: if that is none, or of a family that keeps none.
        """
        ((start, upper),) = [(each.written, each.upper) for each in slices]
        families = [each for each in self.resource.paginators if start and each.is_token(start)]
        if upper is not None or not families:
            raise ValueError
        self.paginator, self._start, self._written = families[0], start, start

    def pages(self) -> Iterator[PrefetchedPage]:
        """Yield every page."""
        self.whole = yield from passes(lambda: read_ahead(self._one_pass()), self._shifting_keys, self.resource.rows)

    def mark_written(self, page: PrefetchedPage) -> None:
        """Take note that the page has reached the output; behind the last one, a later run reads that one again."""
        self._written = page.reached or page.slice.position

    def remaining(self) -> list[Slice] | None:
        """From where to go on; None where that must be the start."""
        if self._written is None or not self.paginator.can_be_resumed:
            return None
        return [Slice(self._written, written=self._written)]

    def count(self) -> int | None:
        """How many rows there are, by one cheap request; None where the server does not tell."""
        if not any(each.can_be_counted for each in self.resource.paginators):
            return None
        return first_page(self.api, self.resource).total

    def _one_pass(self) -> Iterator[PrefetchedPage]:
        token, seen = self._start, set[str]()
        while True:
            page = self._page(token)
            if token is None:
                self.paginator = self._family(page)
            following = self.paginator.after(page, token, seen)
            yield PrefetchedPage(page.body, Slice(token), None, following, page.total)
            if following is None:
                return
            token = following

    def _page(self, token: str | None) -> Page:
        query = {**self.paginator.query(token, self.api.settings.page_size), **self.query}
        try:
            return self.paginator.page(self.api.get(self.resource.path, query))
        except BadRequestError as error:
            if token is None:
                raise
            what = str(error).partition(". ")[0]
            msg = (
                f"{what}: the server takes a page token of its own no longer, as newer ones do after an hour. The read "
                "was ended, and nothing of it is activated. Run it again: it begins anew."
            )
            raise AnswerError(msg) from error

    def _family(self, first: Page) -> Paginator:
        *others, last = self.resource.paginators
        return next((each for each in others if each.recognises(first)), last)

    def _shifting_keys(self, page: PrefetchedPage) -> list[str] | None:
        return row_ids(page.body, self.resource.key[0]) if self.paginator is OFFSET else None
