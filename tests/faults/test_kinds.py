"""Faults: which requests a scenario hits, and what a client that is not the tap's sees of each."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import socket
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ory_sandbox import Sandbox
from tests.faults.kinds import TROUBLES
from tests.faults.sandbox import FaultySandbox
from tests.faults.truncation import PLACES
from tests.sandbox.client import Answer, fetch, walk
from tests.sandbox.test_command import _start, _urls

LIST = "/admin/identities?page_size=20"
TEAPOT = {"do": "status", "status": 418}


def page(sandbox: Sandbox, place: int | None = None) -> Answer:
    """The page of 20 behind the identity at a place of the list."""
    token = "" if place is None else f"&page_token={sandbox.identities[place]['id']}"
    return fetch(sandbox.url, LIST + token)


def statuses(number: int, *faults: dict[str, Any], seed: int = 1) -> list[int]:
    with FaultySandbox(60, faults=faults, seed=seed) as sandbox:
        return [fetch(sandbox.url, LIST).status for _ in range(number)]


def one(do: str, **parameters: Any) -> dict[str, Any]:
    """A fault of a scenario."""
    return {"do": do, **parameters}


def raw(url: str, *, closing: bool = False) -> bytes:
    """All bytes until the server closes the connection, which it is asked to do if `closing`."""
    head = f"GET {LIST} HTTP/1.1\r\nHost: x\r\n" + ("Connection: close\r\n\r\n" if closing else "\r\n")
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=5) as connection:
        connection.sendall(head.encode())
        received = b""
        while piece := connection.recv(1 << 16):
            received += piece
        return received


@pytest.mark.parametrize(
    ("selecting", "expected"),
    [
        ({}, [418, 200, 200, 200, 200, 200]),
        ({"at": 3}, [200, 200, 418, 200, 200, 200]),
        ({"at": 2, "times": 3}, [200, 418, 418, 418, 200, 200]),
        ({"at": 4, "times": None}, [200, 200, 200, 418, 418, 418]),
        ({"at": 2, "every": 2, "times": None}, [200, 418, 200, 418, 200, 418]),
        ({"at": 1, "every": 3, "times": 1}, [418, 200, 200, 200, 200, 200]),
    ],
)
def test_which_requests_are_hit(selecting: dict[str, Any], expected: list[int]) -> None:
    assert statuses(6, {**TEAPOT, **selecting}) == expected


def test_a_share_is_the_same_for_a_seed() -> None:
    fault = {**TEAPOT, "share": 0.5, "times": None}
    hit = statuses(40, fault)
    assert hit == statuses(40, fault)
    assert 10 < hit.count(418) < 30
    assert hit != statuses(40, fault, seed=2)


def test_each_fault_counts_for_itself_and_the_first_wins() -> None:
    faults = [{**TEAPOT, "at": 2}, {"do": "status", "status": 503, "at": 2, "times": 2}]
    assert statuses(4, *faults) == [200, 418, 503, 200]


def test_only_pages_behind_a_token_or_with_a_row() -> None:
    with Sandbox(60) as plain:
        ids = [identity["id"] for identity in plain.identities]
    for fault, expected in [
        ({"after": ids[19]}, [200, 418, 418]),
        ({"row": ids[25]}, [200, 418, 200]),
        ({"row": 45}, [200, 200, 418]),
    ]:
        with FaultySandbox(60, faults=[{**TEAPOT, "times": None, **fault}]) as sandbox:
            assert [page(sandbox, place).status for place in (None, 19, 39)] == expected


def test_only_lists_of_identities_are_hit() -> None:
    with FaultySandbox(3, faults=[{**TEAPOT, "times": None}]) as sandbox:
        paths = ["/admin/version", f"/admin/identities/{sandbox.identities[0]['id']}", "/identities"]
        assert [fetch(sandbox.url, path).status for path in paths] == [200, 200, 418]
        assert fetch(sandbox.public_url, "/schemas").status == 200


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"do": "explode"}, "no such fault: 'explode'; there are body, bomb"),
        ({}, "no such fault: None"),
        ({"do": "status"}, "not how 'status' is told: missing a required argument: 'status'"),
        ({"do": "drip", "speed": 3}, "not how 'drip' is told: got an unexpected keyword argument 'speed'"),
    ],
)
def test_a_fault_that_is_none_is_refused(fault: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FaultySandbox(1, faults=[fault])


def test_a_scenario_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    file.write_text(json.dumps([{**TEAPOT, "at": 2}]))
    with _start("--identities", "3", "--faults", str(file), module="tests.faults") as process:
        admin = _urls(process)[0]
        answers = [fetch(admin, LIST).status for _ in range(3)]
        process.terminate()
        process.communicate(timeout=10)
    assert answers == [200, 418, 200]


@pytest.mark.parametrize("text", ["{}", "[1]", "[", '[{"do":"x"}]'])
def test_a_file_that_is_no_scenario_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "faults.json"
    file.write_text(text)
    with _start("--faults", str(file), module="tests.faults") as process:
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 1
    assert errors.startswith("ory_sandbox: ")
    assert "Traceback" not in errors


def test_outage() -> None:
    with FaultySandbox(60, faults=[one("outage", seconds=0.3, at=2)]) as sandbox:
        port = urlsplit(sandbox.url).port or 0
        with socket.create_connection(("127.0.0.1", port), timeout=5) as idle:
            before = page(sandbox)
            with pytest.raises(http.client.RemoteDisconnected):
                page(sandbox)
            assert idle.recv(1) == b""
        for url in (sandbox.url, sandbox.public_url):
            with pytest.raises(ConnectionRefusedError):
                fetch(url, LIST)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                after = page(sandbox)
                break
            except ConnectionRefusedError:
                time.sleep(0.02)
        assert after.ids == before.ids
        assert fetch(sandbox.public_url, "/schemas").status == 200


def test_reset() -> None:
    with FaultySandbox(60, faults=[one("reset")]) as sandbox:
        with pytest.raises(ConnectionResetError):
            raw(sandbox.url)
        assert page(sandbox).status == 200


@pytest.mark.parametrize("place", PLACES)
def test_cut(place: str) -> None:
    with FaultySandbox(60, faults=[one("cut", place=place), one("cut", place=place, framing="close", at=2)]) as sandbox:
        framed, unframed = raw(sandbox.url), raw(sandbox.url)
        whole = page(sandbox).body
    assert b"\r\n0\r\n\r\n" not in framed
    body = unframed.partition(b"\r\n\r\n")[2]
    assert whole.startswith(body)
    assert len(body) < len(whole)
    assert b"Content-Length" not in unframed
    assert b"Transfer-Encoding" not in unframed


@pytest.mark.parametrize(
    ("place", "ending"),
    [
        ("head", b""),
        ("end of head", b"\r\n\r\n"),
        ("nested array", b"]"),
        ("between rows", b"},"),
        ("object", b"}"),
        ("last bracket", b"}"),
        ("last chunk", b"nul"),
    ],
)
def test_where_it_is_cut(place: str, ending: bytes) -> None:
    with FaultySandbox(60, faults=[one("cut", place=place, framing="close")]) as sandbox:
        received = raw(sandbox.url)
    assert received.endswith(ending)
    assert (b"\r\n\r\n" in received) == (place != "head")


def test_stall() -> None:
    with FaultySandbox(60, faults=[one("stall")]) as sandbox:
        connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=0.5)
        connection.request("GET", LIST)
        response = connection.getresponse()
        with pytest.raises(TimeoutError):
            response.read()
        connection.close()
        assert page(sandbox).status == 200


def test_drip() -> None:
    with FaultySandbox(60, faults=[one("drip", size=2000, seconds=0.02)]) as sandbox:
        began = time.monotonic()
        slow = page(sandbox)
        taken = time.monotonic() - began
        assert slow.body == page(sandbox).body
    assert taken > 0.02 * (len(slow.body) // 2000)


def test_status() -> None:
    faults = [
        one("status", status=429, retry_after="soon"),
        one("status", status=503, retry_at=60, at=2),
        one("status", status=502, html=True, at=3),
        one("status", status=307, location="http://elsewhere.invalid/", at=4),
        one("status", status=400, message="page token expired", at=5),
    ]
    with FaultySandbox(60, faults=faults) as sandbox:
        busy, down, proxy, moved, expired = (page(sandbox) for _ in faults)
    assert (busy.status, busy.header("Retry-After")) == (429, "soon")
    date = parsedate_to_datetime(down.header("Retry-After") or "")
    assert 55 < date.timestamp() - time.time() < 61
    assert proxy.header("Content-Type") == "text/html"
    assert proxy.body.startswith(b"<!DOCTYPE html>")
    assert (moved.status, moved.header("Location")) == (307, "http://elsewhere.invalid/")
    assert expired.json["error"]["message"] == "page token expired"


def test_bodies() -> None:
    faults = [
        one("body", text="null"),
        one("nested", depth=3, at=2),
        one("nested", depth=3, member="traits", at=3),
        one("large", mib=2, at=4),
        one("bomb", mib=5, at=5),
    ]
    with FaultySandbox(60, faults=faults) as sandbox:
        null, pile, member, large, bomb = (page(sandbox) for _ in faults)
        usual = page(sandbox)
    assert null.body == b"null"
    assert null.links == usual.links
    assert pile.json == [[[]]]
    assert member.json[0]["id"] == usual.ids[0]
    assert b'{"traits":[[[]]],' in member.body
    assert large.json == []
    assert len(large.body) == 2 * (1 << 20) + 2
    assert len(bomb.body) < 1 << 14
    assert len(gzip.decompress(bomb.body)) == 5 * (1 << 20) + 2


def test_empty_pages_with_a_next() -> None:
    with FaultySandbox(60, faults=[one("empty", after="0"), one("empty", after="0", at=2, withheld=True)]) as sandbox:
        ids = [identity["id"] for identity in sandbox.identities]
        leading, withholding, usual = (page(sandbox, 9) for _ in range(3))
        assert leading.json == withholding.json == []
        assert withholding.links == usual.links
        query = urlsplit(leading.links["next"]).query
        assert fetch(sandbox.url, f"{LIST}&{query}").ids[0] == ids[10]


def test_pages_not_quite_right() -> None:
    faults = [
        one("content-type", value="text/html"),
        one("invalid-utf8", at=2),
        one("zipped", at=3),
        one("zipped", keep=0.5, at=4),
        one("pretty", at=5),
        one("byte-order-mark", at=6),
        one("clock", seconds=-3600, at=7),
    ]
    with FaultySandbox(60, faults=faults) as sandbox:
        html, damaged, zipped, truncated, pretty, marked, late = (page(sandbox) for _ in faults)
        usual = page(sandbox)
    assert (html.header("Content-Type"), html.body) == ("text/html", usual.body)
    with pytest.raises(UnicodeDecodeError):
        damaged.body.decode()
    assert json.loads(damaged.body.decode(errors="replace"))[1:] == usual.json[1:]
    assert gzip.decompress(zipped.body) == usual.body
    with pytest.raises(EOFError):
        gzip.decompress(truncated.body)
    assert pretty.json == usual.json
    assert pretty.body.count(b"\r\n") > 100
    assert marked.body == b"\xef\xbb\xbf" + usual.body
    dates = [parsedate_to_datetime(each.header("Date") or "").timestamp() for each in (late, usual)]
    assert 3590 < dates[1] - dates[0] < 3610


def test_tokens_and_clamped_pages() -> None:
    faults = [
        one("clamp", size=7),
        one("next-token", at=2),
        one("next-token", token="%3Cno%20token%3E", at=3),
        one("next-token", token="", length=100_000, at=4),
    ]
    with FaultySandbox(60, faults=faults) as sandbox:
        ids = [identity["id"] for identity in sandbox.identities]
        clamped, repeating, odd = (page(sandbox, 9) for _ in faults[:3])
        assert clamped.ids == ids[10:17]
        assert f"page_token={ids[16]}" in clamped.links["next"]
        assert repeating.links["next"].endswith(f"page_token={ids[9]}")
        assert odd.links["next"].endswith("page_token=%3Cno%20token%3E")
        assert len(raw(sandbox.url, closing=True).partition(b"\r\n\r\n")[0]) > 100_000


@pytest.mark.parametrize("manner", ["v1.0", "v1.3"])
def test_rows_come_and_go_around_the_cursor(manner: str) -> None:
    with FaultySandbox(60, manner=manner, faults=[one("move", at=2)]) as sandbox:
        before = [identity["id"] for identity in sandbox.identities]
        seen = [identity for each in walk(sandbox.url, LIST) for identity in each.ids]
        after = [identity["id"] for identity in sandbox.identities]
    (deleted_read, deleted_ahead) = (identity for identity in before if identity not in after)
    (created_read, created_ahead) = (identity for identity in after if identity not in before)
    assert before.index(deleted_read) < 20 <= before.index(deleted_ahead) < 27
    assert after.index(created_read) < after.index(before[19]) < after.index(created_ahead) < after.index(before[20])
    # Whatever came and went before the cursor cancels out for an offset.
    assert seen == [*before[:20], created_ahead, *(each for each in before[20:] if each != deleted_ahead)]


def test_a_row_slips_by_an_offset() -> None:
    fault = one("move", at=2, created_read=0, created_ahead=0, deleted_ahead=0)
    with FaultySandbox(60, manner="v1.0", faults=[fault]) as sandbox:
        before = [identity["id"] for identity in sandbox.identities]
        seen = [identity for each in walk(sandbox.url, LIST) for identity in each.ids]
    assert [identity for identity in before if identity not in seen] == [before[20]]


def test_a_row_becomes_unreadable() -> None:
    with FaultySandbox(60, faults=[one("unreadable", place=25, at=2)]) as sandbox:
        assert [page(sandbox, place).status for place in (19, 19, 19, 39)] == [200, 500, 500, 200]


@pytest.mark.parametrize("seconds", [None, 0.05])
def test_mended(seconds: float | None) -> None:
    faults = [one("unreadable", place=3), one("status", status=503, at=2, times=None), one("outage", seconds=seconds)]
    with FaultySandbox(60, faults=faults[:2]) as sandbox:
        assert [page(sandbox).status for _ in range(2)] == [500, 503]
        sandbox.mend()
        assert page(sandbox).status == 200
    with FaultySandbox(60, faults=faults[2:]) as sandbox:
        with pytest.raises(http.client.RemoteDisconnected):
            page(sandbox)
        sandbox.mend()
        assert page(sandbox).status == 200
        assert fetch(sandbox.public_url, "/schemas").status == 200


def test_all_faults_were_tried() -> None:
    tried = re.findall(r'one\("([a-z0-9-]+)"', Path(__file__).read_text(encoding="utf-8"))
    assert set(TROUBLES) == set(tried)
