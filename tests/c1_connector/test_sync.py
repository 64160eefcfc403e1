"""A read in a thread of the service: whatever ends it is a sentence, and one that is cancelled is left alone."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from c1_connector import reading
from c1_connector.cancellation import Cancellation
from c1_connector.errors import CancelledError, ReadError
from c1_connector.logs import Secrets
from c1_connector.settings import parse
from c1_connector.sync import read_users
from ory_reader.errors import UnavailableError
from ory_reader.sync.full_read import FullRead
from ory_sandbox import Sandbox
from target_c1.scope import Scope
from tests.c1_connector.connector import until


def read(url: str, file: Path, cancellation: Cancellation, **variables: str) -> None:
    environ = {**parse(["--base-url", url], {}).reader_environment(file), **variables}
    read_users(environ, Scope(), cancellation, Secrets())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UnavailableError("What the reader says."), "What the reader says."),
        (MemoryError("somebody's data"), "Unforeseen MemoryError at "),
        (SystemExit(3), "Unforeseen SystemExit at "),
    ],
)
def test_whatever_ends_a_read_is_a_sentence(
    error: BaseException, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(reading, "FullRead", fail)
    with Sandbox(3) as ory, pytest.raises(ReadError) as failed:
        read(ory.url, tmp_path / "users.c1z", Cancellation())
    assert str(failed.value).startswith(words)
    assert "somebody" not in str(failed.value)
    assert not list(tmp_path.iterdir())


def test_one_that_is_cancelled_while_it_waits_for_an_answer_is_not_waited_for(tmp_path: Path) -> None:
    cancellation = Cancellation()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        ended = _in_background(lambda: read(url, tmp_path / "users.c1z", cancellation))
        connection, _ = silent.accept()
        with connection:
            began = time.monotonic()
            cancellation.cancel("Not wanted any more.")
            until(lambda: ended, "the end")
            assert time.monotonic() - began < 10
            assert str(ended[0]) == "Not wanted any more."
            # Now there is an answer, to which nothing may follow.
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 500 Sorry\r\nContent-Length: 0\r\n\r\n")
            silent.settimeout(3)
            with pytest.raises(TimeoutError):
                silent.accept()
            connection.settimeout(0.1)
            with suppress(TimeoutError):
                assert connection.recv(1) == b""
    until(lambda: not list(tmp_path.iterdir()), "the end of its files")


def test_one_that_is_cancelled_when_all_is_read_publishes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancellation, run = Cancellation(), FullRead.run

    def run_and_cancel(full_read: FullRead) -> None:
        run(full_read)
        cancellation.cancel("Too late.")

    monkeypatch.setattr(FullRead, "run", run_and_cancel)
    with Sandbox(30) as ory, pytest.raises(CancelledError):
        read(ory.url, tmp_path / "users.c1z", cancellation)
    until(lambda: not list(tmp_path.iterdir()), "the end of its files")


def test_one_whose_identities_keep_changing_publishes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading._Users, "complete", lambda _: None)
    with Sandbox(30) as ory, pytest.raises(ReadError, match="The read of stream 'users' is not complete"):
        read(ory.url, tmp_path / "users.c1z", Cancellation())
    assert not list(tmp_path.iterdir())


def _in_background(work: Callable[[], None]) -> list[CancelledError]:
    ended: list[CancelledError] = []

    def do() -> None:
        try:
            work()
        except CancelledError as error:
            ended.append(error)

    threading.Thread(target=do, daemon=True).start()
    return ended
