"""Progress: what is told, when and where; the count of all is a help whose failure never matters."""

import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest import mock

import pytest

from command_basics.log_format import JsonFormatter
from ory_reader.errors import UnavailableError
from ory_reader.sync import progress
from ory_reader.sync.progress import CLEAR_LINE, LOG_INTERVAL, TERMINAL_INTERVAL, Progress

logger = logging.getLogger("test-progress")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that stands at `now`."""
    clock = SimpleNamespace(now=100.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(progress, "time", clock)
    return clock


@contextmanager
def terminal() -> Iterator[Terminal]:
    """A terminal as stderr. No fixture: between a fixture and its test, pytest sets stderr anew."""
    screen = Terminal()
    with mock.patch.object(sys, "stderr", screen):
        yield screen


def begun(count: Callable[[], int | None], clock: SimpleNamespace, rows: int, seconds: float) -> Progress:
    """A progress that has told of so many rows after so many seconds, and whose count is in."""
    made = Progress("clever-hare", count, logger)
    clock.now += seconds
    made.add(rows)
    await_count()
    return made


def await_count() -> None:
    for thread in threading.enumerate():
        if thread.name == "count":
            thread.join(10)


def test_off_a_terminal_a_log_line_every_ten_seconds(clock: SimpleNamespace, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    made = Progress("clever-hare", lambda: None, logger)
    for _ in range(30):
        clock.now += LOG_INTERVAL / 10
        made.add(100)
    made.close()
    assert LOG_INTERVAL == 10
    assert [record.getMessage() for record in caplog.records] == [
        "clever-hare: 1,000 identities, 100/s",
        "clever-hare: 2,000 identities, 100/s",
        "clever-hare: 3,000 identities, 100/s",
    ]


def test_of_how_many_and_how_long_still(clock: SimpleNamespace) -> None:
    made = begun(lambda: 20_000, clock, 5_000, 10)
    assert made.line() == "clever-hare: 5,000 of 20,000 identities, 500/s, 30 s left"


def test_more_than_were_counted(clock: SimpleNamespace) -> None:
    made = begun(lambda: 3, clock, 5, 10)
    assert made.line() == "clever-hare: 5 of 5 identities, 0/s, 0 s left"


def test_nothing_yet(clock: SimpleNamespace) -> None:
    made = begun(lambda: 10, clock, 0, 10)
    assert made.line() == "clever-hare: 0 of 10 identities, 0/s"


def test_a_count_that_fails_is_no_matter(clock: SimpleNamespace, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> int:
        msg = "no count"
        raise UnavailableError(msg)

    caplog.set_level(logging.DEBUG)
    made = begun(fail, clock, 100, 10)
    assert made.line() == "clever-hare: 100 identities, 10/s"
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG] == [
        "No total for the progress: no count"
    ]


def test_the_count_is_asked_once_and_only_when_there_is_something_to_tell(clock: SimpleNamespace) -> None:
    asked: list[int] = []
    made = Progress("clever-hare", lambda: asked.append(1), logger)
    made.add(100)
    made.close()
    assert asked == []
    made = begun(lambda: asked.append(1), clock, 1, 10)
    for _ in range(5):
        clock.now += 10
        made.add(1)
    assert asked == [1]


def test_nobody_waits_for_the_count(clock: SimpleNamespace) -> None:
    answered = threading.Event()
    made = Progress("clever-hare", lambda: int(answered.wait(30)), logger)
    clock.now += 10
    made.add(1)
    assert not answered.is_set()
    assert " of " not in made.line()
    answered.set()


def test_on_a_terminal_one_line_that_is_written_over(clock: SimpleNamespace, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    asked = threading.Event()
    with terminal() as screen:
        made = Progress("clever-hare", lambda: 1000 if asked.wait(10) else None, logger)
        clock.now += TERMINAL_INTERVAL
        made.add(100)
        asked.set()
        await_count()
        made.add(100)
        assert screen.getvalue().count(CLEAR_LINE) == 1
        clock.now += TERMINAL_INTERVAL
        made.add(100)
        assert screen.getvalue().split(CLEAR_LINE) == [
            "",
            "clever-hare: 100 identities, 500/s",
            "clever-hare: 300 of 1,000 identities, 750/s, 1 s left",
        ]
        made.close()
        assert screen.getvalue().endswith(CLEAR_LINE)
        assert "\n" not in screen.getvalue()
    assert caplog.records == []


def test_a_short_run_leaves_a_terminal_alone(clock: SimpleNamespace) -> None:
    with terminal() as screen:
        made = Progress("clever-hare", lambda: 5, logger)
        made.add(5)
        made.close()
        assert screen.getvalue() == ""


def test_nothing_goes_to_stdout(clock: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    with terminal() as screen:
        begun(lambda: 1000, clock, 100, 10).close()
        assert screen.getvalue()
    assert capsys.readouterr().out == ""


def test_a_terminal_that_gets_json_gets_nothing_else(
    clock: SimpleNamespace, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(JsonFormatter())
    monkeypatch.setattr(logging.getLogger(), "handlers", [*logging.getLogger().handlers, handler])
    with terminal() as screen:
        begun(lambda: None, clock, 500, LOG_INTERVAL).close()
    assert screen.getvalue() == ""
    assert [message for message in caplog.messages if "clever-hare: 500" in message]
