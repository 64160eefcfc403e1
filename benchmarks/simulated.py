"""Pacing on a clock of its own: many readers, latencies and kinds of buckets in no time, against a bucket's minimum.

`python -m benchmarks.simulated` prints the table. The rate_limiter is the tap's; buckets, latencies and readers are
simulated, one event after the other, without threads.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import math
import random
import statistics
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ory_reader.http.rate_limiter import RateLimiter
from ory_sandbox.ratelimit import Bucket as FixedBucket
from ory_sandbox.ratelimit import parse_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Per second and per minute, as Ory Network's plans have them (Develop, Production, a documented example, Enterprise).
PLANS = ("5;w=1,25;w=60", "5;w=1,90;w=60", "10;w=1,300;w=60", "17;w=1,400;w=60")
READERS = (1, 2, 4, 8, 16)
LATENCIES = (0.0, 0.01, 0.05, 0.15, 0.5, 1.0, 2.0)
#: Of a latency, how much has passed when the bucket counts.
COUNTED_AT = (0.0, 0.5, 1.0)
REQUESTS = 100
#: What a retry adds to the pause that the server asks for, in seconds.
RETRY_JITTER = 0.1
#: A client that comes and goes is there for so many seconds, and away for as many.
COMES_AND_GOES = 20.0


class Bucket(Protocol):
    """What counts requests, at the time of the clock it was made with."""

    def take(self) -> tuple[bool, list[tuple[str, str]]]:
        """Whether one more was still in, and the headers that say so."""
        ...


class SlidingBucket:
    """No more than each limit in any stretch of its window's length; `reset` tells when the oldest leaves."""

    def __init__(self, plan: str, clock: Callable[[], float]) -> None:
        """`plan` is written as the sandbox's rate limits are."""
        self._windows = [(window.limit, window.seconds) for window in parse_windows(plan)]
        self._clock = clock
        self._taken: list[float] = []

    def take(self) -> tuple[bool, list[tuple[str, str]]]:
        """Take one out, if it is in."""
        now = self._clock()
        left = [limit - len(self._within(seconds)) for limit, seconds in self._windows]
        granted = min(left) > 0
        if granted:
            self._taken.append(now)
            left = [each - 1 for each in left]
        tightest = min(range(len(left)), key=lambda each: (left[each], -self._windows[each][1]))
        limit, seconds = self._windows[tightest]
        within = self._within(seconds)
        return granted, [
            ("x-ratelimit-limit", f"{limit}, " + ", ".join(f"{most};w={length}" for most, length in self._windows)),
            ("x-ratelimit-remaining", str(left[tightest])),
            ("x-ratelimit-reset", str(max(1, math.ceil(within[0] + seconds - now)))),
        ]

    def _within(self, seconds: float) -> list[float]:
        now = self._clock()
        return [moment for moment in self._taken if moment > now - seconds]


KINDS: dict[str, Callable[[str, Callable[[], float]], Bucket]] = {
    "fixed": lambda plan, clock: FixedBucket(parse_windows(plan), clock),
    "sliding": SlidingBucket,
}


@dataclass
class Cell:
    """One case: a bucket, how many readers, their latency in seconds, and who else is there.

    `second` is "", "steady" (a fifth of what the narrowest window grants) or "comes and goes". `jitter` is by how
    much a latency may exceed `latency`, in seconds.
    """

    kind: str
    plan: str
    readers: int
    latency: float
    counted_at: float = 0.5
    second: str = ""
    jitter: float = 0.0
    requests: int = REQUESTS


@dataclass
class Outcome:
    """Seconds until the last answer, how many requests of ours were refused, and how many the second client had."""

    seconds: float
    refused: int = 0
    others: int = 0
    others_refused: int = 0


def minimum(cell: Cell) -> float:
    """The seconds that a client needs who knows the bucket's every thought, with the first request alone.

    Computed from the windows alone, without the buckets above: request after request leaves as soon as a reader is
    free and the bucket will have room when it comes in.
    """
    before, after = cell.latency * cell.counted_at, cell.latency * (1 - cell.counted_at)
    windows = [(window.limit, float(window.seconds)) for window in parse_windows(cell.plan)]
    counted: list[float] = []
    begun = [(-math.inf, 0)] * len(windows)
    free = [0.0]
    for number in range(cell.requests):
        moment = max(heapq.heappop(free) + before, counted[-1] if counted else 0.0)
        for index, (limit, seconds) in enumerate(windows):
            if cell.kind == "sliding" and number >= limit:
                moment = max(moment, counted[number - limit] + seconds)
            if cell.kind == "fixed" and number - begun[index][1] >= limit:
                moment = max(moment, begun[index][0] + seconds)
        for index, (_, seconds) in enumerate(windows):
            if moment >= begun[index][0] + seconds:
                begun[index] = (moment, number)
        counted.append(moment)
        heapq.heappush(free, moment + after)
        if number == 0:
            free = [moment + after] * cell.readers
    return counted[-1] + after


@dataclass
class Simulation:
    """A run of one cell."""

    cell: Cell
    now: float = 1000.0
    outcome: Outcome = field(default_factory=lambda: Outcome(0.0))
    reader: int = 0

    def __post_init__(self) -> None:
        """Set up the bucket, the rate_limiter and who is there."""
        self._random = random.Random(1)
        self._numbers = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._bucket = KINDS[self.cell.kind](self.cell.plan, lambda: self.now)
        self._rate_limiter = RateLimiter(lambda: self.now, self._sleep, lambda: self.reader)
        self._free: deque[int] = deque([0])
        self._left = self.cell.requests
        self._started = self.now
        self._contacted = False
        self._done = 0
        if self.cell.second:
            self._at(self.now + 0.05, self._second)

    def run(self) -> Outcome:
        """Read until the last answer has come."""
        while self._done < self.cell.requests:
            if self._left and self._free:
                self.reader = self._free.popleft()
                self._rate_limiter.wait_turn()
                self._left -= 1
                self._send(self.reader)
            else:
                self._next_event()
        self.outcome.seconds = self.now - self._started
        return self.outcome

    def _send(self, reader: int) -> None:
        latency = self.cell.latency + self._random.uniform(0, self.cell.jitter)
        answer_at = self.now + latency

        def count() -> None:
            granted, headers = self._bucket.take()
            self._at(answer_at, lambda: self._answer(reader, dict(headers), granted=granted))

        self._at(self.now + latency * self.cell.counted_at, count)

    def _answer(self, reader: int, headers: dict[str, str], *, granted: bool) -> None:
        waiting, self.reader = self.reader, reader
        self._rate_limiter.learn(200 if granted else 429, headers)
        self.reader = waiting
        if granted:
            self._done += 1
            if self._contacted:
                self._free.append(reader)
            else:
                self._contacted = True
                self._free.extend(range(self.cell.readers))
            return
        self.outcome.refused += 1
        self._left += 1
        self._at(self.now + float(headers["x-ratelimit-reset"]) + RETRY_JITTER, lambda: self._free.append(reader))

    def _second(self) -> None:
        window = min(parse_windows(self.cell.plan), key=lambda window: window.seconds)
        pause = 5 * window.seconds / window.limit
        away = self.cell.second != "steady" and (self.now - self._started) // COMES_AND_GOES % 2
        if not away:
            granted, headers = self._bucket.take()
            self.outcome.others += granted
            self.outcome.others_refused += not granted
            if not granted:
                pause = float(dict(headers)["x-ratelimit-reset"])
        self._at(self.now + pause, self._second)

    def _at(self, moment: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._numbers), event))

    def _next_event(self) -> None:
        moment, _, event = heapq.heappop(self._events)
        self.now = max(self.now, moment)
        event()

    def _sleep(self, seconds: float) -> None:
        woken = self.now + seconds + 1e-6
        if self._events and self._events[0][0] <= woken:
            # An answer wakes whoever waits.
            self._next_event()
        else:
            self.now = woken


def cells(kind: str, plan: str, second: str = "") -> Iterator[Cell]:
    """Every case of one kind of bucket: with a second client, counted half-way only."""
    for latency, readers, counted_at in itertools.product(LATENCIES, READERS, (0.5,) if second else COUNTED_AT):
        yield Cell(kind, plan, readers, latency, counted_at, second)


def lines() -> Iterator[str]:
    """The table in Markdown: for each bucket what the worst of all cells came to, alone and with another client."""
    yield "| bucket | second client | cells | time against the minimum: median | worst | 429s of our requests |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for second, kind, plan in itertools.product(("", "steady", "comes and goes"), KINDS, PLANS):
        todo = list(cells(kind, plan, second))
        outcomes = [Simulation(cell).run() for cell in todo]
        ratios = [
            outcome.seconds / least
            for cell, outcome in zip(todo, outcomes, strict=True)
            if (least := minimum(cell)) > 0
        ]
        refused, sent = sum(each.refused for each in outcomes), sum(each.requests for each in todo)
        yield (
            f"| {kind} {plan} | {second or 'none'} | {len(todo)} | {statistics.median(ratios):.3f} | {max(ratios):.3f} "
            f"| {refused} of {sent + refused} ({refused / (sent + refused):.2%}) |"
        )


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(prog="python -m benchmarks.simulated", description=__doc__, allow_abbrev=False).parse_args()
    for line in lines():
        print(line, flush=True)


if __name__ == "__main__":
    main()
