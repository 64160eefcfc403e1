"""Retries: what may go away by itself is tried again until all rows are there, in bounded time and with a word."""

import gzip
import logging
import random
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import backoff._sync
import pytest

from ory_reader.config.settings import Settings
from ory_reader.errors import AccessError, AnswerError, TapOryError, UnavailableError
from ory_reader.http import client
from ory_reader.http.client import InternalServerError, OryClient
from ory_reader.http.rate_limiter import RateLimiter
from ory_reader.pagination.page import row_ids
from ory_reader.pagination.unreadable_rows import BEHIND_ALL
from ory_reader.resources.identities import IDENTITIES, IdentityRead, page_fetcher
from ory_sandbox import Sandbox
from tap_ory.tap import TapOry
from tests.certificates import self_signed
from tests.command import KEY, records, sync
from tests.scripted import LAST_PAGE, Asked, Pieces, Reset, ScriptedServer, always, forwarded, head, reply

PEOPLE = 40
#: Kratos on CockroachDB, when two transactions collide.
COLLISION = b'{"error":{"code":400,"status":"Bad Request","message":"Unable to serialize access due to a concurrent update in another session"}}'  # noqa: E501

Fault = Callable[[ScriptedServer, dict[str, str], bytes], Pieces]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(PEOPLE) as running:
        yield running


class Patience:
    """Takes the place of all pauses: notes how long they were, and moves the rate_limiter's clock on instead."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self._now = 0.0
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.pauses.append(seconds)
            self._now += seconds

    def clock(self) -> float:
        return self._now

    def api(self, url: str, **config: Any) -> OryClient:
        settings = Settings.from_config({"base_url": url, "api_token": KEY, **config}, "1")
        return OryClient(settings, RateLimiter(self.clock, self.sleep))


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Patience:
    patience = Patience()
    monkeypatch.setattr(backoff._sync, "time", SimpleNamespace(sleep=patience.sleep))
    return patience


@contextmanager
def front(sandbox: Sandbox, fault: Fault, *hit: int) -> Iterator[ScriptedServer]:
    """A server before the sandbox that spoils the pages with these numbers."""
    pages: list[int] = []

    def answer(asked: Asked, number: int) -> Pieces:
        if "page_size" not in asked.target:
            return reply(404, b"{}")
        headers, body = forwarded(sandbox.url, asked)
        pages.append(number)
        if len(pages) - 1 in hit:
            return fault(server, headers, body)
        return whole(server, headers, body)

    with ScriptedServer(answer) as server:
        yield server


def whole(server: ScriptedServer, headers: dict[str, str], body: bytes) -> Pieces:
    return [head(200, **headers, **{"Content-Length": str(len(body))}), body]


def read(server: ScriptedServer, patience: Patience, **config: Any) -> list[str]:
    """The ids that a sync through `server` writes."""
    settings = {"base_url": server.url, "api_token": KEY, "page_size": 10, "concurrency": 1, **config}

    def be_patient(tap: TapOry) -> None:
        tap.project.__dict__["client"] = patience.api(**{"url": settings.pop("base_url"), **settings})

    return [record["id"] for record in records(sync(dict(settings), prepare=be_patient))]


# What goes wrong


def closed(server: ScriptedServer, headers: dict[str, str], body: bytes) -> Pieces:
    return []


def reset(server: ScriptedServer, headers: dict[str, str], body: bytes) -> Pieces:
    yield b""
    raise Reset


def reset_in_the_body(server: ScriptedServer, headers: dict[str, str], body: bytes) -> Pieces:
    yield from [head(200, **headers, **{"Content-Length": str(len(body))}), body[:500]]
    raise Reset


def silent(server: ScriptedServer, headers: dict[str, str], body: bytes) -> Pieces:
    return server.stall()


def stalled(server: ScriptedServer, headers: dict[str, str], body: bytes) -> Pieces:
    return server.stall(head(200, **headers, **{"Content-Length": str(len(body))}), body[:500])


def dripping(server: ScriptedServer, headers: dict[str, str], body: bytes) -> Pieces:
    yield head(200, **headers, **{"Content-Length": str(len(body))})
    for byte in body:
        yield bytes([byte])
        server.closing.wait(0.02)


def short_of_its_length(server: ScriptedServer, headers: dict[str, str], body: bytes) -> Pieces:
    return [head(200, **headers, **{"Content-Length": str(len(body))}), body[:-1]]


def without_the_last_chunk(server: ScriptedServer, headers: dict[str, str], body: bytes) -> Pieces:
    return [head(200, **headers, **{"Transfer-Encoding": "chunked"}), b"%x\r\n%b\r\n" % (len(body), body)]


def within_a_chunk(server: ScriptedServer, headers: dict[str, str], body: bytes) -> Pieces:
    return [head(200, **headers, **{"Transfer-Encoding": "chunked"}), b"%x\r\n%b" % (len(body), body[:700])]


def without_length(server: ScriptedServer, headers: dict[str, str], body: bytes) -> Pieces:
    return [head(200, **headers), body.rstrip()[:-1]]


def only_begun(server: ScriptedServer, headers: dict[str, str], body: bytes) -> Pieces:
    return [head(200, **headers), b"["]


def cut_gzip(server: ScriptedServer, headers: dict[str, str], body: bytes) -> Pieces:
    packed = gzip.compress(body)[:-100]
    return [head(200, **headers, **{"Content-Encoding": "gzip", "Content-Length": str(len(packed))}), packed]


def broken_gzip(server: ScriptedServer, headers: dict[str, str], body: bytes) -> Pieces:
    return [head(200, **headers, **{"Content-Encoding": "gzip", "Content-Length": "6"}), b"[{...}"]


def answering(status: int, body: bytes = b"{}", kind: str = "application/json", **headers: str) -> Fault:
    def answer(server: ScriptedServer, given: dict[str, str], page: bytes) -> Pieces:
        return reply(status, body, kind, **headers)

    answer.__name__ = f"answering_{status}"
    return answer


PASSING: list[Fault] = [
    closed,
    reset,
    reset_in_the_body,
    silent,
    stalled,
    short_of_its_length,
    without_the_last_chunk,
    within_a_chunk,
    without_length,
    only_begun,
    cut_gzip,
    broken_gzip,
    *map(answering, [408, 425, 429, 500, 503, 504]),
    answering(502, b"<html>Bad gateway", "text/html"),
    answering(400, COLLISION),
]


@pytest.mark.parametrize("hit", [0, 2])
@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault.__name__)
def test_what_passes_is_tried_again_and_every_row_is_there_once(
    sandbox: Sandbox, patience: Patience, caplog: pytest.LogCaptureFixture, fault: Fault, hit: int
) -> None:
    with front(sandbox, fault, hit) as server:
        ids = read(server, patience, request_timeout=0.3 if fault in {silent, stalled} else 20)
    assert ids == [row["id"] for row in sandbox.identities]
    assert len(patience.pauses) == 1
    (told,) = [record for record in caplog.records if "follows" in record.getMessage()]
    assert told.levelno == logging.WARNING
    assert re.fullmatch(r"GET http://\S+/admin/identities.{20,}\. Try 2 follows in 0\.[5-8] s\.", told.getMessage())
    assert KEY not in caplog.text


def test_several_readers_meet_faults_of_every_kind(sandbox: Sandbox, patience: Patience) -> None:
    faults = [fault for fault in PASSING if fault not in {silent, stalled}]

    def each_in_turn(server: ScriptedServer, headers: dict[str, str], body: bytes) -> Pieces:
        return faults.pop()(server, headers, body)

    with front(sandbox, each_in_turn, *range(1, 2 * len(faults), 2)) as server:
        ids = read(server, patience, page_size=1, concurrency=4)
    assert sorted(ids) == [row["id"] for row in sandbox.identities]
    assert faults == []


def test_a_drip_is_a_time_out(sandbox: Sandbox, patience: Patience, caplog: pytest.LogCaptureFixture) -> None:
    with front(sandbox, dripping, 1) as server:
        assert len(read(server, patience, request_timeout=0.1)) == PEOPLE
    assert "no answer within 0.1 s" in caplog.text


def test_no_cut_of_a_body_without_length_is_taken_for_whole(patience: Patience) -> None:
    body = b'[{"id":"a","traits":{"l":[[],{}],"s":"]}"},"metadata_public":[1]},{"id":"b","traits":[]}]\n'
    taken = []
    for end in range(len(body)):
        with always(head(200, Content_Type="application/json"), body[:end]) as server:
            try:
                taken.append(row_ids(patience.api(server.url).get(IDENTITIES.path, retry=False).body))
            except TapOryError:
                continue
    # Only the line break is missing.
    assert taken == [["a", "b"]]


# What is not tried again


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (answering(400), AccessError),
        (answering(401), AccessError),
        (answering(403), AccessError),
        (answering(404), AccessError),
        (answering(501), AccessError),
        (answering(505), AccessError),
        (answering(307, Location="/elsewhere"), AccessError),
        (answering(204), AccessError),
        (answering(200, b"<html>", "text/html"), AnswerError),
        (answering(200, b'{"error":{}}'), AnswerError),
    ],
    ids=lambda value: value.__name__,
)
@pytest.mark.parametrize("hit", [0, 2])
def test_what_does_not_pass_ends_the_read_at_once(
    sandbox: Sandbox, patience: Patience, fault: Fault, error: type[TapOryError], hit: int
) -> None:
    with front(sandbox, fault, hit) as server:
        with pytest.raises(error):
            read(server, patience)
        pages = [asked for asked in server.asked if "page_size" in asked.target]
    assert len(pages) == hit + 1
    assert patience.pauses == []


def test_a_tls_failure_is_not_tried_again(patience: Patience, tmp_path: Path) -> None:
    _, context = self_signed(tmp_path)
    handshakes = []

    def count(connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        handshakes.append(name)

    context.sni_callback = count
    with always(*reply(), tls=context) as server:
        with pytest.raises(UnavailableError, match="TLS"):
            patience.api(server.url.replace("127.0.0.1", "localhost")).get(IDENTITIES.path)
        assert server.asked == []
    assert len(handshakes) == 1
    assert patience.pauses == []


def test_a_body_without_bound_is_given_up(patience: Patience, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_BODY_BYTES", 4 << 20)
    member = gzip.compress(b" " * (1 << 20))
    for body, encoding in (
        (b" " * (5 << 20), "identity"),
        (gzip.compress(b" " * (200 << 20)), "gzip"),
        (member * 200, "gzip"),
    ):
        with always(*reply(200, body, Content_Encoding=encoding)) as server:
            with pytest.raises(AnswerError, match=r"answered with more than 4 MiB. Lower page_size"):
                patience.api(server.url).get(IDENTITIES.path)
            assert len(server.asked) == 1


def test_a_gzip_of_several_members_is_unpacked_once(patience: Patience) -> None:
    mib = 1 << 20
    members = b"[" + b" " * (mib - 1), b" " * mib, b" " * (mib - 1) + b"]"
    with always(*reply(200, b"".join(map(gzip.compress, members)), Content_Encoding="gzip")) as server:
        assert patience.api(server.url).get(IDENTITIES.path).body == b"".join(members)


# How long


def date_in(seconds: float) -> str:
    return format_datetime(datetime.now(timezone.utc) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("status", "advice", "bounds"),
    [
        (429, {"Retry_After": "7"}, (7, 7)),
        (503, {"Retry_After": "7"}, (7, 7)),
        (429, {"Retry_After": "a date"}, (90, 100)),
        (503, {"Retry_After": "a date"}, (90, 100)),
        (429, {"x_ratelimit_reset": "12"}, (12, 12)),
        (429, {"x_ratelimit_reset": "12", "Retry_After": "7"}, (7, 7)),
        (429, {"Retry_After": "0"}, (0, 0)),
        (429, {"Retry_After": "soon"}, (0.5, 0.5)),
        (429, {}, (0.5, 0.5)),
        (500, {"Retry_After": "600"}, (0.5, 0.5)),
    ],
)
def test_the_pause_that_the_server_asks_for_is_made(
    patience: Patience,
    caplog: pytest.LogCaptureFixture,
    status: int,
    advice: dict[str, str],
    bounds: tuple[float, float],
) -> None:
    def busy_once(asked: Asked, number: int) -> Pieces:
        headers = {name: date_in(100) if value == "a date" else value for name, value in advice.items()}
        return reply() if number else reply(status, b"{}", **headers)

    with ScriptedServer(busy_once) as server:
        patience.api(server.url).get(IDENTITIES.path)
        assert len(server.asked) == 2
    least, most = bounds
    assert least <= sum(patience.pauses) <= most * 1.25 + 0.1
    if most > 1:
        assert re.search(r"and asked to wait \d+ s\. .* Try 2 follows in \d+\.\d s\.", caplog.text)


@pytest.mark.parametrize("headers", [{"Retry_After": "901"}, {"x_ratelimit_reset": "1795487503"}])
def test_too_long_a_pause_is_not_made(patience: Patience, headers: dict[str, str]) -> None:
    with always(*reply(429, b"{}", **headers)) as server:
        with pytest.raises(UnavailableError, match=r"asked to wait (901|1795487503) s"):
            patience.api(server.url).get(IDENTITIES.path)
        assert len(server.asked) == 1
    assert patience.pauses == []


@pytest.mark.parametrize(
    ("pieces", "tries"),
    [(reply(500, b"{}"), 6), (reply(503, b"{}"), 24), (reply(429, b"{}"), 24), ([head(200), b"["], 24), ([], 3)],
)
def test_tries_and_their_time_are_bounded(
    patience: Patience, caplog: pytest.LogCaptureFixture, pieces: list[bytes], tries: int
) -> None:
    random.seed(1)
    with always(*pieces) as server:
        with pytest.raises(UnavailableError):
            patience.api(server.url).get(IDENTITIES.path)
        assert len(server.asked) == tries
    pauses = patience.pauses
    assert len(pauses) == tries - 1
    doubling = [min(0.5 * 2**number, 30) for number in range(tries - 1)]
    assert all(least <= pause <= least * 1.25 + 0.1 for least, pause in zip(doubling, pauses, strict=True))
    assert sum(pauses) < 15 * 60
    numbers = re.findall(r"Try (\d+) follows", caplog.text)
    assert numbers == [str(number) for number in range(2, tries + 1)]


def test_clients_do_not_come_back_in_step(patience: Patience) -> None:
    with always(*reply(503, b"{}")) as server:
        for _ in range(2):
            with pytest.raises(UnavailableError):
                patience.api(server.url).get(IDENTITIES.path)
    first, second = patience.pauses[:23], patience.pauses[23:]
    assert all(one != other for one, other in zip(first, second, strict=True))


def test_a_server_that_was_there_is_waited_for(sandbox: Sandbox, patience: Patience) -> None:
    """Before the first answer a setting is likely wrong; after it, the server restarts."""
    with front(sandbox, closed, *range(2, 20)) as server:
        assert len(read(server, patience)) == PEOPLE
    assert len(patience.pauses) == 18


def test_one_try_where_none_is_worth_more(patience: Patience) -> None:
    with always(*reply(503, b"{}")) as server:
        with pytest.raises(UnavailableError):
            patience.api(server.url).get(IDENTITIES.path, retry=False)
        assert len(server.asked) == 1
    with always(*reply(500, b"{}")) as server:
        with pytest.raises(UnavailableError):
            patience.api(server.url).get(IDENTITIES.path, retry_500=False)
        assert len(server.asked) == 1
    assert patience.pauses == []


# A 500 for each page with an unreadable row


def fail_on(sandbox: Sandbox, *places: int) -> None:
    for place in places:
        sandbox.make_unreadable(sandbox.identities[place]["id"])


@pytest.mark.parametrize("manner", ["network", "v1.3"])
def test_a_500_with_a_reason_that_lasted_is_not_waited_for_again(patience: Patience, manner: Any) -> None:
    with Sandbox(PEOPLE, manner=manner, api_token=KEY) as spoilt:
        fail_on(spoilt, 5, 15, 25)
        read = IdentityRead(patience.api(spoilt.url, page_size=10, concurrency=1))
        ids = [each for page in read.pages() for each in row_ids(page.body)]
        assert ids == [row["id"] for place, row in enumerate(spoilt.identities) if place not in {5, 15, 25}]
    assert len(read.unreadable) == 3
    # The first one's five pauses between six tries, and none for the others.
    assert len(patience.pauses) == 5


def failing(reason: str) -> list[bytes]:
    return reply(500, b'{"error":{"code":500,"request":"a","reason":"%s","message":"m"}}' % reason.encode())


@pytest.mark.parametrize(
    ("first", "second", "tries"),
    [
        ("no schema x", "no schema x", 1),
        ("row 1 of 7d8a3f4e-2c0b-4a53-9d55-0c0ffee00001", "row 23 of 7d8a3f4e-2c0b-4a53-9d55-0c0ffee00002", 1),
        ("no schema x", "no connection", 6),
    ],
)
def test_the_same_reason_is_told_whatever_ids_and_numbers_it_names(
    patience: Patience, first: str, second: str, tries: int
) -> None:
    with ScriptedServer(lambda asked, number: failing(first if number < 6 else second)) as server:
        fetch = page_fetcher(patience.api(server.url))
        for _ in range(2):
            with pytest.raises(InternalServerError):
                fetch(None, None)
        assert len(server.asked) == 6 + tries


def test_a_500_that_passed_is_waited_for_again(patience: Patience) -> None:
    with ScriptedServer(
        lambda asked, number: reply(200, b"[]", Link=LAST_PAGE) if number % 2 else failing("busy")
    ) as server:
        fetch = page_fetcher(patience.api(server.url))
        for _ in range(3):
            assert fetch(None, None).is_empty
        assert len(server.asked) == 6


def test_behind_all_rows_the_server_is_waited_for_whatever_its_reason(patience: Patience) -> None:
    with ScriptedServer(
        lambda asked, number: failing("busy") if number < 8 else reply(200, b"[]", Link=LAST_PAGE)
    ) as server:
        fetch = page_fetcher(patience.api(server.url))
        with pytest.raises(InternalServerError):
            fetch(None, None)
        assert fetch(BEHIND_ALL, None).is_empty
        assert len(server.asked) == 9


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 GMT", "9" * 400])
def test_an_absurd_date_ends_in_one_line(patience: Patience, date: str) -> None:
    with always(*reply(429, b"{}", Retry_After=date)) as server:
        with pytest.raises(UnavailableError, match=r"asked to wait \d+ s"):
            patience.api(server.url).get(IDENTITIES.path)
        assert len(server.asked) == 1


@pytest.mark.parametrize("date", ["Mon, 01 Jan 0000 00:00:00 GMT", f"Mon, 01 Jan {'9' * 30} 00:00:00 GMT", "garbage"])
def test_a_date_that_is_none_leaves_the_usual_pause(patience: Patience, date: str) -> None:
    def busy_once(asked: Asked, number: int) -> Pieces:
        return reply() if number else reply(429, b"{}", Retry_After=date)

    with ScriptedServer(busy_once) as server:
        patience.api(server.url).get(IDENTITIES.path)
    assert len(patience.pauses) == 1
