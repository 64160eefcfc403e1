"""Change-based reads: the clock of an identity, and the rows that changed since a bookmark.

The API has no filter by time, so the same pages are read and the unchanged rows left out here. The clock is
the latest of `updated_at`, `state_changed_at`, the addresses' `verified_at` and, where credentials are read,
their `updated_at`: up to Kratos v1.3.1 an update moves only the last of these, and in no version does
verifying an address move `updated_at`. Deletions leave no trace at all.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import msgspec

from ory_reader.lossless_json import loads_page
from ory_reader.pagination.page import not_a_page

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from ory_reader.records.decoder import RecordDecoder

CHANGED_AT = "changed_at"
TIME = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class _Clocks(msgspec.Struct):
    """What moves when an identity changes; of any JSON type, as nothing here may stop a read."""

    id: Any
    updated_at: Any = None
    state_changed_at: Any = None
    verifiable_addresses: Any = None
    credentials: Any = None


_decoder = msgspec.json.Decoder(list[_Clocks])


def canonical(time: object) -> str | None:
    """Return an RFC 3339 time in UTC with nine fraction digits, so that text compares as time does.

    None for anything else.
    """
    found = TIME.fullmatch(time) if isinstance(time, str) else None
    if not found:
        return None
    try:
        moment = datetime.fromisoformat(found[1].replace("t", "T") + found[3].upper().replace("Z", "+00:00"))
        moment = moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None
    return f"{_seconds(moment)}.{(found[2] or '')[:9]:0<9}Z"


def changed_at(clocks: _Clocks) -> str | None:
    """The latest time at which the identity is known to have changed, canonical; None if it tells none."""
    times = [clocks.updated_at, clocks.state_changed_at]
    if isinstance(clocks.verifiable_addresses, list):
        times += [address.get("verified_at") for address in clocks.verifiable_addresses if isinstance(address, dict)]
    if isinstance(clocks.credentials, dict):
        times += [value.get("updated_at") for value in clocks.credentials.values() if isinstance(value, dict)]
    return max(filter(None, map(canonical, times)), default=None)


class ChangesDecoder:
    """A `RecordDecoder` that leaves out what did not change, and stamps `changed_at` on the rest."""

    #: The field that changes are told by.
    key = CHANGED_AT

    def __init__(
        self, inner: RecordDecoder, bookmark: object, lookback: timedelta, beside: Mapping[str, str] | None = None
    ) -> None:
        """`bookmark` is the state's; None or anything that is no time reads everything. `beside` is kept with it."""
        self.inner = inner
        self._beside = beside or {}
        self.since = minus(bookmark, lookback)
        self.newest: str | None = None

    def rows(self, body: bytes, *, upper: str | None = None, seen: Collection[str] = ()) -> list[Any]:
        """Decode a page into the rows that changed, as `RecordDecoder.rows` does."""
        changes = {clocks.id: changed_at(clocks) for clocks in _decode(body)}
        self.newest = max(filter(None, [self.newest, *changes.values()]), default=None)
        rows = []
        for row in self.inner.rows(body, upper=upper, seen=seen):
            changed = changes.get(row.id)
            if moved := self.inner.moved_at(row):
                changed = max(changed or moved, moved)
                self.newest = max(self.newest or moved, moved)
            if changed is None or changed >= self.since:
                rows.append(self.inner.stamped(row, CHANGED_AT, changed))
        return rows

    def decode_texts(self, texts: Collection[str]) -> None:
        """Decode from now on what is in these fields."""
        self.inner.decode_texts(texts)

    def records(self, rows: list[Any]) -> list[Any]:
        """Return the records of rows."""
        return self.inner.records(rows)

    def dicts(self, rows: list[Any]) -> Iterator[dict[str, Any]]:
        """Return rows as dicts."""
        return self.inner.dicts(rows)

    def share(self, decoders: Iterable[object]) -> None:
        """Share what decoders of all rows share."""
        self.inner.share([each.inner if isinstance(each, ChangesDecoder) else each for each in decoders])

    def bookmark(self, started_at: datetime) -> dict[str, Any]:
        """What the state keeps for the next run: what changed after the read began may have been read before."""
        if self.newest is None:
            return {}
        began = f"{_seconds(started_at.astimezone(timezone.utc))}.000000000Z"
        value = max(min(self.newest, began), self.since)
        return {"replication_key": self.key, "replication_key_value": value, **self._beside}


def _decode(body: bytes) -> list[_Clocks]:
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        page = loads_page(body)
        return [_Clocks(**{key: row[key] for key in _Clocks.__struct_fields__ if key in row}) for row in page]
    except (ValueError, TypeError, RecursionError):
        raise not_a_page() from None


def minus(bookmark: object, lookback: timedelta) -> str:
    """Return a time so much before a bookmark, canonical; before all times where that is none."""
    text = canonical(bookmark)
    if text is None:
        return ""
    try:
        moment = datetime.fromisoformat(text[:19]) - lookback
    except OverflowError:
        return ""
    return _seconds(moment) + text[19:]


def _seconds(moment: datetime) -> str:
    """A time to the second, without its zone. Not by `strftime`, which pads no year below 1000 on Linux."""
    return moment.isoformat()[:19]
