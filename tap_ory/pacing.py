"""Rate-limit headers in, "when may the next request leave" out. One governor serves all readers.

Ory Network answers `x-ratelimit-limit: 10, 10;w=1, 300;w=60` (the quota in force, then every window with
its length in seconds), `x-ratelimit-remaining` and `x-ratelimit-reset` (seconds), for buckets that all
clients of a project share. Knows nothing of what is requested.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TOO_MANY_REQUESTS = 429
#: A server that asks for a longer pause than this, in seconds, is not waited for: some proxies give a time of day.
MAX_SERVER_WAIT = 900.0
#: Windows a server may name; more are ignored, so that a header cannot cost memory.
MAX_WINDOWS = 8
#: For how long, in seconds, other clients are expected to go on at least.
MEMORY = 10.0


@dataclass
class Window:
    """At most `limit` requests in any `seconds`, of which other clients lately took `foreign`."""

    limit: int
    seconds: float
    foreign: int = 0
    foreign_until: float = 0.0
    #: Nothing that was answered before is counted any more.
    opened: float = float("-inf")
    finished: deque[float] = field(default_factory=deque)

    def spent(self, now: float) -> int:
        """Our own requests that still count in this window."""
        while self.finished and self.finished[0] <= now - self.seconds:
            self.finished.popleft()
        return len(self.finished)

    def taken_by_others(self, used: int, in_flight: int, now: float) -> int:
        """How many of the `used` requests that the server counts are certainly not ours.

        Where it counts no more than were just sent, it counts anew, as servers do that have fixed windows, and
        ours of the window before do not count any more.
        """
        if used <= in_flight + 1 and now >= self.opened + 0.9 * self.seconds:
            # Not at each of several answers from the beginning of one window: those before would count as others'.
            self.opened = now
        return used - in_flight - sum(answered >= self.opened for answered in self.finished)

    def allowed(self, now: float) -> int:
        """How many requests may be ours: all, or what other clients lately left, less one for safety."""
        if now >= self.foreign_until:
            return self.limit
        return max(1, self.limit - self.foreign - 1)


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
        elif limit > 0 and int(seconds) > 0:
            windows.append(Window(limit, float(seconds)))
    return quota, windows


def server_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait: `Retry-After` (a number or a date), else `x-ratelimit-reset`.

    None where it asks for nothing that can be read. A date in the past is 0.
    """
    asked = (headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"\d{1,12}", asked, re.ASCII):
        return float(asked)
    if asked:
        try:
            date = parsedate_to_datetime(asked)
        except ValueError:
            pass
        else:
            now = datetime.now(timezone.utc)
            return max(0.0, (date.replace(tzinfo=date.tzinfo or timezone.utc) - now).total_seconds())
    return _number(headers.get("x-ratelimit-reset"))


class Governor:
    """Says when the next request may leave, as fast as the buckets allow and not faster.

    A request counts in a window until the window's length has passed since its answer came: the server
    counted it at some moment before that, so no window of the server's can hold more than its limit.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        """`clock` and `sleep` are in seconds."""
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._windows: list[Window] = []
        self._in_flight = 0
        self._blocked_until = 0.0
        self.limit_header: str | None = None

    def wait_turn(self) -> None:
        """Block until a request may leave. `learn` or `forget` must follow."""
        while True:
            with self._lock:
                delay = self._delay(self._clock())
                if delay <= 0:
                    self._in_flight += 1
                    return
            self._sleep(delay)

    def forget(self) -> None:
        """The request that had its turn ended without an answer; it is counted as if it had one."""
        with self._lock:
            self._finish(self._clock())

    def learn(self, status: int, headers: Mapping[str, str]) -> None:
        """Take in an answer's status and headers."""
        with self._lock:
            now = self._clock()
            quota = self._read_windows(headers)
            self._finish(now)
            remaining, reset = _number(headers.get("x-ratelimit-remaining")), server_wait(headers)
            if status == TOO_MANY_REQUESTS:
                self._block(now, reset, MAX_SERVER_WAIT)
            elif remaining is not None and quota is not None:
                self._notice_others(quota, int(remaining), reset, now)

    def _read_windows(self, headers: Mapping[str, str]) -> int | None:
        header = headers.get("x-ratelimit-limit")
        quota, windows = parse_windows(header)
        if (
            header
            and windows
            and [(w.limit, w.seconds) for w in windows] != [(w.limit, w.seconds) for w in self._windows]
        ):
            history = max((w.finished for w in self._windows), key=len, default=deque())
            for window in windows:
                window.finished = deque(history)
            self._windows = windows
        if header and (windows or quota is not None):
            self.limit_header = re.sub(r"[^\d\s,;=w]", "", header, flags=re.ASCII)[:100]
        return quota

    def _finish(self, now: float) -> None:
        self._in_flight -= 1
        for window in self._windows:
            window.finished.append(now)

    def _notice_others(self, quota: int, remaining: int, reset: float | None, now: float) -> None:
        """Compare what is left of the quota in force with what we used of it ourselves."""
        for window in self._windows:
            if window.limit != quota:
                continue
            window.spent(now)
            foreign = window.taken_by_others(quota - remaining, self._in_flight, now)
            if foreign > 0:
                window.foreign = foreign if now >= window.foreign_until else max(foreign, window.foreign)
                window.foreign_until = now + max(window.seconds, MEMORY)
            if remaining <= self._in_flight and now < window.foreign_until:
                # Whatever the header says, a window is as good as new after its own length.
                left = window.opened + window.seconds - now
                self._block(now, reset, left if left > 0 else window.seconds)
            return

    def _block(self, now: float, seconds: float | None, longest: float) -> None:
        self._blocked_until = max(self._blocked_until, now + min(seconds or 0.0, longest))

    def _delay(self, now: float) -> float:
        delay = self._blocked_until - now
        for window in self._windows:
            spent, allowed = window.spent(now), window.allowed(now)
            if spent + self._in_flight < allowed:
                continue
            # Wait for the answer that frees a place; if all places are still in flight, look again soon.
            freed = spent + self._in_flight - allowed
            delay = max(delay, window.finished[freed] + window.seconds - now if freed < spent else 0.01)
        return delay


def _number(text: str | None) -> float | None:
    found = re.fullmatch(r"\s*(\d{1,12}(?:\.\d{1,9})?)\s*", text or "", re.ASCII)
    return float(found[1]) if found else None
