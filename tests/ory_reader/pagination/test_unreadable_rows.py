"""Rows that the server cannot read: all others are delivered, each stretch is told, requests are bounded."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from ory_reader.http.client import InternalServerError
from ory_reader.pagination import id_ranges, unreadable_rows
from ory_reader.pagination.id_ranges import Slice, token
from ory_reader.pagination.page import Page, row_ids
from ory_reader.pagination.prefetch import Prefetcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PAGE = 20
WORDS = "answered 500"


class Server:
    """A keyset server in memory; `before` is called with the number of each request, and may change it."""

    def __init__(self, ids: Iterable[int], bad: Iterable[int]) -> None:
        self.ids, self.bad = sorted(map(token, ids)), {*map(token, bad)}
        self.before: Callable[[int], object] = lambda number: None
        self.requests = 0

    def fetch(self, after: str | None, size: int | None) -> Page:
        self.requests += 1
        self.before(self.requests)
        rows = [each for each in self.ids if after is None or each > after]
        page = rows[: size or PAGE]
        if self.bad.intersection(page):
            raise InternalServerError(WORDS)
        following = page[-1] if len(rows) > len(page) else None
        return Page(json.dumps([{"id": each} for each in page]).encode(), following)

    @property
    def good(self) -> list[str]:
        return [each for each in self.ids if each not in self.bad]


def read(server: Server, slices: list[Slice] | None = None, concurrency: int = 1) -> tuple[list[str], Prefetcher]:
    """The ids that the reader delivers, as the writer cuts them."""
    reader = Prefetcher(server.fetch, concurrency, PAGE, slices)
    got: list[str] = []
    for page in reader.pages():
        got += [each for each in row_ids(page.body) if page.upper is None or each <= page.upper]
        reader.mark_written(page)
    return sorted(got), reader


def scattered(seed: int, number: int, bad: int) -> tuple[Server, random.Random]:
    rng = random.Random(seed)
    ids = [rng.getrandbits(128) for _ in range(number)]
    return Server(ids, rng.sample(ids, bad)), rng


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("seed", range(20))
def test_all_others_are_delivered_and_each_bad_row_lies_in_a_stretch(seed: int, concurrency: int) -> None:
    server, _ = scattered(seed, 300, 5)
    got, reader = read(server, concurrency=concurrency)
    assert len(got) == len(set(got))
    stretches = id_ranges.joined(reader.unreadable)
    for missing in {*server.ids} - {*got}:
        assert any((stretch.after or "") < missing <= stretch.last for stretch in stretches)
    assert {stretch.last for stretch in stretches} <= server.bad
    # Seldom, a stretch that is told holds a row between two bad ones.
    assert len(server.good) - len(got) <= 1
    assert reader.remaining() is None


def test_a_bad_row_costs_so_many_requests() -> None:
    costs = []
    for seed in range(20):
        server, _ = scattered(seed, 1000, 1)
        read(server)
        costs.append(server.requests - len(server.ids) // PAGE)
    assert 100 < sum(costs) / len(costs) < 150
    assert max(costs) < 170


@pytest.mark.parametrize("seed", range(20))
def test_a_500_of_another_cause_leads_past_no_row_that_can_be_read(seed: int) -> None:
    server, rng = scattered(seed, 100, 1)
    failing = rng.randrange(20, 140)

    def fail_once(number: int) -> None:
        if number == failing:
            raise InternalServerError(WORDS)

    server.before = fail_once
    try:
        got, reader = read(server)
    except InternalServerError:
        # It was the very request that tells whether any row is to blame.
        return
    assert got == server.good
    assert [stretch.last for stretch in reader.unreadable] == [*server.bad]


def test_a_row_that_can_be_read_by_now_is_delivered() -> None:
    server, _ = scattered(1, 100, 1)
    server.before = lambda number: server.bad.clear() if number == 60 else None
    got, reader = read(server)
    assert server.requests > 60
    assert got == server.ids
    assert reader.unreadable == []


@pytest.mark.parametrize("later", [0, 3, 30, 100])
def test_a_server_that_fails_in_the_middle_of_the_search_is_not_asked_for_ever(later: int) -> None:
    server, _ = scattered(1, 100, 1)
    searches: list[int] = []

    def fetch(after: str | None, size: int | None) -> Page:
        if searches and server.requests > searches[0] + later:
            server.requests += 1
            raise InternalServerError(WORDS)
        if after == token(unreadable_rows.LAST_KEY):
            # The first request of the search: whether there is a row to blame.
            searches.append(server.requests)
        return server.fetch(after, size)

    with pytest.raises(InternalServerError):
        list(Prefetcher(fetch, 1, PAGE).pages())
    assert server.requests < searches[0] + unreadable_rows.MAX_PROBES + 20


def test_a_bad_row_at_the_border_of_two_slices_is_told_by_both() -> None:
    """Two bad rows next to each other, on both sides of a border: whoever steps over both speaks for its own."""
    near, far, border = 1 << 90, 3 << 90, 2 << 90
    server = Server([near, far, 1 << 120], [near, far])

    def mend_the_far_one(number: int) -> None:
        if number > 1 and stepped_over():
            server.bad.discard(token(far))

    reader = Prefetcher(
        server.fetch, 1, PAGE, [Slice(upper=token(border)), Slice(token(border), written=token(border))]
    )

    def stepped_over() -> bool:
        return reader._slices[0].done

    server.before = mend_the_far_one
    got = [row_ids(page.body) for page in reader.pages()]
    assert token(far) in {each for ids in got for each in ids}
    assert [stretch.last for stretch in reader.unreadable] == [token(border)]


def test_a_good_row_between_two_bad_ones_is_seldom_stepped_over_with_them() -> None:
    stepped_over = 0
    for seed in range(200):
        rng = random.Random(seed)
        ids = sorted(rng.getrandbits(128) for _ in range(200))
        server = Server(ids, [ids[100], ids[102]])
        got, reader = read(server)
        for missing in {*server.good} - {*got}:
            stepped_over += 1
            assert any((stretch.after or "") < missing <= stretch.last for stretch in reader.unreadable)
    # Doubled steps from the first on would make it 46.
    assert stepped_over < 30


def test_a_server_that_names_the_row_in_its_500_is_asked_but_twice() -> None:
    server, _ = scattered(3, 1000, 3)
    fetch = server.fetch

    def linking(after: str | None, size: int | None) -> Page:
        """Kratos v1.3 says where the next page begins, whatever becomes of this one."""
        try:
            return fetch(after, size)
        except InternalServerError as error:
            rows = [each for each in server.ids if after is None or each > after]
            if len(rows) > (size or PAGE):
                error.link = f'</admin/identities?page_token={rows[(size or PAGE) - 1]}>; rel="next"'
            raise

    reader = Prefetcher(linking, 1, PAGE)
    got = [each for page in reader.pages() for each in row_ids(page.body)]
    assert got == server.good
    assert {stretch.last for stretch in reader.unreadable} == server.bad
    assert server.requests - len(server.ids) // PAGE < 3 * 12


@pytest.mark.parametrize(
    "link",
    [
        '</admin/identities?page_token=ffffffff-ffff-ffff-ffff-fffffffffffe>; rel="next"',
        '</admin/identities?page_token=00000000-0000-0000-0000-000000000000>; rel="next"',
        '</admin/identities?page_token=eyJ>; rel="next"',
        '</admin/identities>; rel="next"',
    ],
)
def test_a_link_that_lies_leads_past_no_row_that_can_be_read(link: str) -> None:
    server, _ = scattered(4, 100, 1)

    def lying(after: str | None, size: int | None) -> Page:
        try:
            return server.fetch(after, size)
        except InternalServerError as error:
            error.link = link
            raise

    reader = Prefetcher(lying, 1, PAGE)
    got = [each for page in reader.pages() for each in row_ids(page.body)]
    assert got == server.good
    assert {stretch.last for stretch in reader.unreadable} == server.bad


def test_the_first_row_of_all_costs_little_more() -> None:
    for seed in range(10):
        server, _ = scattered(seed, 1000, 0)
        server.bad = {server.ids[0]}
        got, _ = read(server)
        assert got == server.good
        assert server.requests - len(server.ids) // PAGE < 160


@pytest.mark.parametrize("useful", [1, 2, 3])
def test_where_few_readers_are_worth_having_few_requests_are_spent_on_borders(useful: int) -> None:
    requests = []
    for seed in range(20):
        server, _ = scattered(seed, 60 * PAGE, 0)
        # Readers of a server without latency get ahead of each other as threads do, not as requests.
        server.before = lambda _: time.sleep(0.001)
        reader = Prefetcher(server.fetch, 8, PAGE, None, lambda pages: useful)
        got = [row for page in reader.pages() for row in row_ids(page.body) if page.upper is None or row <= page.upper]
        assert sorted(got) == server.ids
        assert server.requests <= 60 + len(reader._slices) - 1
        requests.append(server.requests)
    assert sum(requests) / len(requests) <= 60 + useful


@pytest.mark.parametrize(("pages", "limited", "splits"), [(6, True, True), (5, True, False), (2, False, True)])
def test_under_a_limit_an_idle_reader_takes_over_only_what_is_worth_its_border(
    *, pages: int, limited: bool, splits: bool
) -> None:
    """The border costs a request: one of what half of six pages or more are."""
    gap = 1 << 120
    slowest = Slice(token(0), token(pages * gap), gap=gap)
    reader = Prefetcher(Server([], []).fetch, 2, PAGE, [slowest], lambda pages: 2 if limited else None)
    # An idle reader that finds nothing to do waits; here it gives up.
    with mock.patch.object(reader._finished, "wait", side_effect=lambda _: reader._channel.close()):
        taken = reader._take()
    assert (taken is not None) is splits


def test_an_interrupted_read_asks_first_what_the_limits_are() -> None:
    server, _ = scattered(1, 60 * PAGE, 0)
    asked: list[int] = []

    def useful(pages: float) -> int:
        asked.append(server.requests)
        return 2

    cut = token(1 << 127)
    reader = Prefetcher(server.fetch, 8, PAGE, [Slice(upper=cut), Slice(cut, written=cut)], useful)
    got = [row for page in reader.pages() for row in row_ids(page.body) if page.upper is None or row <= page.upper]
    assert sorted(got) == server.ids
    # One request, and what bounds the others was known.
    assert asked[0] == 1
    assert server.requests <= 60 + 6
