"""Paging: tokens out of Link headers, the two families of servers, slices of the key space."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ory_reader.errors import AnswerError
from ory_reader.pagination import id_ranges
from ory_reader.pagination.id_ranges import Slice, cut, key, token
from ory_reader.pagination.links import next_page_token
from ory_reader.pagination.page import Page, row_ids
from ory_reader.pagination.paginators import KEYSET

RECORDINGS = Path(__file__).parents[2] / "recordings"
A, B = "3a5f2e1c-0000-4000-8000-00000000000a", "c0ffee00-0000-4000-8000-00000000000b"


def recorded(name: str) -> tuple[str | None, bytes]:
    """The Link header and the body of a recorded answer."""
    _, head, body = (RECORDINGS / f"{name}.http").read_text().split("\n\n", 2)
    links = [line.partition(":")[2].strip() for line in head.split("\n") if line.lower().startswith("link:")]
    return ", ".join(links) or None, body.encode()


@pytest.mark.parametrize("version", ["v1.0.0", "v1.3.1", "v26.2.0"])
def test_recorded_pages_lead_from_one_to_the_next(version: str) -> None:
    ids = [row["id"] for row in json.loads(recorded(f"{version}/list-all")[1])]
    read = []
    for page in (1, 2, 3):
        link, body = recorded(f"{version}/list-size-2-page-{page}")
        following = next_page_token(link)
        read += row_ids(body)
        fetched = Page(body, following)
        if page == 1:
            assert KEYSET.recognises(fetched) is (version != "v1.0.0")
        if version != "v1.0.0" and following:
            assert following == row_ids(body)[-1]
    assert read == ids[:6]
    assert next_page_token(recorded(f"{version}/list-all")[0]) is None


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, None),
        ("", None),
        ("nonsense", None),
        ('</admin/identities?page_token=0>; rel="first"', None),
        ('</x?page_token=abc>; rel="next"', "abc"),
        ("</x?page_token=abc>; rel=next", "abc"),
        ('</x?page_token=first>; rel="first",</x?page_size=2&page_token=abc>; rel="next"', "abc"),
        ('<http://elsewhere.example/x?page_token=abc#f>;title="a, b"; rel="next"', "abc"),
        ('<http://[/x?page_token=abc>; rel="next"', "abc"),
        ('</x?page_token=abc> ; Rel = "Next" ; title=x', "abc"),
        ('</x?page_token=a%3Db>; rel="next"', "a=b"),
        ('</x?page_token=abc>; rel="nextish"', None),
        ('</x?page_token=abc>; rel="prev"', None),
    ],
)
def test_only_the_token_of_next_is_taken(header: str | None, found: str | None) -> None:
    assert next_page_token(header) == found


@pytest.mark.parametrize(
    "query",
    ["page=2&per_page=2", "page_token=", "page_token=a&page_token=b", "page_token=a%0Ab", "page_token=a+b", ""],
)
def test_a_next_page_without_a_usable_token_is_an_error_and_not_the_end(query: str) -> None:
    with pytest.raises(AnswerError, match="without a page token that can be used"):
        next_page_token(f'</admin/identities?{query}>; rel="next"')


def test_a_token_that_is_too_long_is_none() -> None:
    assert next_page_token(f'</x?page_token={"a" * 2048}>; rel="next"') == "a" * 2048
    with pytest.raises(AnswerError):
        next_page_token(f'</x?page_token={"a" * 2049}>; rel="next"')


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        (b"[]", []),
        (b' [ {"x":1,"id":"a"} ,{"id":"b"}]\n', ["a", "b"]),
        (b'\xef\xbb\xbf[{"id":"a"}]', ["a"]),
        (b'[{"id":"a","traits":"\\ud800"}]', ["a"]),
        (b'[{"id":"a","traits":{"\\udc00":1}},{"id":"b"}]', ["a", "b"]),
        (b'[{"id":"a","traits":"\xff"}]', ["a"]),
        (b'\xef\xbb\xbf[{"id":"a","traits":"\xff"}]', ["a"]),
        (b'[{"id":"a","id":"b"}]', ["b"]),
        (b'[{"id":"a","traits":["\\ud800",%b,1e%b]}]' % (b"9" * 5000, b"9" * 19), ["a"]),
    ],
)
def test_ids_of_a_page(body: bytes, ids: list[str]) -> None:
    assert row_ids(body) == ids


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"id":"a"}',
        b"[1]",
        b"[null]",
        b'["id"]',
        b"[{}]",
        b'[{"id":1}]',
        b'[{"id":null}]',
        b'[{"id":"a"}',
        b'[{"id":"a"},]',
        b"[" * 5000 + b"]" * 5000,
    ],
)
def test_what_is_no_page(body: bytes) -> None:
    with pytest.raises(AnswerError, match="not a list of identities"):
        row_ids(body)


def page(*ids: str, following: str | None) -> Page:
    return Page(json.dumps([{"id": each} for each in ids]).encode(), following)


def test_the_family_shows_in_the_first_page() -> None:
    assert KEYSET.recognises(page(A, B, following=B))
    assert not KEYSET.recognises(page(A, B, following=None))
    assert not KEYSET.recognises(page(B, A, following="eyJvZmZzZXQiOiIyIiwidiI6Mn0"))
    # A server whose tokens are UUIDs, but not of its rows, can only be followed.
    assert not KEYSET.recognises(page(A, B, following=A))
    assert KEYSET.recognises(Page(b'[{"id":"%b","traits":"\\ud83d"}]' % A.encode(), A))


@pytest.mark.parametrize(("body", "empty"), [(b"[]", True), (b" [ ]\n", True), (b'[{"id":"a"}]', False)])
def test_an_empty_page_is_known(body: bytes, empty: bool) -> None:  # noqa: FBT001
    assert Page(body, None).is_empty is empty


def test_keys_and_tokens_are_each_other() -> None:
    assert token(key(A)) == A
    assert key(None) == 0
    assert key(None, 7) == 7
    assert token(id_ranges.KEY_SPACE - 1) == "ffffffff-ffff-ffff-ffff-ffffffffffff"


tokens = st.uuids().map(str)
bounds = st.lists(tokens, min_size=2, max_size=2, unique=True).map(sorted)


def covered(slices: list[Slice], identity: str) -> int:
    """How many slices an id belongs to."""
    return sum(
        1 for part in slices if (part.position or "") < identity and (part.upper is None or identity <= part.upper)
    )


@given(bounds, st.tuples(st.booleans(), st.booleans()), st.integers(1, 32), st.lists(st.uuids(), min_size=1), st.data())
def test_every_id_belongs_to_exactly_one_of_the_cuts(
    bounds: list[str], bounded: tuple[bool, bool], count: int, ids: list[uuid.UUID], data: st.DataObject
) -> None:
    position, upper = (bound if kept else None for bound, kept in zip(bounds, bounded, strict=True))
    slices = cut(Slice(position=position, upper=upper, written=position), count)
    assert len(slices) == count
    inner = [part.position for part in slices[1:] if part.position]
    assert inner == sorted(inner)
    for identity in [*map(str, ids), *inner, *([upper] if upper else [])]:
        within = (position or "") < identity and (upper is None or identity <= upper)
        assert covered(slices, identity) == within
    # And still so after any of them gives its upper half away.
    part = data.draw(st.sampled_from(slices))
    taken = part.split()
    assert taken.written == taken.position == part.upper
    for identity in [*map(str, ids), *inner, str(part.upper)]:
        within = (position or "") < identity and (upper is None or identity <= upper)
        assert covered([*slices, taken], identity) == within


def test_a_finished_slice_has_nothing_left() -> None:
    part: Any = Slice(position=A, upper=B)
    assert part.stretch() == key(B) - key(A)
    part.done = True
    assert part.stretch() == 0
