"""The metrics there are, whoever is told of them."""

from __future__ import annotations

from typing import NamedTuple


class Metric(NamedTuple):
    """A metric: its name, its unit, and what it says."""

    name: str
    unit: str
    description: str


RECORDS = Metric("ory.records", "{record}", "Records read from the project, by the list that they are of.")
REQUESTS = Metric("ory.requests", "{request}", "Requests to the project.")
REFUSED = Metric("ory.requests.refused", "{request}", "Requests that the project refused with 429.")
WAITED = Metric("ory.requests.waited", "s", "Time in which requests waited for rate limits.")
COUNTERS = (RECORDS, REQUESTS, REFUSED, WAITED)
WHOLE = Metric("ory.read.whole", "", "Whether the last read was whole: 1 or 0.")
UNREADABLE = Metric("ory.read.unreadable", "{stretch}", "Stretches of rows that the last read could not deliver.")
LAST_WHOLE = Metric("ory.read.last_whole.timestamp", "s", "When the last whole read ended, in seconds since 1970.")
GAUGES = (WHOLE, UNREADABLE, LAST_WHOLE)
