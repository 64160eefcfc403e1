"""A rate limit of several windows, and the headers that Ory Network tells it with.

Knows nothing of HTTP but those headers.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Window:
    """So many requests in so many seconds."""

    limit: int
    seconds: int
    used: int = 0
    ends: float = 0.0

    def roll(self, now: float) -> None:
        """Begin anew if the window has ended."""
        if now >= self.ends:
            self.used = 0
            self.ends = now + self.seconds

    @property
    def remaining(self) -> int:
        """How many more requests fit in."""
        return self.limit - self.used


def parse_windows(text: str) -> list[Window]:
    """Read ``5;w=1,300;w=60``: five requests a second and 300 a minute.

    Raises:
        ValueError: It is nothing of the kind.
    """
    windows = []
    for part in text.split(","):
        limit, separator, seconds = part.strip().partition(";w=")
        window = Window(int(limit), int(seconds)) if separator else None
        if window is None or window.limit < 1 or window.seconds < 1:
            message = f"not a rate limit such as 5;w=1,300;w=60: {text!r}"
            raise ValueError(message)
        windows.append(window)
    return windows


@dataclass
class Bucket:
    """What all requests to a project's identities, sessions and schemas take from.

    Each window begins with the first request after the last one ended.
    """

    windows: list[Window]
    clock: Callable[[], float] = field(default=time.monotonic)

    def take(self) -> tuple[bool, list[tuple[str, str]]]:
        """Take one request out.

        Returns:
            Whether it was still in, and the headers to say so: the limits of all windows behind that of the
            tightest one, what remains in that one and in how many seconds it ends (rounded up).
        """
        now = self.clock()
        for window in self.windows:
            window.roll(now)
        granted = all(window.remaining > 0 for window in self.windows)
        if granted:
            for window in self.windows:
                window.used += 1
        # Of several empty windows the one that ends last is the one to wait for.
        tightest = min(self.windows, key=lambda window: (window.remaining, -window.ends))
        limits = ", ".join(f"{window.limit};w={window.seconds}" for window in self.windows)
        return granted, [
            ("x-ratelimit-limit", f"{tightest.limit}, {limits}"),
            ("x-ratelimit-remaining", str(tightest.remaining)),
            ("x-ratelimit-reset", str(math.ceil(tightest.ends - now))),
        ]
