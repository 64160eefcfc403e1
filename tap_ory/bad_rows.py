"""Closing in on a row that the server cannot read, so that one bad row does not stop the night.

One such row (a schema no longer configured, metadata that the database driver cannot scan) makes every page
that contains it a 500, seen on Kratos v1.0.0, v1.3.1 and v26.2.0; the pages around it still work. On a keyset
server it is found by ever smaller pages, and stepped over by bisection of the key space: the request for one
row after an id fails up to the bad row's own id, and succeeds from there on.

A bad row costs about 10 requests to isolate and at most `MAX_PROBES` to step over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import NamedTuple

from tap_ory.api import InternalServerError
from tap_ory.paging import KEY_SPACE, Fetched, Slice, key, token

logger = logging.getLogger("tap-ory")

#: Fetches the page behind a token; a size other than None is a probe.
Fetch = Callable[[str | None, int | None], Fetched]

LAST_KEY = KEY_SPACE - 1
#: So many steps to enclose a bad row are small, the others double.
SMALL_STEPS = 64
#: How often it is looked for, should the server fail now and then.
ATTEMPTS = 3
#: 128 halvings, as many doublings and the small steps, at the very most; the usual cost is about 120.
MAX_PROBES = 330
#: More bad rows than this are no accident of single rows: the read ends.
MAX_BAD_ROWS = 100


class Stretch(NamedTuple):
    """The bad row is `last`, or lies between `after` (None: the start) and it."""

    after: str | None
    last: str


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Stretches in order, with those that meet as one: a border of slices between the two is nobody's business."""
    whole: list[Stretch] = []
    for each in sorted(stretches, key=attrgetter("last")):
        if whole and whole[-1].last == each.after:
            whole[-1] = Stretch(whole[-1].after, each.last)
        else:
            whole.append(each)
    return whole


def narrow(current: Slice, failed_size: int) -> bool:
    """Note that the next `failed_size` rows hold a bad one; tell whether it is the very next."""
    current.suspects = failed_size
    return failed_size == 1


def probe_size(current: Slice) -> int | None:
    """How many rows to ask for next: half of the suspects, or None for a full page."""
    return max(1, current.suspects // 2) if current.suspects else None


def clear(current: Slice, rows: int) -> None:
    """Note that the next `rows` rows were read after all."""
    current.suspects = max(0, current.suspects - rows)


def step_over(fetch: Fetch, current: Slice, error: InternalServerError) -> str | None:
    """Return the id of the bad row that follows `current.position`; None if it can be read by now.

    Raises:
        InternalServerError: `error`, if the server fails beyond all rows too, or now and then: then no row is to
            blame, and to step over anything would lose rows that can be read.
    """
    probes = 0

    def readable(number: int) -> bool:
        nonlocal probes
        probes += 1
        if probes > MAX_PROBES:
            raise error
        try:
            fetch(token(number), 1)
        except InternalServerError:
            return False
        return True

    if not readable(LAST_KEY):
        raise error
    start = key(current.position)
    for _ in range(ATTEMPTS):
        bad = _find(readable, start, max(1, (current.gap or KEY_SPACE >> 20) >> 12))
        # A single 500 with another cause would have led beyond rows that can be read.
        if not readable(bad - 1):
            logger.warning(
                "The server cannot read the identity %s; it was stepped over with %d requests.", token(bad), probes
            )
            return token(bad)
        if readable(start):
            return None
    raise error


def _find(readable: Callable[[int], bool], low: int, step: int) -> int:
    """Where the rows that cannot be read end, behind `low`."""
    steps = 0
    while not readable(high := min(low + step, LAST_KEY)):
        # In small steps at first: a bracket that held a second bad row could hold good rows between the two.
        steps += 1
        low, step = high, step + max(1, step // 8 if steps < SMALL_STEPS else step)
    while high - low > 1:
        middle = (low + high) // 2
        if readable(middle):
            high = middle
        else:
            low = middle
    return high
