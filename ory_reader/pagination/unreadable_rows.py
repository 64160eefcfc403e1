"""Closing in on a row that the server cannot read, so that one bad row does not stop the night.

One such row (a schema no longer configured, metadata that the database driver cannot scan) makes every page
that contains it a 500, seen on Kratos v1.0.0, v1.3.1 and v26.2.0; the pages around it still work. On a keyset
server it is found by ever smaller pages, and stepped over by bisection of the key space: the request for one
row after an id fails up to the bad row's own id, and succeeds from there on.

A bad row costs about 10 requests to isolate and at most `MAX_PROBES` to step over; 2 where the 500 says all the same
where the next page begins, as that of Kratos v1.3 does for a row that it can read but not write out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from ory_reader.errors import AnswerError
from ory_reader.http.client import InternalServerError
from ory_reader.pagination.id_ranges import KEY_SPACE, LAST_ID, UUID, Slice, key, token
from ory_reader.pagination.links import next_page_token
from ory_reader.pagination.page import Page

logger = logging.getLogger("tap-ory")

#: Fetches the page behind a token; a size other than None is a probe.
Fetch = Callable[[str | None, int | None], Page]

LAST_KEY = KEY_SPACE - 1
#: A 500 there is about no row.
BEHIND_ALL = LAST_ID
#: A bad row is looked for in steps of this part of the space between two rows.
STEPS_A_ROW = 16
#: The first step where nothing is known of that space: small enough for a billion people.
UNKNOWN_STEP = KEY_SPACE >> 33
#: So many steps to enclose a bad row are small, the others double.
SMALL_STEPS = 64
#: How often it is looked for, should the server fail now and then.
ATTEMPTS = 3
#: 128 halvings, as many doublings and the small steps, at the very most; the usual cost is about 120.
MAX_PROBES = 330
#: More bad rows than this are no accident of single rows: the read ends.
MAX_BAD_ROWS = 100


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


def step_over(fetch: Fetch, current: Slice, error: InternalServerError, spacing: int) -> str | None:
    """Return the id of the bad row that follows `current.position`; None if it can be read by now.

    `spacing` is how far rows are apart on an average; 0 if that is not known.

    Raises:
        InternalServerError: `error`, if the server fails beyond all rows too, or now and then: then no row is to
            blame, and to step over anything would lose rows that can be read.
    """
    probes, start = _Probes(fetch, error), key(current.position)
    if not probes.readable(LAST_KEY):
        raise error
    bad = _named(probes, start) or _searched(probes, start, spacing)
    if bad is not None:
        logger.warning(
            "The server cannot read the identity %s; it was stepped over with %d requests.", bad, probes.count
        )
    return bad


class _Probes:
    """Requests for one row each, bounded in number."""

    def __init__(self, fetch: Fetch, error: InternalServerError) -> None:
        self.error = error
        self.count = 0
        self._fetch = fetch

    def failure(self, number: int) -> InternalServerError | None:
        """What the request for the row behind a key fails with; None if it can be read."""
        self.count += 1
        if self.count > MAX_PROBES:
            raise self.error
        try:
            # A whole page is waited for, as a server that restarts is; a probe is not.
            self._fetch(token(number), None if number == LAST_KEY else 1)
        except InternalServerError as failed:
            return failed
        return None

    def readable(self, number: int) -> bool:
        """Whether the row behind a key can be read."""
        return self.failure(number) is None


def _named(probes: _Probes, start: int) -> str | None:
    """The bad row behind `start` where two failures in a row name it."""
    named = _told(probes.error)
    if named is None or key(named) <= start:
        return None
    again = probes.failure(key(named) - 1)
    return named if again and _told(again) == named else None


def _searched(probes: _Probes, start: int, spacing: int) -> str | None:
    """The bad row behind `start` by bisection; None if it can be read by now."""
    for _ in range(ATTEMPTS):
        bad = _find(probes.readable, start, spacing)
        # A single 500 with another cause would have led beyond rows that can be read.
        if not probes.readable(bad - 1):
            return token(bad)
        if probes.readable(start):
            return None
    raise probes.error


def _told(error: InternalServerError) -> str | None:
    """The id of the row that a request for one row failed for, where the answer says what follows that row."""
    try:
        following = next_page_token(error.link)
    except AnswerError:
        return None
    return following if following and UUID.fullmatch(following) else None


def _find(readable: Callable[[int], bool], low: int, spacing: int) -> int:
    """Where the rows that cannot be read end, behind `low`."""
    steps = 0
    step = max(1, spacing // STEPS_A_ROW) if spacing else UNKNOWN_STEP
    while not readable(high := min(low + step, LAST_KEY)):
        # In small steps at first: a bracket that held a second bad row could hold good rows between the two.
        steps += 1
        low, step = high, step + max(1, step // 8 if spacing and steps < SMALL_STEPS else step)
    while high - low > 1:
        middle = (low + high) // 2
        if readable(middle):
            high = middle
        else:
            low = middle
    return high
