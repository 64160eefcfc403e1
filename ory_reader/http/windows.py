"""The windows of a rate limit: which of our own requests may still count in one, and how many must be others'.

When the server counts a request is not known, only that it does so between its sending and its answer. All times
here are of our own clock, less the way to the server at its quickest: what leaves at `t` is counted at `t` or later,
and what is told below is by when at the latest. Knows nothing of HTTP but the limit header.
"""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

#: Windows a server may name; more are ignored, so that a header cannot cost memory.
MAX_WINDOWS = 8
#: A longer window, in seconds, is not paced by, as no answer is waited for so long: a 429 has to tell.
MAX_WINDOW_SECONDS = 900.0
#: For how long, in seconds, other clients are expected to go on at least.
MEMORY = 10.0
#: Requests that are remembered; a limit beyond that many is none for a tap.
MAX_HISTORY = 10_000
#: Answers whose latencies are remembered.
LATENCIES = 100
#: How much must be seen of the latencies before the quickest is taken for their floor: answers, with the square of how
#: many were under way at once, as any two of those show how much latencies differ at one time.
ENOUGH_SEEN = 30
#: Seconds that a window is taken to be longer: clocks tick in milliseconds, and not all at one rate.
MARGIN = 0.005
#: Seconds after which is looked again whether an answer has come that was not foreseen.
MOMENT = 0.01
#: Of a limit, what is never left to others.
OWN_SHARE = 1 / 4


@dataclass(eq=False)
class Request:
    """One request of ours: seconds of the clock at which it left and was answered; `refused` with a 429."""

    sent: float
    answered: float | None = None
    refused: bool = False


class History:
    """Our own requests in the order of their sending, and what their latencies tell."""

    def __init__(self) -> None:
        """Nothing was sent yet."""
        self.requests: deque[Request] = deque(maxlen=MAX_HISTORY)
        self.in_flight = 0
        self._latencies: deque[float] = deque(maxlen=LATENCIES)
        self._quickest = self._slowest = 0.0
        self._seen = 0

    @property
    def latency(self) -> float:
        """The mean latency of late, in seconds; 0 before the first answer."""
        return sum(self._latencies) / len(self._latencies) if self._latencies else 0.0

    def send(self, now: float) -> Request:
        """Note a request that leaves."""
        request = Request(now)
        self.requests.append(request)
        self.in_flight += 1
        return request

    def end(self, request: Request, now: float, *, answered: bool) -> None:
        """Note that a request is over; one without an answer says nothing of latencies."""
        if answered:
            self._latencies.append(now - request.sent)
            self._quickest, self._slowest = min(self._latencies), max(self._latencies)
            self._seen += self.in_flight**2
        request.answered = now
        self.in_flight -= 1

    def drop(self, seconds: float) -> None:
        """Forget what counts in no window of so many seconds any more, for none that is still under way either."""
        earliest = min((each.sent for each in self.requests if each.answered is None), default=math.inf)
        while self.requests and self.requests[0].answered is not None:
            newest = self.requests[-1]
            if self.requests[0].answered > min(earliest, newest.answered or newest.sent) - seconds:
                break
            self.requests.popleft()

    def counted_by(self, request: Request, now: float) -> float:
        """By when the server has counted a request, at the latest.

        What is above the floor of the latencies may all lie before the counting. Where the floor is not known well,
        the counting comes in the first half: a server counts before it works.
        """
        if request.answered is None:
            if not self._latencies:
                return now
            return max(now, request.sent + self._slowest) - self._quickest
        latest = max(request.sent, request.answered - self._quickest)
        # The first one waits for its connection to be made: what a quicker one shows counts for it, too.
        return max(latest, (request.sent + request.answered) / 2) if self._seen < ENOUGH_SEEN else latest


class Opening(NamedTuple):
    """A window that began anew: with `first` at the latest, `before` it so many, and not before `earliest`."""

    first: Request
    before: int
    earliest: float


@dataclass
class Window:
    """At most `limit` requests in any `seconds`, or in those from `opening` on where the server counts anew."""

    limit: int
    seconds: float
    #: Of the present window, once the server was seen to begin its windows anew.
    opening: Opening | None = None
    #: Moments and how many requests were others' then; a later, greater number puts out those before it.
    others: deque[tuple[float, int]] = field(default_factory=deque)

    def frees(self, history: History, now: float) -> list[tuple[float, bool]]:
        """For each request of ours that may count: when it does not any more, and whether that is a guess, in order."""
        length = self.seconds + MARGIN
        ends = [(history.counted_by(each, now) + length, each.answered is None) for each in history.requests]
        sliding = sorted(end for end in ends if end[0] > now)
        if self.opening is None:
            return sliding
        first, before, _ = self.opening
        end = history.counted_by(first, now) + length
        if now >= end:
            return [each for each in sliding if each[0] >= now + length]
        since = before + sum(history.counted_by(each, now) >= first.sent for each in history.requests)
        # No window that begins anew counts more than one that slides: whichever lets go earlier, from the last on.
        return [min(each, (end, first.answered is None)) for each in sliding[-since:]]

    def delay(self, history: History, now: float) -> float:
        """Seconds until one more request fits in; at most a moment where that hangs on an answer to come."""
        allowed = self.allowed(now)
        if len(history.requests) < allowed:
            return 0.0
        frees = self.frees(history, now)
        if len(frees) < allowed:
            return 0.0
        end, guessed = frees[len(frees) - allowed]
        return min(end - now, MOMENT) if guessed else end - now

    def open(self, request: Request, history: History) -> None:
        """Let `request`, which leaves now, begin a new window if the present one is over."""
        now, length = request.sent, self.seconds + MARGIN
        if not self.opening or now < history.counted_by(self.opening.first, now) + length:
            return
        end = self.opening.earliest + self.seconds
        others = (each for each in history.requests if each is not request)
        # What the new window may hold already began it, if it does; when is not known.
        precise = not any(history.counted_by(each, now) >= end for each in others)
        self.opening = Opening(request, 0, now) if precise else None

    def learn(self, request: Request, used: int, history: History, now: float) -> None:
        """Take in that the server counted `used` requests when it counted `request`, which was just answered."""
        if used < self._surely_ours(request, history, now):
            earlier = [each.sent for each in history.requests if each.sent <= request.sent and each is not request]
            earliest = request.sent if used <= 1 else earlier[-used]
            self.opening = Opening(request, max(used - 1, 0), earliest)
        begin = request.sent - self.seconds
        possibly_ours = sum(each.answered is None or each.answered > begin for each in history.requests)
        likely = self._likely_others(request, used, history, now)
        if used > possibly_ours or (likely > 0 and self.taken_by_others(now)):
            self._note_others(max(1, likely), now)

    def _surely_ours(self, request: Request, history: History, now: float) -> int:
        """How many the server must count before `request`; a server that leaves that one itself out is no other."""
        since, before = history.counted_by(request, now) - self.seconds, 0
        if self.opening and self.opening.first.sent >= since:
            since, before = self.opening.first.sent, self.opening.before
        return before + sum(
            each.answered is not None and each.answered <= request.sent and each.sent > since and not each.refused
            for each in history.requests
            if each is not request
        )

    def refuse(self, request: Request, used: int, history: History, now: float) -> None:
        """Take in that `request` was one too many for this window: others are there."""
        self._note_others(max(1, self._likely_others(request, used, history, now)), now)

    def _likely_others(self, request: Request, used: int, history: History, now: float) -> int:
        latest = history.counted_by(request, now)
        begin = request.sent - self.seconds
        if self.opening and not self.opening.before:
            begin = self.opening.first.sent
        return used - sum(
            each.sent <= latest and history.counted_by(each, now) >= begin and not each.refused
            for each in history.requests
        )

    def _note_others(self, count: int, now: float) -> None:
        while self.others and self.others[-1][1] <= count:
            self.others.pop()
        self.others.append((now, count))

    def taken_by_others(self, now: float) -> int:
        """The most that others took at one time of late; 0 if there are none."""
        while self.others and now >= self.others[0][0] + max(self.seconds, MEMORY):
            self.others.popleft()
        return self.others[0][1] if self.others else 0

    def allowed(self, now: float) -> int:
        """How many requests may be ours: all, or what other clients lately left, less one for safety."""
        others = self.taken_by_others(now)
        return max(1, int(self.limit * OWN_SHARE), self.limit - others - 1) if others else self.limit


def parse_windows(header: str | None) -> tuple[int | None, list[Window]]:
    """Read `x-ratelimit-limit`: the quota in force (or None), and the windows it names."""
    quota: int | None = None
    windows = []
    for part in (header or "")[:1000].split(",")[: MAX_WINDOWS + 1]:
        found = re.fullmatch(r"\s*(\d{1,9})(?:\s*;\s*w=(\d{1,9}))?\s*", part, re.ASCII)
        if not found:
            continue
        limit, seconds = int(found[1]), found[2]
        if seconds is None:
            quota = limit
        elif limit > 0 and 0 < int(seconds) <= MAX_WINDOW_SECONDS:
            windows.append(Window(limit, float(seconds)))
    return quota, windows
