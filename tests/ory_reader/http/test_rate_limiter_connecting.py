"""A connection takes time to make, before the server sees the first request: its window begins later than it seems."""

import pytest

from ory_reader.http.rate_limiter import RateLimiter
from ory_sandbox.ratelimit import Bucket, parse_windows

PLAN = "10;w=1,300;w=60"


@pytest.mark.parametrize("connecting", [0.0, 0.05, 0.3, 0.9])
@pytest.mark.parametrize("way", [0.001, 0.02, 0.1])
def test_no_request_is_refused(connecting: float, way: float) -> None:
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds + 1e-6

    bucket = Bucket(parse_windows(PLAN), clock=lambda: now)
    rate_limiter = RateLimiter(lambda: now, sleep, lambda: 0)
    for number in range(40):
        rate_limiter.wait_turn()
        now += way + (0 if number else connecting)
        granted, headers = bucket.take()
        now += way
        rate_limiter.learn(200 if granted else 429, dict(headers))
        assert granted, number
