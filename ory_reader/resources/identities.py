"""One read of all identities of a project, each once. Joins the conversation, the paging and the readers.

Knows nothing of Singer: it yields decoded rows, and says at the end whether the read was whole.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from ory_reader.errors import BadRequestError
from ory_reader.http.client import InternalServerError
from ory_reader.pagination.id_ranges import joined
from ory_reader.pagination.links import total_count
from ory_reader.pagination.page import row_ids
from ory_reader.pagination.paginators import KEYSET, OFFSET
from ory_reader.pagination.prefetch import PrefetchedPage, Prefetcher
from ory_reader.pagination.unreadable_rows import BEHIND_ALL
from ory_reader.resources.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ory_reader.http.client import OryClient
    from ory_reader.pagination.id_ranges import IdRange, Slice
    from ory_reader.pagination.page import Page
    from ory_reader.pagination.unreadable_rows import Fetch

logger = logging.getLogger("tap-ory")

#: On an offset server rows shift while others come and go; so many passes are made to find what slipped by.
MAX_PASSES = 3
INCLUDE = "include_credential"
IDENTITIES = Resource(
    service="kratos",
    path="/admin/identities",
    paginators=(KEYSET, OFFSET),
    bucket="kratos-admin-medium",
    key=("id",),
    withheld=frozenset({"/credentials/*/config", "/credentials/passkey/identifiers/*"}),
)


def page_fetcher(api: OryClient) -> Fetch:
    """Return the function that fetches the page behind a page token (None: the first page).

    A `size` other than None asks for so many rows and tries no 500 again: the caller closes in on its cause. Nor is a
    500 tried again with a reason that outlasted all tries before: it is another row's.
    """
    lasting: set[str] = set()
    extra: dict[str, str | list[str]] = {}
    if api.settings.credential_metadata:
        # All types are listed with any of them. The last one is valid and never stored: no config comes with it.
        extra[INCLUDE] = api.settings.told_configs or "link_recovery"

    def fetch(token: str | None, size: int | None) -> Page:
        # The one question of both families.
        query = {**OFFSET.query(token, size or api.settings.page_size), **extra}
        # Behind all rows no row is to blame, so there the server is waited for.
        known = () if token == BEHIND_ALL else lasting
        try:
            answer = api.get(IDENTITIES.path, query, retry_500=size is None, lasting=known)
        except InternalServerError as error:
            if size is None and error.reason:
                lasting.add(error.reason)
            raise
        if "Link" not in answer.headers:
            # What is no page at all is told first.
            row_ids(answer.body)
        return OFFSET.page(answer)

    return fetch


def count_identities(api: OryClient) -> int | None:
    """How many identities there are, by one cheap request; None where the server does not tell.

    Raises:
        TapOryError: if the request fails; it is not retried.
    """
    return total_count(api.get(IDENTITIES.path, OFFSET.numbered(0, 1), retry=False).headers)


def tells_credentials(api: OryClient) -> bool:
    """Whether the server's list tells credentials: then who has none there has none.

    Servers that do (Kratos since v1.2) refuse a type that does not exist, all others overlook it.

    Raises:
        TapOryError: if the request fails in another way.
    """
    try:
        api.get(IDENTITIES.path, {"page_size": 1, INCLUDE: "none"})
    except BadRequestError as error:
        return INCLUDE in str(error)
    return False


class IdentityRead:
    """Pages of all identities, with what is to be left out of each.

    `whole` tells, after the last page, whether nothing can have slipped through; `unreadable` which
    stretches of the key space the server could not deliver.
    """

    def __init__(self, api: OryClient, slices: list[Slice] | None = None) -> None:
        """Make no request yet. `slices` goes on with a read that was interrupted."""
        self._api = api
        self._reader = self._new_reader(slices)
        self.whole = False
        #: Ids already delivered, on an offset server; on a keyset server no id can come twice.
        self._seen: set[str] = set()

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
                if reader.paginator.can_be_sliced:
                    yield page
                    continue
                ids = row_ids(page.body)
                ledger.enter(ids, page.total)
                yield replace(page, seen=self._seen.intersection(ids))
                self._seen.update(ids)
            if ledger.consistent or len(self._seen) == known:
                self.whole = not reader.unreadable
                return
            known = len(self._seen)
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
