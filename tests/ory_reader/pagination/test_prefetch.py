"""Readers ahead of the writer: every row once, in any number of slices; nothing hangs when one of both ends."""

from __future__ import annotations

import bisect
import json
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ory_reader.errors import AnswerError, UnavailableError
from ory_reader.pagination.channel import QUEUE_PAGES
from ory_reader.pagination.id_ranges import KEY_SPACE, token
from ory_reader.pagination.page import Page
from ory_reader.pagination.prefetch import Prefetcher

if TYPE_CHECKING:
    from ory_reader.pagination.id_ranges import Slice
    from ory_reader.pagination.prefetch import PrefetchedPage

SIZE = 5
SECONDS = 10
KEYS = st.lists(st.integers(1, KEY_SPACE - 1), unique=True, max_size=60)


class Keyset:
    """A server whose page token is the last row's id; `asked` has the token of each request."""

    def __init__(self, keys: list[int]) -> None:
        self.ids = sorted(map(token, keys))
        self.asked: list[str | None] = []

    def fetch(self, after: str | None, size: int | None) -> Page:
        self.asked.append(after)
        start = bisect.bisect_right(self.ids, after or "")
        page = self.ids[start : start + (size or SIZE)]
        more = start + len(page) < len(self.ids)
        return Page(json.dumps([{"id": each} for each in page]).encode(), page[-1] if more else None)


def evenly(number: int) -> list[int]:
    return [KEY_SPACE // (number + 1) * each for each in range(1, number + 1)]


def ids_of(page: PrefetchedPage) -> list[str]:
    """The ids that a writer takes of a page."""
    ids = [row["id"] for row in json.loads(page.body)]
    return [each for each in ids if page.upper is None or each <= page.upper]


def read(server: Keyset, concurrency: int, slices: list[Slice] | None = None) -> list[str]:
    return [each for page in Prefetcher(server.fetch, concurrency, SIZE, slices).pages() for each in ids_of(page)]


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("reader-")]


def join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(SECONDS)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("concurrency", [1, 2, 3, 8, 32])
@pytest.mark.parametrize("number", [0, 1, SIZE - 1, SIZE, SIZE + 1, 7 * SIZE, 203])
def test_every_row_comes_once(number: int, concurrency: int) -> None:
    server = Keyset(evenly(number))
    assert sorted(read(server, concurrency)) == server.ids


@given(KEYS, st.integers(1, 9))
@settings(deadline=None, max_examples=60)
def test_rows_that_lie_anywhere_come_once(keys: list[int], concurrency: int) -> None:
    server = Keyset(keys)
    assert sorted(read(server, concurrency)) == server.ids


@given(KEYS, st.integers(1, 5), st.data())
@settings(deadline=None, max_examples=60)
def test_what_remains_of_a_cut_read_is_all_that_was_not_written(
    keys: list[int], readers: int, data: st.DataObject
) -> None:
    server = Keyset(keys)
    first = Prefetcher(server.fetch, readers, SIZE)
    pages, written = first.pages(), list[str]()
    for _ in range(data.draw(st.integers(1, 12))):
        page = next(pages, None)
        if page is None:
            break
        written += ids_of(page)
        first.mark_written(page)
    pages.close()
    remaining = first.remaining()
    if remaining is None:
        # The first page has not said yet that its token is an id: there was but this one, or none.
        assert written in ([], server.ids)
    else:
        assert sorted(written + (read(server, readers, remaining) if remaining else [])) == server.ids


def test_what_was_fetched_ahead_and_not_written_remains() -> None:
    server = Keyset(evenly(60))
    ahead = threading.Event()

    def fetch(after: str | None, size: int | None) -> Page:
        page = server.fetch(after, size)
        if len(server.asked) == 4:
            ahead.set()
        return page

    first = Prefetcher(fetch, 1, SIZE)
    pages = first.pages()
    for _ in range(2):
        page = next(pages)
    assert ahead.wait(SECONDS)
    first.mark_written(page)
    pages.close()
    (rest,) = first.remaining() or []
    assert rest.position == server.ids[2 * SIZE - 1]
    assert read(server, 1, [rest]) == server.ids[2 * SIZE :]


def test_one_reader_reads_in_order_and_asks_for_each_page_once() -> None:
    server = Keyset(evenly(23))
    assert read(server, 1) == server.ids
    assert server.asked == [None, *server.ids[SIZE - 1 : 23 : SIZE]]


def test_pages_of_a_slice_come_in_order() -> None:
    server = Keyset(evenly(300))
    reader = Prefetcher(server.fetch, 4, SIZE)
    reached: dict[int, str] = {}
    for page in reader.pages():
        ids = ids_of(page)
        assert not ids or reached.get(id(page.slice), "") < ids[0]
        reached[id(page.slice)] = ids[-1] if ids else ""
    assert len(reached) >= 4


def test_readers_run_ahead_of_the_writer_by_a_bounded_number_of_pages() -> None:
    server = Keyset(evenly(1000))
    fetched = threading.Semaphore(0)
    fetch = server.fetch

    def counted(after: str | None, size: int | None) -> Page:
        page = fetch(after, size)
        fetched.release()
        return page

    pages = Prefetcher(counted, 3, SIZE).pages()
    next(pages)
    next(pages)
    # What was taken, what waits in the queue, and one page in the hands of each reader.
    most = 2 + QUEUE_PAGES + 3
    for _ in range(most):
        assert fetched.acquire(timeout=SECONDS)
    assert not fetched.acquire(timeout=0.2)
    left = readers()
    pages.close()
    join(left)


@pytest.mark.parametrize("concurrency", [1, 4])
def test_what_a_reader_raises_is_raised_and_ends_all_readers(concurrency: int) -> None:
    server = Keyset(evenly(400))
    fetch = server.fetch

    def failing(after: str | None, size: int | None) -> Page:
        if len(server.asked) == 9:
            message = "gone"
            raise UnavailableError(message)
        return fetch(after, size)

    seen: list[threading.Thread] = []
    with pytest.raises(UnavailableError, match="gone"):
        seen.extend(each for _ in Prefetcher(failing, concurrency, SIZE).pages() for each in readers())
    join(seen)


def test_a_link_back_ends_the_read_instead_of_turning_in_a_circle() -> None:
    server = Keyset(evenly(40))
    fetch = server.fetch

    def circling(after: str | None, size: int | None) -> Page:
        page = fetch(after, size)
        return page if len(server.asked) < 4 else Page(page.body, server.ids[0])

    with pytest.raises(AnswerError):
        list(Prefetcher(circling, 1, SIZE).pages())


class Numbered:
    """A server whose tokens hide the number of a row; one page behind the last is empty and links on."""

    def __init__(self, number: int) -> None:
        self.ids = list(map(token, range(number, 0, -1)))
        self.asked: list[str | None] = []

    def fetch(self, after: str | None, size: int | None) -> Page:
        self.asked.append(after)
        start = int((after or "at0")[2:])
        page = self.ids[start : start + (size or SIZE)]
        return Page(json.dumps([{"id": each} for each in page]).encode(), f"at{start + SIZE}")


@pytest.mark.parametrize("number", [0, 1, SIZE, 4 * SIZE + 1])
def test_an_offset_server_is_read_by_one_reader_up_to_an_empty_page(number: int) -> None:
    server = Numbered(number)
    reader = Prefetcher(server.fetch, 8, SIZE)
    assert [each for page in reader.pages() for each in ids_of(page)] == server.ids
    assert not reader.paginator.can_be_sliced
    assert reader.remaining() is None
    assert len(server.asked) == len(set(server.asked)) == -(-number // SIZE) + 1


def test_a_token_of_an_offset_server_that_comes_again_ends_the_read() -> None:
    server = Numbered(40)
    fetch = server.fetch
    with pytest.raises(AnswerError):
        list(Prefetcher(lambda after, size: Page(fetch(after, size).body, "at5"), 1, SIZE).pages())
