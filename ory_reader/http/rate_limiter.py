"""Rate-limit headers in, "when may the next request leave" out. One rate_limiter serves all readers.

Ory Network answers `x-ratelimit-limit: 10, 10;w=1, 300;w=60` (the quota in force, then every window with
its length in seconds), `x-ratelimit-remaining` and `x-ratelimit-reset` (seconds), for buckets that all
clients of a project share. Knows nothing of what is requested.
"""

from __future__ import annotations

import logging
import math
import re
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from ory_reader.http.traffic import Traffic
from ory_reader.http.windows import History, Request, Window, parse_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

logger = logging.getLogger("tap-ory")

TOO_MANY_REQUESTS = 429
#: A server that asks for a longer pause than this, in seconds, is not waited for: some proxies give a time of day.
MAX_SERVER_WAIT = 900.0
#: A longer wait, in seconds, is told: a run that is silent looks stuck.
TOLD_WAIT = 10.0


def server_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait: `Retry-After` (a number or a date), else `x-ratelimit-reset`.

    None where it asks for nothing that can be read. A date in the past is 0.
    """
    asked = (headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"\d+", asked, re.ASCII):
        # More digits than a number of seconds can have are still far too long.
        return float(asked[:300])
    if asked:
        try:
            date = parsedate_to_datetime(asked)
            now = datetime.now(timezone.utc)
            return max(0.0, (date.replace(tzinfo=date.tzinfo or timezone.utc) - now).total_seconds())
        except (ValueError, TypeError, OverflowError):
            # No date, or one that no calendar has.
            pass
    return _number(headers.get("x-ratelimit-reset"))


#: A window is taken to be so much longer where several processes share it: none hears how the others' requests fare.
SHARE_MARGIN = 1.05


@dataclass(frozen=True)
class Share:
    """What a process may take of each window: one of `of` equal parts; what is left over goes to the first ones.

    `spent` requests were made by whoever sent all shares out, at `spent_at` (of `time.time()`), and are handed out
    likewise; `limits` were named then.
    """

    number: int
    of: int
    spent: int = 0
    limits: tuple[tuple[int, float], ...] = ()
    spent_at: float = math.inf

    def of_limit(self, limit: int) -> int:
        """How many requests of a window's that is; at least one."""
        return max(1, self._part(limit))

    def window(self, limit: int, seconds: float) -> Window:
        """What is kept to of a window that the server names."""
        return Window(self.of_limit(limit), seconds * (SHARE_MARGIN if self.of > 1 else 1))

    @property
    def counted(self) -> int:
        """How many of the spent requests count in this share."""
        return self._part(self.spent)

    def _part(self, number: int) -> int:
        return number // self.of + (self.number < number % self.of)


ALL = Share(0, 1)


class RateLimiter:
    """Says when the next request may leave, as fast as the buckets allow and not faster."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        reader: Callable[[], Hashable] = threading.get_ident,
        traffic: Traffic | None = None,
        share: Share = ALL,
    ) -> None:
        """`clock` and `sleep` are in seconds. `reader` tells who calls: an answer is that to the caller's request.

        What is asked and waited for is counted in `traffic`, which may be another's too. Those who have the other
        shares are no other clients: each keeps to its own.
        """
        self._clock = clock
        self._sleep = sleep or self._nap
        self._reader = reader
        self.traffic = traffic or Traffic(clock)
        self._lock = threading.Lock()
        self._answered = threading.Condition(self._lock)
        self._history = History()
        self._turns: defaultdict[Hashable, deque[Request]] = defaultdict(deque)
        self._blocked_until = 0.0
        self._blocked_by = ""
        self._told_until = 0.0
        self.limit_header: str | None = None
        self._share = share
        self._windows: list[Window] = [share.window(*each) for each in share.limits]
        # A clock elsewhere may be ahead; then it was just now.
        at = clock() - max(0.0, time.time() - share.spent_at)
        for _ in range(share.counted):
            self._history.end(self._history.send(at), at, answered=False)

    @property
    def limits(self) -> tuple[tuple[int, float], ...]:
        """The windows that the server named: how many requests in how many seconds."""
        with self._lock:
            return tuple((window.limit, window.seconds) for window in self._windows)

    @property
    def sent(self) -> int:
        """How many requests have left of late."""
        with self._lock:
            return len(self._history.requests)

    def wait_turn(self) -> None:
        """Block until a request may leave. `learn` or `forget` must follow."""
        while True:
            with self._lock:
                now = self._clock()
                delay, reason = self._delay(now)
                if delay <= 0:
                    request = self._history.send(now)
                    self._turns[self._reader()].append(request)
                    for window in self._windows:
                        window.open(request, self._history)
                    self.traffic.sent()
                    return
                self._tell(now, delay, reason)
            with self.traffic.waiting():
                self._sleep(delay)

    def forget(self) -> None:
        """The request that had its turn ended without an answer; it is counted as if it had one."""
        with self._lock:
            self._end(self._clock(), answered=False)

    def learn(self, status: int, headers: Mapping[str, str]) -> None:
        """Take in an answer's status and headers."""
        with self._lock:
            now = self._clock()
            quota = self._read_windows(headers)
            request = self._end(now, answered=True)
            request.refused = status == TOO_MANY_REQUESTS
            if not request.refused and quota is None:
                # Most servers have no limits.
                return
            remaining, reset = _number(headers.get("x-ratelimit-remaining")), server_wait(headers)
            if request.refused:
                self.traffic.refused()
                self._block(now, min(reset or 0.0, MAX_SERVER_WAIT), "the server refused a request and asked for it")
            if remaining is None or quota is None:
                return
            for window in self._windows if self._share.of == 1 else ():
                if window.limit == quota:
                    self._learn_of(window, request, int(remaining), reset, now)
                    return

    def useful_readers(self, pages: float) -> int | None:
        """How many readers at once are worth having for so many more requests; None where no limit bounds them."""
        with self._lock:
            now = self._clock()
            # What is used up by now has to leave each window first.
            least = max(
                (
                    (len(window.frees(self._history, now)) + max(pages, 1) - 1) // window.allowed(now) * window.seconds
                    for window in self._windows
                ),
                default=0.0,
            )
            return math.ceil(pages * self._history.latency / least) or 1 if least else None

    def _learn_of(self, window: Window, request: Request, remaining: int, reset: float | None, now: float) -> None:
        """Compare what is left of the window in force with what we used of it ourselves."""
        if request.refused:
            for each in self._windows:
                # Whatever was thought to begin anew did not.
                each.opening = None
            window.refuse(request, window.limit - remaining, self._history, now)
            return
        window.learn(request, window.limit - remaining, self._history, now)
        if remaining <= self._history.in_flight and window.taken_by_others(now):
            # Until the server says so, or one of ours leaves the window: whatever it says, it is as good as new then.
            ours, _ = min(window.frees(self._history, now), default=(now, False))
            reason = f"other clients use {window.limit};w={window.seconds:g} too"
            self._block(now, min(reset or 0.0, ours - now), reason)

    def _read_windows(self, headers: Mapping[str, str]) -> int | None:
        header = headers.get("x-ratelimit-limit")
        if header is None:
            return None
        quota, windows = parse_windows(header)
        windows = [self._share.window(window.limit, window.seconds) for window in windows]
        if windows and [(w.limit, w.seconds) for w in windows] != [(w.limit, w.seconds) for w in self._windows]:
            self._windows = windows
        if windows or quota is not None:
            self.limit_header = re.sub(r"[^\d\s,;=w]", "", header, flags=re.ASCII)[:100]
        return quota

    def _end(self, now: float, *, answered: bool) -> Request:
        request = self._turns[self._reader()].popleft()
        self._history.end(request, now, answered=answered)
        self._history.drop(max((window.seconds for window in self._windows), default=0.0))
        self._answered.notify()
        return request

    def _nap(self, seconds: float) -> None:
        """Sleep, but not beyond the next answer: it may tell that there is room by now."""
        with self._answered:
            self._answered.wait(seconds)

    def _block(self, now: float, seconds: float, reason: str) -> None:
        if now + seconds > self._blocked_until:
            self._blocked_until, self._blocked_by = now + seconds, reason

    def _delay(self, now: float) -> tuple[float, str]:
        """Seconds until a request may leave, and why."""
        delay, reason = self._blocked_until - now, self._blocked_by
        for window in self._windows:
            wait = window.delay(self._history, now)
            if wait > delay:
                delay, reason = wait, f"the rate limit {window.limit};w={window.seconds:g} is used up"
        return delay, reason

    def _tell(self, now: float, delay: float, reason: str) -> None:
        """Announce a long wait once, however many readers wait."""
        if delay > TOLD_WAIT and now >= self._told_until:
            self._told_until = now + delay
            logger.info("The next request waits for %.0f s: %s.", delay, reason)


def _number(text: str | None) -> float | None:
    found = re.fullmatch(r"\s*(\d{1,12}(?:\.\d{1,9})?)\s*", text or "", re.ASCII)
    return float(found[1]) if found else None
