"""Counting of requests and waits, on a clock that only moves when told."""

from ory_reader.http.traffic import Counts, Traffic


def test_readers_that_wait_at_the_same_time_wait_once() -> None:
    now = 0.0
    traffic = Traffic(lambda: now)
    first, second = traffic.waiting(), traffic.waiting()
    first.__enter__()
    now = 1.0
    second.__enter__()
    now = 4.0
    first.__exit__(None, None, None)
    now = 6.0
    second.__exit__(None, None, None)
    now = 9.0
    assert traffic.since_last() == Counts(waited=6.0)


def test_each_asks_for_what_has_come_since_a_wait_that_goes_on_included() -> None:
    now = 0.0
    traffic = Traffic(lambda: now)
    traffic.sent()
    with traffic.waiting():
        now = 2.0
        assert traffic.since_last() == Counts(1, 0, 2.0)
        now = 5.0
    traffic.sent()
    traffic.refused()
    assert traffic.since_last() == Counts(1, 1, 3.0)
    assert traffic.since_last() == Counts()
