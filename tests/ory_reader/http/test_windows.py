"""What is known of our own requests, of windows and of other clients, number by number."""

import pytest

from ory_reader.http.windows import History, Window


def history_of(*latencies: float, apart: float = 10.0) -> History:
    """One request after the other, each answered before the next."""
    history = History()
    for number, latency in enumerate(latencies):
        request = history.send(number * apart)
        history.end(request, number * apart + latency, answered=True)
    return history


def test_a_request_counts_from_its_middle_until_the_latencies_are_known() -> None:
    history = history_of(*[1.0] * 29)
    request = history.requests[-1]
    assert history.counted_by(request, 1000) == request.sent + 0.5
    history.end(history.send(290), 290.8, answered=True)
    assert history.counted_by(request, 1000) == pytest.approx(request.sent + 0.2)


def test_what_is_under_way_together_tells_more_of_latencies() -> None:
    history = History()
    requests = [history.send(0.0) for _ in range(4)]
    for request in requests:
        history.end(request, 1.0, answered=True)
    assert history.counted_by(requests[0], 2.0) == 0.0


def test_a_latency_of_long_ago_is_forgotten() -> None:
    history = history_of(0.1, *[1.0] * 99)
    assert history.counted_by(history.requests[-1], 2000) == pytest.approx(990.9)
    history.end(history.send(1000), 1001, answered=True)
    assert history.counted_by(history.requests[-1], 2000) == pytest.approx(1000)


def test_what_gets_no_answer_tells_nothing_of_latencies() -> None:
    history = History()
    history.end(history.send(0), 20, answered=False)
    assert history.latency == 0


def test_what_is_under_way_may_count_now() -> None:
    history = history_of(1.0)
    request = history.send(100)
    assert history.counted_by(request, 100.5) == 100
    # Overdue: it may be counted at any time.
    assert history.counted_by(request, 105) == 104


def test_while_all_places_are_under_way_is_looked_again_soon() -> None:
    history = History()
    history.send(0)
    assert Window(1, 60).delay(history, 0) == 0.01


def test_others_are_remembered_for_ten_seconds() -> None:
    window = Window(10, 1)
    history = history_of(0.0)
    window.learn(history.requests[0], 5, history, 0)
    assert window.allowed(9.9) == 10 - 4 - 1
    assert window.allowed(10) == 10


def test_others_are_never_left_more_than_three_quarters() -> None:
    window = Window(20, 60)
    history = history_of(0.0)
    window.learn(history.requests[0], 20, history, 0)
    assert window.allowed(1) == 5


def test_the_most_that_others_took_of_late_counts() -> None:
    window = Window(100, 60)
    history = history_of(0.0)
    for now, used in ((0, 30), (10, 20), (20, 10)):
        window.learn(history.requests[0], used, history, now)
    assert [window.taken_by_others(now) for now in (59, 60, 69, 70, 79, 80)] == [29, 19, 19, 9, 9, 0]


def test_many_of_ours_under_way_in_mid_window_are_nobody_elses() -> None:
    """Eight readers of a sliding window: the server counts what was answered, what is under way, and nothing else."""
    history, window = History(), Window(10, 1)
    early = [history.send(0.0) for _ in range(2)]
    for request in early:
        history.end(request, 0.15, answered=True)
    late = [history.send(0.5) for _ in range(8)]
    for used, request in enumerate(late, 3):
        history.end(request, 0.65, answered=True)
        window.learn(request, used, history, 0.65)
    assert window.allowed(0.65) == 10
    assert window.opening is None


def test_a_window_that_begins_anew_is_told_from_one_that_slides() -> None:
    history, window = History(), Window(10, 1)
    for _ in range(9):
        history.end(history.send(0.5), 0.5, answered=True)
    fresh = history.send(1.0)
    history.end(fresh, 1.0, answered=True)
    assert window.delay(history, 1.0) > 0.5
    window.learn(fresh, 1, history, 1.0)
    assert window.delay(history, 1.0) == 0
    # One that does not count the request it answers is one short, and slides all the same.
    sliding = Window(10, 1)
    sliding.learn(fresh, 9, history, 1.0)
    assert sliding.opening is None


def test_a_single_request_of_others_takes_two_places_with_the_one_for_safety() -> None:
    window = Window(10, 1)
    history = history_of(0.0)
    window.learn(history.requests[0], 2, history, 0)
    assert window.allowed(1) == 8
