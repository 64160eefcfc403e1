"""200,000 damaged responses against the decoders, the paging and the readers: no crash, no hang, no memory.

Responses that real servers were recorded to give are damaged at random, of a seed that each failure names. What
is expected is little, and holds for every response: records that are whole lines, or an error meant for the user.
"""

from __future__ import annotations

import json
import logging
import random
import re
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from ory_reader.errors import TapOryError
from ory_reader.pagination import id_ranges
from ory_reader.pagination.links import TOKEN, next_page_token
from ory_reader.pagination.page import Page, row_ids
from ory_reader.pagination.paginators import KEYSET
from ory_reader.pagination.prefetch import Prefetcher
from ory_sandbox import Sandbox
from tap_ory.record_lines import record_lines
from tap_ory.tap import TapOry
from tests.command import unchanged_signals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ory_reader.sync.protocols import Decoder

RECORDINGS: Final = Path(__file__).parents[1] / "recordings"
BODIES, LINKS, READS = 150_000, 40_000, 1500
#: Answers of one read, at the most, before the server has no more; with a reader's retries a few are added.
ANSWERS: Final = 40
#: No response may take longer, in seconds; the longest are of a few kilobytes.
SLOWEST: Final = 5.0
MORE_MEMORY_KIB: Final = 200 * 1024
UUIDS: Final = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MORSELS: Final = [
    *(b'\x00 \xff \xc3( \xed\xa0\x80 \xf4\x90\x80\x80 \xef\xbb\xbf \\ud83d \\ude00 \\u0000 \\ " \\"'.split()),
    *(b"{ } [ ] , : null true NaN Infinity -0 1e999 1e-999 -1 0x1 1. .5 01 9007199254740993 ''".split()),
    *(b'{} [] "" "id" "id":1, "id":null, "id":"" "traits":7, "traits":null, "credentials":[], "state":{}'.split()),
    *(b'"verifiable_addresses":{}, "metadata_public":17, "created_at":"never", "schema_id":null,'.split()),
    *(b"\n \r\n \t \x0b \xe2\x80\xa8 /**/ <html> )]}'".split(b" ")),
    b"[" * 3000,
    b'{"a":' * 2000,
    b"9" * 5000,
    b'"' + b"a" * 5000 + b'"',
    b" " * 5000,
]
LINK_MORSELS: Final = [
    *["<", ">", ";", ",", "=", '"', "rel", "next", "rel=next", 'rel="NEXT"', 'rel="next prev"', "&", "?", "#", ".."],
    *[
        "page_token=",
        "page_token=%00",
        "%zz",
        "page_token=" + "a" * 3000,
        "<" * 500,
        '>; rel="next"' * 200,
        "\xff",
        "é",
        "\u2028",
        "%F0%9F",
        "page=2",
        "//",
    ],
]


def recorded(part: int) -> list[bytes]:
    """The bodies (1) or heads (0) of all recorded answers to a list."""
    files = sorted(RECORDINGS.glob("v*/*.http"))
    answers = [file.read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")[2] for file in files]
    return [answer.split(b"\n\n", 1)[part] for answer in answers if b"\n\n" in answer]


def damaged(rng: random.Random, whole: bytes, others: list[bytes]) -> bytes:
    """The same with one to five things wrong."""
    data = bytearray(whole)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        here, there = sorted(rng.randrange(len(data) + 1) for _ in range(2))
        there = min(there, here + rng.choice((1, 4, 40, 400)))
        kind = rng.randrange(7)
        if kind == 0 and data:
            data[here - 1] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[here:there]
        elif kind == 2:
            del data[here:]
        elif kind == 3:
            data[here:here] = data[here:there]
        elif kind == 4:
            data[here:there] = rng.choice(MORSELS)
        elif kind == 5:
            other = rng.choice(others)
            start = rng.randrange(len(other))
            data[here:there] = other[start : start + rng.choice((10, 100, 1000))]
        else:
            # At a place where a value ends, so that the damage is often still JSON.
            place = data.find(b",", here) + 1
            data[place:place] = rng.choice(MORSELS)
    return bytes(data)


def ids_of(body: bytes, ends: Counter[str]) -> int | None:
    """How many ids the paging finds in a page; None if it refuses it, as it may where two things are wrong."""
    try:
        ids = row_ids(body)
        KEYSET.recognises(Page(body, ids[-1] if ids else None))
    except TapOryError:
        ends["no ids"] += 1
        return None
    return len(ids)


class Bounded:
    """Notices a response that takes too long, and memory that grows."""

    def __init__(self) -> None:
        self._before = self._peak()
        self._last = time.monotonic()

    def tick(self, what: object) -> None:
        now = time.monotonic()
        assert now - self._last < SLOWEST, what
        self._last = now

    def check(self) -> None:
        assert self._peak() - self._before < MORE_MEMORY_KIB

    @staticmethod
    def _peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)


@pytest.fixture(autouse=True)
def _no_warnings(caplog: pytest.LogCaptureFixture) -> None:
    """What the tap says of damaged pages is not kept 100,000 times."""
    caplog.set_level(logging.CRITICAL)


@pytest.fixture(scope="module")
def decoders() -> Iterator[list[Decoder]]:
    """The decoders of all streams, with the traits of a project that has schemas."""
    with Sandbox(1) as sandbox, unchanged_signals():
        tap = TapOry(config={"base_url": sandbox.url})
        yield [stream.decoder() for stream in tap.ory_streams]


def test_bodies_against_the_decoders(decoders: list[Decoder]) -> None:
    bodies = [body for body in recorded(1) if body.startswith(b"[{")]
    rng, bounded, ends = random.Random(1), Bounded(), Counter[str]()
    for number in range(BODIES):
        body = damaged(rng, rng.choice(bodies), bodies)
        # Every response meets one of the streams' decoders; the list of its ids every fourth.
        decoder = decoders[number % len(decoders)]
        try:
            lines = record_lines("x", decoder.records(decoder.rows(body))).split(b"\n")
            ends["read"] += 1
        except TapOryError:
            ends["refused"] += 1
            continue
        finally:
            bounded.tick(body)
        assert lines.pop() == b"", body
        for line in lines:
            # Numbers go through as they came, of more digits than Python converts too.
            message = json.loads(line.decode(), parse_int=str)
            assert message["type"] == "RECORD", body
            assert isinstance(message["record"]["id"], str), body
        if number % 4 == 0:
            assert ids_of(body, ends) in {None, len(lines)}, body
    bounded.check()
    # Damage that is always noticed, or never, is no damage worth a test.
    assert min(ends["read"], ends["refused"]) > BODIES // 20, ends
    assert ends["no ids"] < BODIES // 100, ends


def test_link_headers_against_the_paging() -> None:
    heads = [head.decode("latin-1") for head in recorded(0)]
    links = [line[len("Link: ") :] for head in heads for line in head.split("\n") if line.startswith("Link: ")]
    rng, bounded, ends = random.Random(2), Bounded(), Counter[str]()
    for _ in range(LINKS):
        link = rng.choice(links)
        for _ in range(rng.choice((1, 2, 4))):
            here = rng.randrange(len(link) + 1)
            link = link[:here] + rng.choice(LINK_MORSELS) + link[here + rng.choice((0, 1, 5, 30)) :]
        try:
            token = next_page_token(link)
        except TapOryError:
            ends["refused"] += 1
            continue
        finally:
            bounded.tick(link)
        ends["no next" if token is None else "a next"] += 1
        assert token is None or TOKEN.fullmatch(token), link
    bounded.check()
    assert min(ends[end] for end in ("refused", "no next", "a next")) > LINKS // 100, ends


class Server:
    """Answers with damaged pages whose next tokens are anything; after some answers there is no next."""

    def __init__(self, seed: int, bodies: list[bytes]) -> None:
        self._rng = random.Random(seed)
        self._bodies = bodies
        self.answers = 0

    def fetch(self, token: str | None, size: int | None) -> Page:
        rng = self._rng
        self.answers += 1
        body = rng.choice(self._bodies)
        ids = [found.decode() for found in UUIDS.findall(body)]
        if self.answers > 1 and rng.random() < 0.1:
            body = damaged(rng, body, self._bodies)
        if self.answers >= ANSWERS:
            return Page(body, None)
        after = id_ranges.token(
            min(id_ranges.key(token if token and id_ranges.UUID.fullmatch(token) else None) + 7, (1 << 128) - 1)
        )
        following: Any = rng.choice([*[ids[-1]] * 3, after, token, "eyJvZmZzZXQiOiIyIn0", None])
        if rng.random() < 0.6:
            # The lines of a server that is well, so that the read goes on.
            body, following = b'[{"id":"%b"}]' % after.encode(), after
        return Page(body, following, rng.choice((None, 3, 1 << 40)))


def test_readers_against_damaged_pages() -> None:
    bodies = [body for body in recorded(1) if body.startswith(b"[{") and UUIDS.search(body)]
    bounded, ends, answers = Bounded(), Counter[str](), 0
    for seed in range(READS):
        server = Server(seed, bodies)
        reader = Prefetcher(server.fetch, 3, 2)
        try:
            for page in reader.pages():
                reader.mark_written(page)
                reader.remaining()
            ends["ended"] += 1
        except TapOryError:
            ends["refused"] += 1
        bounded.tick(seed)
        answers += server.answers
    bounded.check()
    assert min(ends["ended"], ends["refused"]) > READS // 50, ends
    assert answers + BODIES + LINKS > 200_000
