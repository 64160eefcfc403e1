"""Readers: threads that fetch pages ahead of the writer, each on its own slice of the key space.

The one place that knows threads. What a page holds, and where it goes, is the caller's business.

Every id belongs to exactly one slice at any time: slices are half-open ranges of ids, a split happens
under the lock and only above what its reader has fetched, and a page that reaches beyond its slice carries
the bound at which the caller cuts it.
"""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ory_reader.errors import UnavailableError
from ory_reader.http.client import InternalServerError
from ory_reader.pagination import id_ranges, unreadable_rows
from ory_reader.pagination.channel import QUEUE_PAGES, Channel
from ory_reader.pagination.id_ranges import IdRange, Slice
from ory_reader.pagination.page import row_ids
from ory_reader.pagination.paginators import KEYSET, OFFSET, Paginator

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator

    from ory_reader.pagination.page import Page
    from ory_reader.pagination.unreadable_rows import Fetch

#: A stretch with fewer pages than this is not worth a reader of its own.
MIN_PAGES_TO_SPLIT = 2
#: With a rate limit in force, as the border costs a request.
MIN_SCARCE_PAGES_TO_SPLIT = 6
#: Seconds after which a reader that a rate limit keeps idle looks again: latencies and limits change.
LOOK_AGAIN = 1.0


@dataclass(frozen=True)
class PrefetchedPage:
    """A fetched page on its way to the writer.

    Rows with an id beyond `upper` belong to another slice, those with one in `seen` were there before. `reached` is the
    token up to which the slice is complete once this page is written, or None at its end.
    """

    body: bytes
    slice: Slice
    upper: str | None
    reached: str | None
    total: int | None
    seen: Collection[str] = ()


class Prefetcher:
    """Reads all slices and yields their pages, in order within a slice."""

    def __init__(
        self,
        fetch: Fetch,
        concurrency: int,
        page_size: int,
        slices: list[Slice] | None = None,
        useful: Callable[[float], int | None] = lambda _: None,
    ) -> None:
        """`slices` goes on with an interrupted read of a keyset server; None begins a new one.

        `useful` tells how many readers are worth having for so many more pages; None where nothing bounds them. At
        each border of slices about a page is read twice, and where requests are the scarce thing, few readers are
        as fast as many.
        """
        self._fetch = fetch
        self._concurrency = concurrency
        self._page_size = page_size
        self._slices = slices or [Slice()]
        self._waiting: deque[Slice] = deque()
        self._lock = threading.Lock()
        self._finished = threading.Condition(self._lock)
        self._useful = useful
        self._seen: set[str] = set()
        self._channel = Channel[PrefetchedPage](QUEUE_PAGES)
        #: Of a read from the start the first page tells it.
        self.paginator: Paginator = OFFSET if slices is None else KEYSET
        self.unreadable: list[IdRange] = []

    def remaining(self) -> list[Slice] | None:
        """Copies of the slices that are not wholly written, or None where a read cannot go on from them.

        It cannot on an offset server, nor behind a row that could not be read: what goes on would take itself
        for whole.
        """
        with self._lock:
            if not self.paginator.can_be_resumed or self.unreadable:
                return None
            return [Slice(s.written, s.upper, s.written) for s in self._slices if not s.all_written]

    def mark_written(self, page: PrefetchedPage) -> None:
        """Take note that the page has reached the output."""
        with self._lock:
            page.slice.written = page.reached
            page.slice.all_written = page.reached is None

    def pages(self) -> Generator[PrefetchedPage, None, None]:
        """Yield every page once. What a reader raises is raised here, and ends all readers."""
        yield self._first_page()
        if not self._waiting:
            return
        working = self._concurrency if self.paginator.can_be_sliced else 1
        for number in range(working):
            # What a program keeps in its context, as whose read this is, holds for the readers too.
            context = contextvars.copy_context()
            name = f"reader-{number + 1}"
            threading.Thread(target=context.run, args=(self._work,), name=name, daemon=True).start()
        try:
            while working:
                item = self._channel.get()
                if item is None:
                    working -= 1
                elif isinstance(item, BaseException):
                    raise item
                else:
                    yield item
        finally:
            self._channel.close()

    def _first_page(self) -> PrefetchedPage:
        """Fetch a page alone: it tells which family of server this is, how dense the ids are, and its limits."""
        first = self._slices[0]
        page = self._next_page(first)
        left = [each for each in self._slices if not each.done]
        if self.paginator.can_be_sliced and left:
            left = [replace(each, gap=each.gap or first.gap) for each in left]
            # Of an interrupted read that went on with the end of a slice it is not known how much is left.
            pages = sum(map(_pages_left, left)) if first.gap else float(MIN_PAGES_TO_SPLIT * self._concurrency)
            left = id_ranges.spread(left, min(self._concurrency, int(pages // MIN_PAGES_TO_SPLIT), self._worth(pages)))
            if not first.done:
                page = replace(page, slice=left[0])
            # All in one step: a signal may end this thread between any two, and what is left be asked for then.
            self._slices = [first, *left] if first.done else left
        self._waiting = deque(left)
        return page

    def _worth(self, pages: float) -> int:
        """How many slices to read at once, with so many pages left."""
        useful = self._useful(pages)
        return self._concurrency if useful is None else useful

    def _pays(self, slices: int, pages: float, pages_of_slowest: float) -> bool:
        """Whether a split makes the read faster, with so many slices and pages left."""
        useful = self._useful(pages)
        return useful is None or (slices < useful and pages_of_slowest >= MIN_SCARCE_PAGES_TO_SPLIT)

    def _work(self) -> None:
        try:
            while (current := self._take()) is not None:
                while not current.done:
                    if not self._channel.put(self._next_page(current)):
                        return
            self._channel.put(None)
        except BaseException as error:  # noqa: BLE001 - whatever ends a reader must reach the writer
            self._channel.put(error)

    def _next_page(self, current: Slice) -> PrefetchedPage:
        """Fetch the slice's next page, past rows that the server cannot read."""
        while not current.done:
            size = unreadable_rows.probe_size(current)
            try:
                fetched = self._fetch(current.position, size)
                if self.paginator is KEYSET and KEYSET.withholds_rows(fetched):
                    fetched = self._fetch(current.position, size)
            except InternalServerError as error:
                if unreadable_rows.narrow(current, size or self._page_size):
                    self._step_over(current, error)
                continue
            if self.paginator is OFFSET and current.position is None and KEYSET.recognises(fetched):
                self.paginator = KEYSET
            if size is not None:
                rows = len(row_ids(fetched.body))
                unreadable_rows.clear(current, rows)
                if rows and fetched.next_token and self.paginator.can_be_sliced and not current.gap:
                    width = id_ranges.key(fetched.next_token) - id_ranges.key(current.position)
                    current.gap = max(0, width * self._page_size // rows)
            return self._advance(current, fetched)
        return PrefetchedPage(b"[]", current, None, None, None)

    def _step_over(self, current: Slice, error: InternalServerError) -> None:
        if not (self.paginator.can_be_sliced or current.position is None):
            msg = f"{error} One unreadable row stops a server with offset pagination (Kratos v1.0 and older)."
            raise UnavailableError(msg) from error
        bad = unreadable_rows.step_over(self._fetch, current, error, current.gap // self._page_size)
        if bad is None:
            return
        with self._lock:
            self.paginator = KEYSET
            # Beyond `upper` it is another slice's too, which says so; nobody else speaks for what lies before that.
            end = bad if current.upper is None else min(bad, current.upper)
            self.unreadable.append(IdRange(current.position, end))
            current.suspects = 0
            current.position = bad
            current.done = current.upper is not None and bad >= current.upper
        if len(self.unreadable) > unreadable_rows.MAX_BAD_ROWS:
            msg = f"{error} More than {unreadable_rows.MAX_BAD_ROWS} identities cannot be read; the read was ended."
            raise UnavailableError(msg) from error

    def _take(self) -> Slice | None:
        """A slice nobody reads yet, or the upper half of the one with most left, or None."""
        with self._lock:
            while not self._waiting:
                left = [each for each in self._slices if not each.done]
                if not self.paginator.can_be_sliced or not left or self._channel.closed:
                    return None
                slowest = max(left, key=_pages_left)
                if _pages_left(slowest) < MIN_PAGES_TO_SPLIT:
                    return None
                if self._pays(len(left), sum(map(_pages_left, left)), _pages_left(slowest)):
                    taken = slowest.split()
                    self._slices.append(taken)
                    return taken
                self._finished.wait(LOOK_AGAIN)
            return self._waiting.popleft()

    def _advance(self, current: Slice, fetched: Page) -> PrefetchedPage:
        """Move the slice to behind the page, and say what of the page is the slice's."""
        with self._lock:
            following = self.paginator.after(fetched, current.position, self._seen)
            upper = current.upper
            current.done = following is None or (upper is not None and following >= upper)
            if current.done:
                self._finished.notify_all()
            if following is not None:
                if self.paginator.can_be_sliced and not current.suspects:
                    current.gap = id_ranges.key(following) - id_ranges.key(current.position)
                current.position = following
            return PrefetchedPage(fetched.body, current, upper, None if current.done else following, fetched.total)


def _pages_left(current: Slice) -> float:
    """How many pages the rest of the slice may hold, judged by the stretch that its last page covered."""
    return current.stretch() / current.gap if current.gap else 0.0
