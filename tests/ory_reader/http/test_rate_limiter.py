"""Pacing: as fast as the server's windows allow, never faster, on a clock that only moves when told."""

import logging
import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simulated import Cell, minimum
from ory_reader.http.rate_limiter import MAX_SERVER_WAIT, RateLimiter, Share, server_wait
from ory_reader.http.windows import parse_windows
from ory_sandbox.ratelimit import Bucket as FixedWindows
from ory_sandbox.ratelimit import parse_windows as parse_limits


class Clock:
    """A clock that sleeping moves on."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        # A sleep is never shorter than asked for.
        self.now += seconds + 1e-6

    def rate_limiter(self) -> RateLimiter:
        return RateLimiter(self, self.sleep)


class Bucket:
    """A project's rate limit as Ory's documentation describes it: sliding windows, shared by all clients."""

    def __init__(self, clock: Clock, *windows: tuple[int, float]) -> None:
        self.clock = clock
        self.windows = windows
        self.taken: deque[float] = deque()

    def left(self, limit: int, seconds: float) -> int:
        return limit - sum(1 for moment in self.taken if moment > self.clock.now - seconds)

    def request(self) -> tuple[int, dict[str, str]]:
        left = [self.left(*window) for window in self.windows]
        status = 200 if min(left) > 0 else 429
        if status == 200:
            self.taken.append(self.clock.now)
            left = [each - 1 for each in left]
        tightest = left.index(min(left))
        limit, seconds = self.windows[tightest]
        named = ", ".join(f"{each[0]};w={each[1]:g}" for each in self.windows)
        return status, {
            "x-ratelimit-limit": f"{limit}, {named}",
            "x-ratelimit-remaining": str(min(left)),
            "x-ratelimit-reset": f"{seconds:g}",
        }


def run(clock: Clock, bucket: Bucket, rate_limiter: RateLimiter, requests: int, latency: float) -> list[int]:
    """Make requests one by one; the server counts each in the middle of its latency."""
    statuses = []
    for _ in range(requests):
        rate_limiter.wait_turn()
        clock.now += latency / 2
        status, headers = bucket.request()
        clock.now += latency / 2
        rate_limiter.learn(status, headers)
        statuses.append(status)
    return statuses


def test_without_limits_nothing_waits() -> None:
    clock = Clock()
    rate_limiter = clock.rate_limiter()
    for _ in range(1000):
        rate_limiter.wait_turn()
        rate_limiter.learn(200, {})
    assert clock.slept == []
    assert rate_limiter.limit_header is None


@pytest.mark.parametrize("latency", [0.0, 0.01, 0.15, 2.0])
@pytest.mark.parametrize("windows", [[(5, 1)], [(5, 1), (25, 60)], [(1, 1)], [(17, 1), (400, 60)]])
def test_one_reader_never_exceeds_and_uses_what_there_is(windows: list[tuple[int, float]], latency: float) -> None:
    clock = Clock()
    started = clock.now
    requests = 120
    assert set(run(clock, Bucket(clock, *windows), clock.rate_limiter(), requests, latency)) == {200}
    plan = ",".join(f"{limit};w={seconds}" for limit, seconds in windows)
    least = minimum(Cell("sliding", plan, 1, latency, requests=requests))
    assert least <= clock.now - started <= 1.05 * least + 0.05


@settings(max_examples=60, deadline=None)
@given(
    windows=st.lists(st.tuples(st.integers(1, 20), st.sampled_from([1.0, 10.0, 60.0])), min_size=1, max_size=3),
    latencies=st.lists(st.floats(0, 3), min_size=30, max_size=30),
)
def test_no_window_is_ever_exceeded(windows: list[tuple[int, float]], latencies: list[float]) -> None:
    clock = Clock()
    bucket, rate_limiter = Bucket(clock, *windows), clock.rate_limiter()
    for latency in latencies:
        assert run(clock, bucket, rate_limiter, 1, latency) == [200]


def test_requests_in_flight_count() -> None:
    clock = Clock()
    rate_limiter = clock.rate_limiter()
    rate_limiter.wait_turn()
    rate_limiter.learn(200, {"x-ratelimit-limit": "3, 3;w=1", "x-ratelimit-remaining": "2", "x-ratelimit-reset": "1"})
    rate_limiter.wait_turn()
    rate_limiter.wait_turn()
    assert clock.slept == []
    turn = threading.Thread(target=rate_limiter.wait_turn, daemon=True)
    turn.start()
    turn.join(10)
    assert not turn.is_alive()
    # One answered and two in flight fill the window of three: the fourth waits until the first has left it.
    assert 1.0 <= sum(clock.slept) < 1.1


def test_a_request_without_an_answer_counts_too() -> None:
    clock = Clock()
    rate_limiter = clock.rate_limiter()
    rate_limiter.wait_turn()
    rate_limiter.learn(200, {"x-ratelimit-limit": "2, 2;w=10"})
    rate_limiter.wait_turn()
    rate_limiter.forget()
    rate_limiter.wait_turn()
    assert sum(clock.slept) == pytest.approx(10, abs=0.01)


def test_other_clients_are_left_their_share() -> None:
    clock = Clock()
    rate_limiter = clock.rate_limiter()
    # Ten in a minute, of which others took seven: two remain, one of them is left alone for safety.
    rate_limiter.wait_turn()
    rate_limiter.learn(
        200, {"x-ratelimit-limit": "10, 10;w=60", "x-ratelimit-remaining": "2", "x-ratelimit-reset": "60"}
    )
    rate_limiter.wait_turn()
    assert clock.slept == []
    rate_limiter.learn(
        200, {"x-ratelimit-limit": "10, 10;w=60", "x-ratelimit-remaining": "1", "x-ratelimit-reset": "60"}
    )
    rate_limiter.wait_turn()
    assert sum(clock.slept) == pytest.approx(60, abs=0.1)


def test_several_readers_do_not_take_each_other_for_other_clients() -> None:
    """Of a bucket with fixed windows: four requests under way all the time, answered in their order."""
    clock = Clock()
    bucket = FixedWindows(parse_limits("10;w=1"), clock)
    under_way: deque[tuple[float, dict[str, str]]] = deque()

    def answer_until(moment: float) -> None:
        while under_way and under_way[0][0] <= moment:
            clock.now, headers = under_way.popleft()
            rate_limiter.learn(200, headers)

    def sleep(seconds: float) -> None:
        woken = clock.now + seconds + 1e-6
        answer_until(woken)
        clock.now = woken

    rate_limiter = RateLimiter(clock, sleep)
    began = clock.now
    for _ in range(60):
        if len(under_way) == 4:
            answer_until(under_way[0][0])
        rate_limiter.wait_turn()
        granted, headers = bucket.take()
        assert granted
        under_way.append((clock.now + 0.004, dict(headers)))
        clock.now += 0.0005
    # Five windows have to pass before the sixth ten.
    assert clock.now - began == pytest.approx(5, abs=0.2)


def test_when_others_took_all_the_reset_is_waited_for() -> None:
    clock = Clock()
    rate_limiter = clock.rate_limiter()
    rate_limiter.wait_turn()
    rate_limiter.learn(
        200, {"x-ratelimit-limit": "10, 10;w=60", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "12"}
    )
    rate_limiter.wait_turn()
    # Until the reset at least; until our own request has left the window at most.
    assert 12 <= sum(clock.slept) <= 60.1


@pytest.mark.parametrize("headers", [{"Retry-After": "7"}, {"x-ratelimit-reset": "7"}])
def test_a_429_holds_back_all_readers(headers: dict[str, str]) -> None:
    clock = Clock()
    rate_limiter = clock.rate_limiter()
    rate_limiter.wait_turn()
    rate_limiter.learn(429, headers)
    rate_limiter.wait_turn()
    assert sum(clock.slept) == pytest.approx(7, abs=0.01)


def test_a_429_without_advice_leaves_the_pause_to_the_retries() -> None:
    clock = Clock()
    rate_limiter = clock.rate_limiter()
    rate_limiter.wait_turn()
    rate_limiter.learn(429, {})
    rate_limiter.wait_turn()
    assert clock.slept == []


@pytest.mark.parametrize(
    ("status", "longest"),
    [(200, 60), (429, MAX_SERVER_WAIT)],
)
def test_a_reset_that_is_a_time_of_day_blocks_nobody_for_years(status: int, longest: float) -> None:
    clock = Clock()
    rate_limiter = clock.rate_limiter()
    rate_limiter.wait_turn()
    epoch = {"x-ratelimit-limit": "5, 5;w=60", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795487503"}
    rate_limiter.learn(status, epoch)
    rate_limiter.wait_turn()
    assert sum(clock.slept) == pytest.approx(longest, abs=0.01)


def test_a_new_limit_takes_over_what_was_used_under_the_old() -> None:
    clock = Clock()
    rate_limiter = clock.rate_limiter()
    for _ in range(3):
        rate_limiter.wait_turn()
        rate_limiter.learn(200, {"x-ratelimit-limit": "100, 100;w=60"})
    rate_limiter.wait_turn()
    rate_limiter.learn(200, {"x-ratelimit-limit": "4, 4;w=60"})
    rate_limiter.wait_turn()
    assert sum(clock.slept) == pytest.approx(60, abs=0.01)


@pytest.mark.parametrize(
    ("header", "quota", "windows"),
    [
        (None, None, []),
        ("", None, []),
        ("10, 10;w=1, 300;w=60", 10, [(10, 1.0), (300, 60.0)]),
        ("300,10;w=1,300 ; w=60", 300, [(10, 1.0), (300, 60.0)]),
        ("60", 60, []),
        ("0, 0;w=1, 5;w=0", 0, []),
        ("ten;w=1, -1;w=1, 1.5;w=2, 7;w=3;x=1, 9;w=4", None, [(9, 4.0)]),
        ("\u0661\u0660, 10;w=\u0661", None, []),
        (",".join(["5;w=1"] * 10_000), None, [(5, 1.0)] * 9),
        ("9" * 100_000, None, []),
    ],
)
def test_windows(header: str | None, quota: int | None, windows: list[tuple[int, float]]) -> None:
    found, read = parse_windows(header)
    assert (found, [(window.limit, window.seconds) for window in read]) == (quota, windows)


def from_now(seconds: float) -> str:
    return format_datetime(datetime.now(timezone.utc) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": " 0 "}, 0),
        ({"Retry-After": "3", "x-ratelimit-reset": "50"}, 3),
        ({"x-ratelimit-reset": "50"}, 50),
        ({"x-ratelimit-reset": "0.25"}, 0.25),
        ({"Retry-After": "soon", "x-ratelimit-reset": "50"}, 50),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"x-ratelimit-reset": "-1"}, None),
        ({"x-ratelimit-reset": "1e3"}, None),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}, 0),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:37 -0000"}, 0),
    ],
)
def test_what_the_server_asks_for(headers: Mapping[str, str], seconds: float | None) -> None:
    wait = server_wait(headers)
    assert wait == seconds


@pytest.mark.parametrize(("offset", "seconds"), [(90, 90), (-90, 0)])
def test_a_date_is_waited_for(offset: float, seconds: float) -> None:
    wait = server_wait({"Retry-After": from_now(offset)})
    assert wait == pytest.approx(seconds, abs=5)


DATES = r"(Mon, )?[0-3]?\d (Jan|Feb|Foo) \d{1,6} \d{1,3}:\d{1,3}:\d{1,3} ([+-]\d{1,9}|GMT|XYZ)?"


@settings(max_examples=300)
@given(st.text(max_size=40) | st.from_regex(DATES, fullmatch=True), st.text(max_size=40))
def test_no_header_can_break_the_reading(advice: str, limit: str) -> None:
    wait = server_wait({"Retry-After": advice, "x-ratelimit-reset": limit})
    assert wait is None or wait >= 0
    clock = Clock()
    rate_limiter = clock.rate_limiter()
    rate_limiter.wait_turn()
    rate_limiter.learn(429, {"Retry-After": advice, "x-ratelimit-limit": limit, "x-ratelimit-remaining": limit})
    rate_limiter.wait_turn()
    assert sum(clock.slept) <= MAX_SERVER_WAIT + 1


def test_memory_is_bounded_whatever_the_limit() -> None:
    clock = Clock()
    rate_limiter = clock.rate_limiter()
    for _ in range(10_050):
        rate_limiter.wait_turn()
        rate_limiter.learn(200, {"x-ratelimit-limit": "999999999, 999999999;w=900"})
    assert clock.slept == []
    assert len(rate_limiter._history.requests) == 10_000


def test_without_limits_nothing_is_remembered() -> None:
    clock = Clock()
    rate_limiter = clock.rate_limiter()
    for _ in range(10):
        rate_limiter.wait_turn()
        clock.now += 1
        rate_limiter.learn(200, {})
    assert len(rate_limiter._history.requests) <= 1


def test_a_window_is_taken_for_a_little_longer() -> None:
    clock = Clock()
    assert run(clock, Bucket(clock, (1, 1)), clock.rate_limiter(), 2, 0) == [200, 200]
    assert sum(clock.slept) == pytest.approx(1.005, abs=1e-4)


@pytest.mark.parametrize("limit", ["1;w=999999999", "1, 1;w=999999999", "5, 5;w=901"])
def test_no_window_makes_us_sleep_for_years(limit: str) -> None:
    clock = Clock()
    rate_limiter = clock.rate_limiter()
    for _ in range(3):
        rate_limiter.wait_turn()
        rate_limiter.learn(
            200, {"x-ratelimit-limit": limit, "x-ratelimit-remaining": "0", "x-ratelimit-reset": "9999999"}
        )
    assert clock.slept == []


def test_a_window_of_a_quarter_of_an_hour_is_kept() -> None:
    clock = Clock()
    rate_limiter = clock.rate_limiter()
    for _ in range(2):
        rate_limiter.wait_turn()
        rate_limiter.learn(200, {"x-ratelimit-limit": "1, 1;w=900"})
    assert sum(clock.slept) == pytest.approx(900, abs=0.1)


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Mon, 01 Jan 0000 00:00:00 GMT",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 2030 99999999999999999999:00:00 GMT",
        "Mon, 01 Jan 2030 00:00:00 +99999999999999999999",
        "9" * 13,
        "9" * 5000,
        "\u0667",
        "",
    ],
)
def test_no_advice_breaks_the_run(date: str) -> None:
    wait = server_wait({"Retry-After": date})
    assert wait is None or wait >= 0
    if date.startswith("9"):
        assert wait is not None
        assert wait > MAX_SERVER_WAIT


@pytest.mark.parametrize(("seconds", "told"), [(10, 0), (11, 1)])
def test_a_long_wait_is_told_once(caplog: pytest.LogCaptureFixture, seconds: int, told: int) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    rate_limiter = clock.rate_limiter()
    rate_limiter.wait_turn()
    rate_limiter.learn(429, {"Retry-After": str(seconds)})
    readers = [threading.Thread(target=rate_limiter.wait_turn, daemon=True) for _ in range(3)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(10)
    messages = [record.getMessage() for record in caplog.records]
    assert (
        messages
        == [
            f"The next request waits for {seconds} s: the server refused a request and asked for it.",
        ][:told]
    )


def test_a_wait_for_a_window_says_which(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    run(clock, Bucket(clock, (5, 1), (6, 60)), clock.rate_limiter(), 7, 0)
    assert caplog.messages == ["The next request waits for 59 s: the rate limit 6;w=60 is used up."]


@pytest.mark.parametrize(
    ("latency", "pages", "readers"),
    [(0.0, 59, 1), (0.15, 59, 2), (0.5, 59, 6), (0.5, 9, None), (2.0, 299, 21), (2.0, 900, 10)],
)
def test_so_many_readers_are_worth_having(latency: float, pages: int, readers: int | None) -> None:
    clock = Clock()
    rate_limiter = clock.rate_limiter()
    assert rate_limiter.useful_readers(pages) is None
    rate_limiter.wait_turn()
    clock.now += latency
    rate_limiter.learn(200, {"x-ratelimit-limit": "10, 10;w=1, 300;w=60", "x-ratelimit-remaining": "9"})
    assert rate_limiter.useful_readers(pages) == readers


@pytest.mark.parametrize("asked", ["900", "901", "99999"])
def test_a_quarter_of_an_hour_is_the_longest_wait(asked: str) -> None:
    clock = Clock()
    rate_limiter = clock.rate_limiter()
    rate_limiter.wait_turn()
    rate_limiter.learn(429, {"Retry-After": asked})
    rate_limiter.wait_turn()
    assert sum(clock.slept) == pytest.approx(900, abs=0.01)


@pytest.mark.parametrize("of", [1, 2, 3, 4, 7, 10])
def test_shares_together_never_ask_for_more_than_a_window_grants(of: int) -> None:
    windows = [(10, 1.0), (75, 30.0)]
    headers = {"x-ratelimit-limit": "10, 10;w=1, 75;w=30", "x-ratelimit-remaining": "1", "x-ratelimit-reset": "1"}
    times = []
    for number in range(of):
        # A process each, that began at the same time; what the others take is not counted as another client's.
        clock = Clock()
        rate_limiter = RateLimiter(clock, clock.sleep, share=Share(number, of, 2, tuple(windows)))
        for _ in range(210 // of):
            rate_limiter.wait_turn()
            times.append(clock.now)
            rate_limiter.learn(200, headers if of > 1 else {**headers, "x-ratelimit-remaining": "9"})
    times += [1000.0] * 2
    for limit, seconds in windows:
        assert sum(Share(number, of).of_limit(limit) for number in range(of)) == limit
        for begin in times:
            assert sum(begin <= moment < begin + seconds for moment in times) <= limit
    if of > 1:
        # What is left over is handed out: all that is granted is used.
        assert max(times) - min(times) <= 1.06 * (30.0 * (210 // 75) + 8.0 + of)
