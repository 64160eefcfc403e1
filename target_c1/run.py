"""One run: users come in, and a file of them is published at the end, whole or not at all.

Whoever has the users, as Singer messages or as records at hand, says whether they are all. Knows nothing of either.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from target_c1.c1z import Stamp
from target_c1.drop_check import check_losses
from target_c1.encoders import ENCODERS
from target_c1.errors import InputError
from target_c1.formats import choose_format
from target_c1.mapping import choose_streams
from target_c1.publish import open_destination
from target_c1.repairs import MAX_DEPTH, repaired
from target_c1.rows import RowMaker
from target_c1.scope import Scope
from target_c1.store import Store
from target_c1.users import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from target_c1.formats import Format
    from target_c1.publish import Destination
    from target_c1.settings import Settings
    from target_c1.users import Tally, UserReader

_logger = logging.getLogger("target-c1")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Run:
    """Takes users into a store, and publishes them when it is told that they are all."""

    def __init__(  # noqa: PLR0913, PLR0917 - what `open_run` holds open
        self,
        settings: Settings,
        scope: Scope,
        maker: RowMaker,
        file_format: Format,
        destination: Destination,
        store: Store,
    ) -> None:
        """Use `open_run`."""
        self.settings, self.maker, self.store = settings, maker, store
        #: Whether this run has replaced the file.
        self.is_published = False
        self._scope, self._format, self._destination = scope, file_format, destination
        self._started = time.monotonic()

    def add(self, users: UserReader, record: dict[str, Any]) -> None:
        """Store the user of a record; one that has none is counted.

        Raises:
            RecursionError: if it is nested deeper than Python can follow; then no user was added.
        """
        user = users.read(record)
        if user is not None:
            self.store.add(user.id, user.status, self.maker.encode(user, users.tally.changed))

    def add_records(self, stream: str, records: Sequence[Any]) -> None:
        """Store the users of many records of a stream, each of which msgspec encodes as a JSON object.

        Raises:
            InputError: if one is no JSON that could be repaired.
        """
        users = self.maker.readers[stream]
        values = _values(_encode(records))
        for number, record in enumerate(records):
            try:
                self.add(users, values[number] if values is not None else _value(users, record))
            except RecursionError:  # noqa: PERF203 - one record may be odd
                self.add(users, _repaired(users, record))

    def publish(self, tally: Tally, repairs: Mapping[str, int] | None = None) -> None:
        """Replace the file, if not too many users are missing.

        The closing line tells of `tally`, and of `repairs`, what was changed before users were read.

        Raises:
            RefusedError: if too many users are missing, or the file would be too large.
            PublishError: if the file cannot be written.
        """
        counts = self.store.count_by_status()
        # Whether the read can be right is told by all users, not by those that are wanted of them.
        check_losses(self.settings, self.store, sum(counts.values()), self._destination, self._format)
        if self._scope.ids is not None:
            self.store.keep(self._scope.ids)
            counts = self.store.count_by_status()
        file = self._destination.work / "users"
        self._format.write(self.store, file)
        size = file.stat().st_size
        self._destination.publish(file)
        self.is_published = True
        _logger.info("%s", self._closing_line(tally, repairs or {}, counts, size))

    def _closing_line(self, tally: Tally, repairs: Mapping[str, int], counts: Mapping[str, int], size: int) -> str:
        users, seconds = sum(counts.values()), time.monotonic() - self._started
        statuses = ", ".join(f"{number:,} {name}" for name, number in counts.items())
        where = f"{self.settings.path}: {size:,} bytes in {seconds:.1f} s ({users / seconds:,.0f} users/s)"
        parts = [f"Published {users:,} users ({statuses}) to {where}."]
        repeated = {"records whose id came again, the last one counts": self.store.duplicates}
        for title, reasons in (
            ("Left out", tally.left_out),
            ("Repeated", repeated),
            ("Skipped e-mail addresses", tally.skipped_addresses),
            ("Changed", Counter(tally.changed) + Counter(repairs)),
        ):
            found = [f"{number:,} {reason}" for reason, number in reasons.items() if number]
            if found:
                parts.append(f"{title}: {', '.join(found)}.")
        return " ".join(parts)


@contextmanager
def open_run(settings: Settings, stamp: Stamp | None = None, scope: Scope | None = None) -> Iterator[Run]:
    """Hold the destination and the store for one run; `stamp` gives its ids and times, `scope` whom it is of.

    Raises:
        SettingsError: if the mapping is none, or no file can be replaced at the destination.
        PublishError: if the destination cannot be reached or written.
    """
    stamp, scope = stamp or Stamp(), scope or Scope()
    file_format = choose_format(settings, stamp)
    maker = RowMaker(choose_streams(settings.stream, settings.mapping), ENCODERS[settings.format])
    with open_destination(settings.path) as destination:
        users = Store(destination.work / "users.sqlite", stamp.sync_id(), stamp.time(), scope.sync_type)
        with closing(users) as store:
            yield Run(settings, scope, maker, file_format, destination, store)


def _values(page: bytes) -> list[dict[str, Any]] | None:
    """Return the records of a JSON array; None if one of them needs a look of its own."""
    try:
        return _decode(page) if b"\\u0000" not in page else None
    except (ValueError, RecursionError):
        return None


def _value(users: UserReader, record: Any) -> dict[str, Any]:
    values = _values(_encode([record]))
    return values[0] if values is not None else _repaired(users, record)


def _repaired(users: UserReader, record: Any) -> dict[str, Any]:
    try:
        # In a line of Singer's, the message is a level too.
        value: dict[str, Any]
        value, changes = repaired(_encode(record), MAX_DEPTH - 1)
    except (ValueError, RecursionError):
        msg = "A record is not JSON."
        raise InputError(msg) from None
    for reason, number in changes.items():
        count(users.tally.changed, reason, number)
    return value
