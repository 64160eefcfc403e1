"""One read of all identities of a project, each once. Joins the conversation, the paging and the readers.

Knows nothing of Singer: it yields decoded rows, and says at the end whether the read was whole.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from ory_reader.errors import AnswerError, BadRequestError
from ory_reader.http.client import IDENTITIES_PATH, InternalServerError
from ory_reader.pagination.page_tokens import Page, next_page_token, row_ids
from ory_reader.pagination.prefetch import PrefetchedPage, Prefetcher
from ory_reader.pagination.unreadable_rows import BEHIND_ALL, joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ory_reader.http.client import OryClient, Response
    from ory_reader.pagination.page_tokens import Slice
    from ory_reader.pagination.unreadable_rows import Fetch, IdRange

logger = logging.getLogger("tap-ory")

#: On an offset server rows shift while others come and go; so many passes are made to find what slipped by.
MAX_PASSES = 3
INCLUDE = "include_credential"


def page_fetcher(api: OryClient) -> Fetch:
    """Return the function that fetches the page behind a page token (None: the first page).

    A `size` other than None asks for so many rows and tries no 500 again: the caller closes in on its cause. Nor is a
    500 tried again with a reason that outlasted all tries before: it is another row's.
    """
    lasting: set[str] = set()
    params: dict[str, str | int | list[str]] = {"page_size": api.settings.page_size}
    if api.settings.credential_metadata:
        # All types are listed with any of them. The last one is valid and never stored: no config comes with it.
        params[INCLUDE] = api.settings.told_configs or "link_recovery"

    def fetch(token: str | None, size: int | None) -> Page:
        query = dict(params)
        if token is not None:
            query["page_token"] = token
        if size is not None:
            query["page_size"] = size
        # Behind all rows no row is to blame, so there the server is waited for.
        known = () if token == BEHIND_ALL else lasting
        try:
            answer = api.get(IDENTITIES_PATH, query, retry_500=size is None, lasting=known)
        except InternalServerError as error:
            if size is None and error.reason:
                lasting.add(error.reason)
            raise
        link = answer.headers.get("Link")
        if link is None:
            raise _without_link(answer)
        return Page(answer.body, next_page_token(link), total_count(answer))

    return fetch


def _without_link(answer: Response) -> AnswerError:
    """The error for a page that does not say whether another follows: to take it for the last would lose rows."""
    try:
        row_ids(answer.body)
    except AnswerError as error:
        return error
    return AnswerError(
        "The server gave a page without a Link header, in which Ory says whether another follows, so the read was "
        "ended. Let that header pass through proxies before it, and check that base_url is the Ory Admin API."
    )


def count_identities(api: OryClient) -> int | None:
    """How many identities there are, by one cheap request; None where the server does not tell.

    Raises:
        TapOryError: if the request fails; it is not retried.
    """
    return total_count(api.get(IDENTITIES_PATH, {"page": 0, "per_page": 1}, retry=False))


def tells_credentials(api: OryClient) -> bool:
    """Whether the server's list tells credentials: then who has none there has none.

    Servers that do (Kratos since v1.2) refuse a type that does not exist, all others overlook it.

    Raises:
        TapOryError: if the request fails in another way.
    """
    try:
        api.get(IDENTITIES_PATH, {"page_size": 1, INCLUDE: "none"})
    except BadRequestError as error:
        return INCLUDE in str(error)
    return False


def total_count(answer: Response) -> int | None:
    """The number of all identities where an answer tells it: `X-Total-Count`, in offset mode only."""
    total = answer.headers.get("X-Total-Count", "")
    return int(total) if re.fullmatch(r"\d{1,12}", total, re.ASCII) else None


class IdentityRead:
    """Pages of all identities, with what is to be left out of each.

    `settled` tells, after the last page, whether nothing can have slipped through; `unreadable` which
    stretches of the key space the server could not deliver.
    """

    def __init__(self, api: OryClient, slices: list[Slice] | None = None) -> None:
        """Make no request yet. `slices` goes on with a read that was interrupted."""
        self._api = api
        self._reader = self._new_reader(slices)
        self.settled = False
        #: Ids already delivered, on an offset server; on a keyset server no id can come twice.
        self.seen: set[str] = set()

    @property
    def unreadable(self) -> list[IdRange]:
        """The stretches that hold a row which the server could not deliver."""
        return joined(self._reader.unreadable)

    def mark_written(self, page: PrefetchedPage) -> None:
        """Take note that the page has reached the output."""
        self._reader.mark_written(page)

    def remaining(self) -> list[Slice] | None:
        """What is not written yet; None where a read cannot go on later (offset servers, or nothing read)."""
        return self._reader.remaining()

    def _new_reader(self, slices: list[Slice] | None = None) -> Prefetcher:
        settings = self._api.settings
        fetch, useful = page_fetcher(self._api), self._api.rate_limiter.useful_readers
        return Prefetcher(fetch, settings.concurrency, settings.page_size, slices, useful)

    def pages(self) -> Iterator[PrefetchedPage]:
        """Yield every page; on an offset server again, until no row can have slipped through."""
        known = -1
        for _ in range(MAX_PASSES):
            reader = self._reader
            ledger = _OffsetLedger()
            for page in reader.pages():
                if reader.keyset:
                    yield page
                    continue
                ids = row_ids(page.body)
                ledger.enter(ids, page.total)
                yield page
                self.seen.update(ids)
            if ledger.consistent or len(self.seen) == known:
                self.settled = not reader.unreadable
                return
            known = len(self.seen)
            self._reader = self._new_reader()
            logger.warning("Identities may have changed while read by offset; reading again for what slipped by.")
        logger.warning(
            "Identities kept changing over %d reads by offset; ACTIVATE_VERSION is withheld, as some may be missing.",
            MAX_PASSES,
        )


class _OffsetLedger:
    """Notices, from totals and repeated ids, that rows shifted between the pages of an offset server."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._totals: set[int | None] = set()
        self._rows = 0
        self._pages = 0

    def enter(self, ids: list[str], total: int | None) -> None:
        self._rows += len(ids)
        self._pages += 1
        self._ids.update(ids)
        self._totals.add(total)

    @property
    def consistent(self) -> bool:
        if self._totals <= {None}:
            # Nothing shifts within a page; where a server does not tell totals, nothing shows it between two.
            return self._pages <= 1
        return self._totals == {len(self._ids)} and self._rows == len(self._ids)
