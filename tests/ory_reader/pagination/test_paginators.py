"""The five families of pages, each against what a real server answered to one request after another."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ory_reader.errors import AnswerError
from ory_reader.http.client import Response
from ory_reader.pagination.page import Page
from ory_reader.pagination.paginators import ENCRYPTED, KEYSET, OFFSET, PLAIN_MAP, InBody, InBodyByRow, Paginator
from ory_reader.resources.identities import IDENTITIES
from ory_reader.resources.identity_schemas import IDENTITY_SCHEMAS

RECORDINGS = Path(__file__).parents[2] / "recordings"
TUPLES, TUPLES_BY_ROW = InBody("relation_tuples"), InBodyByRow("relation_tuples")
A, B = "3a5f2e1c-0000-4000-8000-00000000000a", "c0ffee00-0000-4000-8000-00000000000b"
#: By directory: the family, the names of the recordings, the page size that was asked for, and how many rows there are.
RECORDED: dict[str, tuple[Paginator, str, int, list[int]]] = {
    "v1.0.0": (OFFSET, "list-size-2-page-{}", 2, [2, 2, 1]),
    "v1.3.1": (KEYSET, "list-size-2-page-{}", 2, [2, 2, 1]),
    "v26.2.0": (KEYSET, "list-size-2-page-{}", 2, [2, 2, 1]),
    "sessions-v1.3.1": (PLAIN_MAP, "sessions-size-2-page-{}", 2, [2, 2, 2, 2]),
    "sessions-main": (PLAIN_MAP, "sessions-size-2-page-{}", 2, [2, 2, 2, 2]),
    "hydra-v2.3.0": (OFFSET, "clients-size-2-page-{}", 2, [2, 2, 1]),
    "hydra-main": (ENCRYPTED, "clients-size-2-page-{}", 2, [2, 2, 1]),
    "keto-v0.13.0": (TUPLES_BY_ROW, "tuples-size-5-page-{}", 5, [5, 5, 5, 2]),
    "keto-v26.2.0": (TUPLES, "tuples-size-5-page-{}", 5, [5, 5, 5, 2]),
}
COUNTED = {"v1.0.0": 5, "sessions-v1.3.1": 8, "hydra-v2.3.0": 5}


def recorded(name: str) -> tuple[dict[str, list[str]], Response]:
    """The parameters of a recorded request, and its answer."""
    request, head, body = (RECORDINGS / f"{name}.http").read_text().split("\n\n", 2)
    headers = dict(line.split(": ", 1) for line in head.split("\n")[1:] if ": " in line)
    return parse_qs(urlsplit(request.split(" ")[1]).query), Response(headers, body.encode())


@pytest.mark.parametrize("server", RECORDED)
def test_each_page_leads_to_the_request_that_was_made_next(server: str) -> None:
    paginator, name, size, rows = RECORDED[server]
    token, seen, found, keys = None, set[str](), [], list[str]()
    for number in count(1):
        asked, answer = recorded(f"{server}/{name.format(number)}")
        assert {key: [str(value)] for key, value in paginator.query(token, size).items()} == asked
        page = paginator.page(answer)
        assert paginator.after(page, token, seen) is None or page.next_token
        found.append(len(json.loads(page.body)))
        keys += [json.dumps(row) for row in json.loads(page.body)]
        assert page.total == COUNTED.get(server)
        assert page.total is None or paginator.can_be_counted
        token = page.next_token
        if token is None:
            break
    assert found == rows
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("server", RECORDED)
def test_a_page_that_comes_again_ends_the_read(server: str) -> None:
    paginator, name, _, _ = RECORDED[server]
    page = paginator.page(recorded(f"{server}/{name.format(1)}")[1])
    seen: set[str] = set()
    position = paginator.after(page, None, seen)
    with pytest.raises(AnswerError, match="leads back"):
        paginator.after(page, position, seen)


def test_encrypted_tokens_differ_while_the_rows_are_the_same() -> None:
    body, seen = b'[{"client_id":"a"}]', set[str]()
    assert ENCRYPTED.after(Page(body, "one"), None, seen) == "one"
    with pytest.raises(AnswerError, match="leads back"):
        ENCRYPTED.after(Page(body, "another"), "one", seen)


def test_tokens_in_a_body_differ_and_yet_a_page_of_several_rows_comes_once() -> None:
    seen = set[str]()
    assert TUPLES.after(Page(b'[{"a":1},{"a":2}]', "one"), None, seen) == "one"
    # A row that is stored twice is no page that comes again.
    for number in range(3):
        assert TUPLES.after(Page(b'[{"a":1}]', f"{number}"), None, seen) == f"{number}"
        assert TUPLES.after(Page(b'[{"a":1},{"a":1}]', f"{number}+"), None, seen) == f"{number}+"
    with pytest.raises(AnswerError, match="leads back"):
        TUPLES.after(Page(b'[{"a":1},{"a":2}]', "two"), "one", seen)


@pytest.mark.parametrize("server", ["keto-v0.13.0", "keto-v26.2.0"])
def test_the_first_page_tells_plain_tokens_from_encrypted_ones(server: str) -> None:
    page = TUPLES.page(recorded(f"{server}/tuples-size-5-page-1")[1])
    assert page.next_token is not None
    assert TUPLES_BY_ROW.recognises(page) is TUPLES_BY_ROW.is_token(page.next_token) is (server == "keto-v0.13.0")


def test_what_each_family_can() -> None:
    families = {"keyset": KEYSET, "map": PLAIN_MAP, "encrypted": ENCRYPTED, "body": TUPLES, "offset": OFFSET}
    families["body by row"] = TUPLES_BY_ROW
    assert [name for name, each in families.items() if each.can_be_sliced] == ["keyset"]
    assert [name for name, each in families.items() if each.can_be_resumed] == ["keyset", "map", "body by row"]
    assert [name for name, each in families.items() if each.can_be_counted] == ["map", "offset"]
    assert IDENTITIES.paginators == (KEYSET, OFFSET)
    assert IDENTITY_SCHEMAS.paginators == (OFFSET,)
    assert OFFSET.numbered(3, 250) == {"page": 3, "per_page": 250}


@pytest.mark.parametrize("paginator", [KEYSET, PLAIN_MAP, ENCRYPTED, OFFSET])
def test_a_page_that_does_not_say_whether_another_follows_is_not_the_last(paginator: Paginator) -> None:
    with pytest.raises(AnswerError, match="without a Link header"):
        paginator.page(Response({}, b"[]"))
    assert paginator.page(Response({"Link": '</x?page_token=0>; rel="first"'}, b"[]")) == Page(b"[]", None)


@pytest.mark.parametrize(
    "body",
    [
        {"relation_tuples": []},
        {"next_page_token": ""},
        {"relation_tuples": [], "next_page_token": None},
        {"relation_tuples": None, "next_page_token": ""},
        {"relation_tuples": {}, "next_page_token": ""},
        [],
        {"error": {"code": 404}},
    ],
)
def test_a_body_without_rows_or_token_is_not_the_last(body: Any) -> None:
    with pytest.raises(AnswerError, match="without relation_tuples or a next_page_token"):
        TUPLES.page(Response({}, json.dumps(body).encode()))


def test_the_end_in_a_body_is_an_empty_token() -> None:
    answer = Response({}, b'{"next_page_token":"","relation_tuples":[ {"a": 1.50} ]}')
    assert TUPLES.page(answer) == Page(b'[ {"a": 1.50} ]', None)


def encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("time", "moved"),
    [
        ("2026-11-25 13:37:14.56506", "2026-11-25 13:37:14.56507"),
        ("2026-11-25 13:37:14.56509", "2026-11-25 13:37:14.5651"),
        ("2026-11-25 13:37:14", "2026-11-25 13:37:14.00001"),
        ("2026-11-25 13:37:14.5", "2026-11-25 13:37:14.50001"),
        ("2026-12-31 23:59:59.99999", "2027-01-01 00:00:00"),
    ],
)
@pytest.mark.parametrize("text", ["id={id}/created_at={time}", "created_at={time}/id={id}"])
def test_the_time_of_a_plain_map_is_moved_on_by_what_was_cut(text: str, time: str, moved: str) -> None:
    following = PLAIN_MAP.after(Page(b"[]", encoded(text.format(id=A, time=time))), None, set())
    assert following is not None
    assert urlsafe_b64decode(following + "=" * (-len(following) % 4)).decode() == f"id={A}/created_at={moved}"


def test_a_plain_map_that_comes_again_in_another_order_leads_back() -> None:
    seen: set[str] = set()
    time = "2026-11-25 13:37:14.56506"
    PLAIN_MAP.after(Page(b"[]", encoded(f"id={A}/created_at={time}")), None, seen)
    with pytest.raises(AnswerError, match="leads back"):
        PLAIN_MAP.after(Page(b"[]", encoded(f"created_at={time}/id={A}")), None, seen)


@pytest.mark.parametrize("text", [f"id={A}", "id=x/created_at=2026-11-25 13:37:14", f"id={A}/created_at=now", "", "é"])
def test_a_plain_map_without_id_and_time_ends_the_read(text: str) -> None:
    with pytest.raises(AnswerError, match="no id and time"):
        PLAIN_MAP.after(Page(b"[]", encoded(text)), None, set())


def rows(*ids: str) -> bytes:
    return json.dumps([{"id": each} for each in ids]).encode()


def test_the_family_shows_in_the_first_page() -> None:
    assert KEYSET.recognises(Page(rows(A, B), B))
    assert not KEYSET.recognises(Page(rows(A, B), None))
    assert not KEYSET.recognises(Page(rows(B, A), "eyJvZmZzZXQiOiIyIiwidiI6Mn0"))
    # A server whose tokens are UUIDs, but not of its rows, can only be followed.
    assert not KEYSET.recognises(Page(rows(A, B), A))
    assert KEYSET.recognises(Page(b'[{"id":"%b","traits":"\\ud83d"}]' % A.encode(), A))


def test_a_keyset_page_leads_on_to_its_last_row_only() -> None:
    assert KEYSET.after(Page(rows(A, B), B), None, set()) == B
    assert KEYSET.after(Page(rows(B), B), A, set()) == B
    assert KEYSET.after(Page(rows(B), None), A, set()) is None
    for position in (B, "d0000000-0000-4000-8000-000000000000"):
        with pytest.raises(AnswerError, match="leads back"):
            KEYSET.after(Page(rows(A, B), B), position, set())
    with pytest.raises(AnswerError, match="without the rows"):
        KEYSET.after(Page(rows(A), B), None, set())
    with pytest.raises(AnswerError, match="leads back"):
        KEYSET.after(Page(rows("abc"), "abc"), None, set())


def test_an_empty_page_is_the_end_of_an_offset_server_though_it_links_on() -> None:
    assert OFFSET.after(Page(b"[]", "more"), "before", set()) is None
    assert OFFSET.after(Page(rows(A), "more"), "before", set()) == "more"
