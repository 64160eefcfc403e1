"""Pacing in simulated time: in every cell as fast as the bucket allows, and without a 429 where nobody else is."""

import pytest

from benchmarks.paced import shortest
from benchmarks.simulated import KINDS, LATENCIES, PLANS, READERS, Cell, Simulation, cells, minimum


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        # The first alone; nine more as it is answered; ten in each second from its start on, nine of them 0.15 s late.
        (Cell("sliding", "10;w=1,300;w=60", 16, 0.15), 9.3),
        (Cell("sliding", "10;w=1,300;w=60", 8, 0.15), 9.45),
        # A window that begins anew takes ten at once.
        (Cell("fixed", "10;w=1,300;w=60", 16, 0.15), 9.15),
        # One reader: nothing but its latency, and the minute.
        (Cell("sliding", "10;w=1,300;w=60", 1, 2.0), 200),
        (Cell("sliding", "5;w=1,25;w=60", 16, 0.0), 184),
        (Cell("sliding", "5;w=1,25;w=60", 16, 2.0, counted_at=0.0), 188),
    ],
)
def test_the_minimum_is_what_a_hand_computes(cell: Cell, seconds: float) -> None:
    assert minimum(cell) == pytest.approx(seconds)


@pytest.mark.parametrize("plan", PLANS)
def test_without_latency_the_minimum_is_the_buckets_own(plan: str) -> None:
    assert minimum(Cell("fixed", plan, 1, 0.0)) == shortest(plan, 100)


@pytest.mark.parametrize("requests", [60, 100])
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("kind", KINDS)
def test_alone_every_read_is_as_fast_as_the_bucket_and_never_refused(kind: str, plan: str, requests: int) -> None:
    count = 0
    for cell in cells(kind, plan):
        cell.requests = requests
        outcome = Simulation(cell).run()
        assert outcome.refused == 0, cell
        assert outcome.seconds <= 1.05 * minimum(cell) + 0.01, cell
        count += 1
    assert count == len(READERS) * len(LATENCIES) * 3


@pytest.mark.parametrize("second", ["steady", "comes and goes"])
@pytest.mark.parametrize("kind", KINDS)
def test_with_another_client_nobody_starves_and_few_are_refused(kind: str, second: str) -> None:
    refused = sent = 0
    for plan in PLANS:
        for cell in cells(kind, plan, second):
            outcome = Simulation(cell).run()
            # In the smallest plan the other would take more than twice of what there is, as soon as there is any.
            assert outcome.seconds <= (6 if plan == PLANS[0] else 2) * minimum(cell) + 1, cell
            refused += outcome.refused
            sent += cell.requests + outcome.refused
    assert refused <= 0.02 * sent


@pytest.mark.parametrize("jitter", [0.02, 0.1, 0.5, 2.0])
@pytest.mark.parametrize("kind", KINDS)
def test_latencies_that_vary_cost_no_429_where_the_server_counts_first(kind: str, jitter: float) -> None:
    for plan in PLANS[1:]:
        for readers in READERS:
            for latency in (0.0, 0.15, 1.0):
                cell = Cell(kind, plan, readers, latency, counted_at=0.0, jitter=jitter)
                assert Simulation(cell).run().refused == 0, cell
