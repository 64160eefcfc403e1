"""A set of keys says what a set of texts says, in a fraction of the memory."""

import tracemalloc
import uuid
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ory_reader.pagination import key_set
from ory_reader.pagination.key_set import KeySet

IDS = st.uuids().map(str)
#: Ids, what is nearly one, and anything: capitals, no hyphens, blanks, commas, what `fromhex` passes over.
KEYS = st.one_of(
    IDS,
    IDS.map(str.upper),
    IDS.map(lambda each: each.replace("-", "")),
    IDS.map(lambda each: each[:8] + "," + each[9:]),
    IDS.map(lambda each: " " + each[1:]),
    IDS.map(lambda each: each[:34] + "  "),
    IDS.map(lambda each: each + ","),
    st.text(),
    st.sampled_from(["", "a", "\ud800", "00000000-0000-0000-0000-000000000000", "-" * 36, "," * 37]),
)


@given(st.lists(st.lists(KEYS | st.shared(IDS), max_size=8), max_size=8))
def test_it_is_a_set(pages: list[list[str]]) -> None:
    ours, plain = KeySet(), set[str]()
    for page in [*pages, *pages]:
        assert ours.add(page) == plain.intersection(page)
        plain.update(page)
        assert len(ours) == len(plain)


@given(st.data())
def test_so_it_is_where_all_lie_in_few_buckets(data: st.DataObject) -> None:
    """And where one key is a piece of two others, side by side."""
    pieces = st.lists(st.sampled_from(["00", "01"]), min_size=16, max_size=16)
    ids = pieces.map(lambda each: str(uuid.UUID("".join(each))))
    pages = data.draw(st.lists(st.lists(ids, max_size=5), max_size=30))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_set, "BUCKETS", 1)
        ours, plain = KeySet(), set[str]()
        for page in pages:
            assert ours.add(page) == plain.intersection(page)
            plain.update(page)
        assert len(ours) == len(plain)


def test_a_piece_of_two_keys_is_none() -> None:
    one, other = "00" * 8 + "11" * 8, "22" * 8 + "33" * 8
    across = "11" * 8 + "22" * 8
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_set, "BUCKETS", 1)
        keys = KeySet()
        keys.add([str(uuid.UUID(one)), str(uuid.UUID(other))])
        assert keys.add([str(uuid.UUID(across))]) == set()
        assert keys.add([str(uuid.UUID(across))]) == {str(uuid.UUID(across))}


def test_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    # As many in each bucket as of a few million.
    monkeypatch.setattr(key_set, "BUCKETS", 1024)
    number, random = 50_000, Random(1)
    pages = [[str(uuid.UUID(int=random.getrandbits(128))) for _ in range(500)] for _ in range(number // 500)]
    tracemalloc.start()
    keys = KeySet()
    for page in pages:
        keys.add(page)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(keys) == number
    assert size < 18 * number
