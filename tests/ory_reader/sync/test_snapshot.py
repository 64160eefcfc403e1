"""The state of an interrupted read: gone on with where that is safe, else set aside with a reason."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ory_reader.pagination.id_ranges import Slice, token
from ory_reader.sync.snapshot import SetAsideError, Snapshot

BEGAN = datetime(2026, 5, 5, 12, tzinfo=timezone.utc)
DAY = timedelta(hours=24)
LEFT = [Slice(position=token(5), upper=token(9), written=token(3)), Slice(written=None, upper=None)]


def begun(later: timedelta = timedelta(), base_url: str = "https://a.example", fields: object = "f") -> Snapshot:
    return Snapshot.begin(BEGAN + later, base_url, fields)


def state(**changes: Any) -> dict[str, Any]:
    """What a read that was interrupted leaves, through JSON as a state file is."""
    kept: dict[str, Any] = json.loads(json.dumps(begun().to_state(LEFT, resumed=False)))
    return {**kept, **changes}


def test_goes_on_under_the_same_version_behind_what_was_written() -> None:
    snapshot, slices = begun(timedelta(hours=3)).resume(state(), DAY)
    assert snapshot.version == begun().version != begun(timedelta(hours=3)).version
    assert snapshot.started_at == BEGAN
    assert [(part.position, part.upper, part.written) for part in slices] == [
        (token(3), token(9), token(3)),
        (None, None, None),
    ]


def test_no_two_reads_share_a_version() -> None:
    """Clocks are set back, and a second is long: what was set aside would pass for the new read's."""
    known = {begun().version, begun().version + 1, begun().version + 3}
    assert Snapshot.begin(BEGAN, "", "f", known).version == begun().version + 2


def test_a_resumed_read_says_so_in_its_states() -> None:
    assert begun().to_state(LEFT, resumed=True)["resumed"] is True
    assert "resumed" not in state()


def test_the_state_holds_no_address() -> None:
    assert "example" not in json.dumps(state())


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (begun(DAY), "older than resume_within"),
        (begun(timedelta(seconds=-1)), "shape"),
        (begun(timedelta(hours=1), base_url="https://b.example"), "another base_url"),
        (begun(timedelta(hours=1), fields="g"), "fields or settings"),
    ],
)
def test_another_read_is_set_aside(new: Snapshot, reason: str) -> None:
    with pytest.raises(SetAsideError, match=reason):
        new.resume(state(), DAY)


@pytest.mark.parametrize(
    "change",
    [
        {"version": "1"},
        {"version": True},
        {"version": 1 << 40},
        {"started_at": "yesterday"},
        {"started_at": "2026-05-05T12:00:00"},
        {"started_at": None},
        {"slices": []},
        {"slices": None},
        {"slices": [[token(1)]]},
        {"slices": [[7, 8]]},
        {"slices": [[None, None]] * 5000},
    ],
)
def test_a_strange_shape_is_set_aside(change: dict[str, Any]) -> None:
    with pytest.raises(SetAsideError, match="shape"):
        begun(timedelta(hours=1)).resume(state(**change), DAY)


@pytest.mark.parametrize("missing", ["version", "started_at", "source", "fields", "slices"])
def test_a_part_missing_is_a_strange_shape(missing: str) -> None:
    kept = state()
    del kept[missing]
    with pytest.raises(SetAsideError, match="shape"):
        begun(timedelta(hours=1)).resume(kept, DAY)
