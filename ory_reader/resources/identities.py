"""One read of all identities of a project, each once. Joins the conversation, the paging and the readers.

Knows nothing of Singer: it yields decoded rows, and says at the end whether the read was whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ory_reader.config.services import KRATOS
from ory_reader.errors import AnswerError, BadRequestError
from ory_reader.http.client import InternalServerError
from ory_reader.pagination.id_ranges import UUID, joined
from ory_reader.pagination.links import total_count
from ory_reader.pagination.page import organizations_in, row_ids
from ory_reader.pagination.paginators import KEYSET, OFFSET
from ory_reader.pagination.passes import passes
from ory_reader.pagination.prefetch import Prefetcher
from ory_reader.pagination.unreadable_rows import BEHIND_ALL
from ory_reader.resources.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ory_reader.http.client import OryClient
    from ory_reader.pagination.id_ranges import IdRange, Slice
    from ory_reader.pagination.page import Page
    from ory_reader.pagination.prefetch import PrefetchedPage
    from ory_reader.pagination.unreadable_rows import Fetch

INCLUDE = "include_credential"
#: Parameters of the list that are settings by the same names.
FILTERS = ("organization_id", "consistency")
IDENTITIES = Resource(
    name="identities",
    service=KRATOS,
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
    wanted = api.settings.organization_id
    extra: dict[str, str | list[str]] = {**_filter(api)}
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
        if wanted and any(each != wanted for each in organizations_in(answer.body)):
            msg = (
                "The server gave identities outside the organization that organization_id names, as servers do that "
                "do not know the filter (Ory Kratos before v25.4), so the read was ended. Take organization_id out, or "
                "read from a newer server."
            )
            raise AnswerError(msg)
        return OFFSET.page(answer)

    return fetch


def _filter(api: OryClient) -> dict[str, str]:
    """What narrows the list or says how it is read; a server that does not know it gives all as it does always."""
    return {name: value for name in FILTERS if (value := getattr(api.settings, name))}


def count_identities(api: OryClient) -> int | None:
    """How many identities there are, by one cheap request; None where the server does not tell.

    Raises:
        TapOryError: if the request fails; it is not retried.
    """
    query = {**OFFSET.numbered(0, 1), **_filter(api)}
    return total_count(api.get(IDENTITIES.path, query, retry=False).headers)


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

    resource = IDENTITIES

    def __init__(self, api: OryClient, slices: list[Slice] | None = None) -> None:
        """Make no request yet. `slices` goes on with a read that was interrupted."""
        self.api = api
        self._reader = self._new_reader(slices)
        self.whole = False

    def resume(self, slices: list[Slice]) -> None:
        """Go on with a read that was interrupted.

        Raises:
            ValueError: if what is left of it are no ranges of ids.
        """
        if not all(token is None or UUID.fullmatch(token) for each in slices for token in (each.written, each.upper)):
            raise ValueError
        self._reader = self._new_reader(slices)

    @property
    def unreadable(self) -> list[IdRange]:
        """The stretches that hold a row which the server could not deliver."""
        return joined(self._reader.unreadable)

    @property
    def undelivered(self) -> list[str]:
        """The same, in words."""
        return [f"identities after {each.after or 'the first id'} up to {each.last}" for each in self.unreadable]

    def mark_written(self, page: PrefetchedPage) -> None:
        """Take note that the page has reached the output."""
        self._reader.mark_written(page)

    def remaining(self) -> list[Slice] | None:
        """What is not written yet; None where a read cannot go on later (offset servers, or nothing read)."""
        return self._reader.remaining()

    def count(self) -> int | None:
        """How many identities there are; None where the server does not tell."""
        return count_identities(self.api)

    def pages(self) -> Iterator[PrefetchedPage]:
        """Yield every page; on an offset server again, until no row can have slipped through."""
        consistent = yield from passes(self._one_pass, self._shifting_ids, IDENTITIES.rows)
        self.whole = consistent and not self._reader.unreadable

    def _one_pass(self) -> Iterator[PrefetchedPage]:
        yield from self._reader.pages()
        if not self._reader.paginator.can_be_sliced:
            # Should there be another.
            self._reader = self._new_reader()

    def _shifting_ids(self, page: PrefetchedPage) -> list[str] | None:
        return None if self._reader.paginator.can_be_sliced else row_ids(page.body)

    def _new_reader(self, slices: list[Slice] | None = None) -> Prefetcher:
        settings = self.api.settings
        fetch, useful = page_fetcher(self.api), self.api.rate_limiter.useful_readers
        return Prefetcher(fetch, settings.concurrency, settings.page_size, slices, useful)
