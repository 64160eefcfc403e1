"""A full read as one unit: its version, where it stands, and whether a later run may go on with it.

The state holds, for each stream, `snapshot`: the version of the records, when the read began, what was read
(hashes of the address and of the fields) and what is not written yet: slices of the key space, or the token of a page.
Where tokens never expire, a run that finds such a state goes on under the same version.

Knows nothing of threads or HTTP.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import TYPE_CHECKING, Any

from ory_reader.pagination.id_ranges import Slice

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

#: A state with more slices than this is none of ours.
MAX_SLICES = 4096
#: Why one is not gone on with that nobody here has written.
STRANGE = "its shape is not known"


class SetAsideError(Exception):
    """The state's snapshot cannot be gone on with; the message says why."""


@dataclass(frozen=True)
class Snapshot:
    """One full read. `version` is in whole seconds, as targets keep it in 32 bits."""

    version: int
    started_at: datetime
    source: str
    fields: str

    @classmethod
    def begin(cls, now: datetime, base_url: str, fields: object, taken: Collection[int] = ()) -> Snapshot:
        """A read that begins now. `fields` is all that decides what a record looks like.

        No two reads may share a version, or the records of one would pass for the other's: `taken` are those known.
        """
        version = next(each for each in count(int(now.timestamp())) if each not in taken)
        return cls(version, now, source_of(base_url), _digest(fields))

    def to_state(self, slices: list[Slice], *, resumed: bool) -> dict[str, Any]:
        """What the state keeps; `resumed` tells a target that a part of the records came earlier."""
        state: dict[str, Any] = {
            "version": self.version,
            "started_at": self.started_at.isoformat(),
            "source": self.source,
            "fields": self.fields,
            "slices": [[part.written, part.upper] for part in slices],
        }
        return {**state, "resumed": True} if resumed else state

    def resume(self, state: Mapping[str, Any], within: timedelta) -> tuple[Snapshot, list[Slice]]:
        """Return the interrupted read that `state` holds, and what is left of it.

        `self` is the read that would begin instead.

        Raises:
            SetAsideError: if it is too old, of another address or other fields, or of a strange shape.
        """
        try:
            version, started_at = state["version"], datetime.fromisoformat(state["started_at"])
            age = self.started_at - started_at
            slices = [_slice(part) for part in state["slices"]]
            same = state["source"] == self.source, state["fields"] == self.fields
            if type(version) is not int or not 0 < len(slices) <= MAX_SLICES or version > self.version:
                raise ValueError  # noqa: TRY301 - one sentence for every strange shape
        except (KeyError, TypeError, ValueError, OverflowError):
            raise SetAsideError(STRANGE) from None
        if not same[0]:
            msg = "it was read from another base_url"
            raise SetAsideError(msg)
        if not same[1]:
            msg = "the selected fields or settings have changed"
            raise SetAsideError(msg)
        if not timedelta(0) <= age < within:
            msg = f"it is older than resume_within ({within.total_seconds() / 3600:g} h)"
            raise SetAsideError(msg)
        return Snapshot(version, started_at, self.source, self.fields), slices


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(timezone.utc)


def source_of(base_url: str) -> str:
    """What a state keeps of the address that it was read from: a hash, 16 hex digits."""
    return _digest(base_url)


def _slice(part: Any) -> Slice:
    written, upper = part
    for token in (written, upper):
        if token is not None and not isinstance(token, str):
            raise TypeError
    return Slice(position=written, upper=upper, written=written)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=_plain).encode()).hexdigest()[:16]


def _plain(value: object) -> object:
    """A set, whose order differs from run to run, or a dataclass as JSON."""
    return sorted(value) if isinstance(value, frozenset) else vars(value)
