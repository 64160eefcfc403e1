"""Every id belongs to one slice of the key space, however it is cut."""

import uuid
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ory_reader.pagination import id_ranges
from ory_reader.pagination.id_ranges import Slice, cut, key, token

A, B = "3a5f2e1c-0000-4000-8000-00000000000a", "c0ffee00-0000-4000-8000-00000000000b"


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
