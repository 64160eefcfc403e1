"""Reads through a rate limit of Ory Network's form: how long they take, how long they had to, how many 429s."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from benchmarks import measure
from benchmarks.contenders import ENVIRONMENT
from ory_sandbox import Sandbox
from ory_sandbox.ratelimit import Bucket, parse_windows

if TYPE_CHECKING:
    from benchmarks.contenders import Contenders

KEY = "ory_pat_a-key-of-the-benchmarks"
PAGE_SIZE = 10


@dataclass(frozen=True)
class Paced:
    """One read: seconds, requests that the tap sent, and how many of them were refused with a 429."""

    seconds: float
    requests: int
    refused: int


def shortest(rate_limit: str, pages: int) -> float:
    """The seconds that a bucket needs for so many requests if each is sent in the moment in which it is granted."""
    now = 0.0
    bucket = Bucket(parse_windows(rate_limit), clock=lambda: now)
    while pages:
        granted, _ = bucket.take()
        if granted:
            pages -= 1
        else:
            now = min(window.ends for window in bucket.windows if not window.remaining)
    return now


def read_together(contenders: Contenders, rate_limit: str, pages: int, reads: int, *, second: bool) -> list[Paced]:
    """Make some reads at the same time, each with a server and a bucket of its own: they hardly use a CPU.

    `second` lets another client drain each bucket too.
    """
    with ThreadPoolExecutor(reads) as pool:
        return list(pool.map(lambda _: _read(contenders, rate_limit, pages, second=second), range(reads)))


def _read(contenders: Contenders, rate_limit: str, pages: int, *, second: bool) -> Paced:
    people = pages * PAGE_SIZE
    with Sandbox(people, manner="network", api_token=KEY, rate_limit=rate_limit) as sandbox:
        over = threading.Event()
        other = threading.Thread(target=_drain, args=(sandbox.url, rate_limit, over))
        if second:
            other.start()
        try:
            command = contenders.tap_ory(sandbox.url, api_token=KEY, page_size=PAGE_SIZE)
            cost = measure.run(command, environment=ENVIRONMENT)
        finally:
            over.set()
            if second:
                other.join()
        sent = [seen.target for seen in sandbox.requests.log if seen.headers["user-agent"].startswith("tap-ory")]
    # No request is worth sending twice unless it was refused.
    return Paced(cost.wall, len(sent), len(sent) - len(set(sent)))


def _drain(url: str, rate_limit: str, over: threading.Event) -> None:
    """Be the other client: a fifth of what the narrowest window grants, pausing when told so by a 429."""
    window = min(parse_windows(rate_limit), key=lambda window: window.seconds)
    session = requests.Session()
    session.headers.update({"Authorization": f"Bearer {KEY}", "User-Agent": "another client"})
    pause = 5 * window.seconds / window.limit
    while not over.wait(pause):
        response = session.get(url + "admin/identities", params={"page_size": "1"})
        if response.status_code == requests.codes.too_many_requests:
            over.wait(float(response.headers["x-ratelimit-reset"]))
