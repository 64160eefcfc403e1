"""One complete read of one stream, as a unit: which messages belong to it, and whether it came to its end.

Knows what Singer messages mean, nothing of how a user looks or where the file goes. C1 takes a missing user for a
removed one, so that whatever leaves a doubt is refused here.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from target_c1.errors import InputError
from target_c1.mapping import READY
from target_c1.users import Tally, count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_c1.rows import Rows
    from target_c1.run import Run
    from target_c1.users import UserReader

PROGRESS_SECONDS = 10.0
#: Records between two looks at the clock.
PROGRESS_RECORDS = 1000

_logger = logging.getLogger("target-c1")


class Snapshot:
    """Takes the messages of an input in order and puts the users of one stream into a store."""

    def __init__(self, run: Run) -> None:
        """Read the first of the run's streams that comes into its store."""
        self._run = run
        self._store = run.store
        self._require_activation = run.settings.require_activate_version
        #: The streams that can be read, the one to be preferred first.
        self._readers = run.maker.readers
        #: The reads that went on where an earlier one was cut, as states tell: stream and version.
        self._resumed: dict[tuple[str, int | None], None] = {}
        self._seen: set[str] = set()
        self._others: dict[str, None] = {}
        self.stream: str | None = None
        self.users: UserReader | None = None
        self.records = 0
        self.state: Any = None
        self._has_state = False
        self._version: Any = None
        self._activated_version: Any = None
        self._activated = False
        self._records_since_state = 0
        self._reported_records = 0
        self._started = self._reported = time.monotonic()

    @property
    def tally(self) -> Tally:
        """What was left out or changed in the stream that is read."""
        return self.users.tally if self.users else Tally()

    def take_schema(self, stream: str) -> None:
        """A stream begins: it is the one to read, or is ignored for a better one."""
        self._seen.add(stream)
        if stream == self.stream:
            return
        order = list(self._readers)
        if stream not in order or (self.stream and order.index(stream) > order.index(self.stream)):
            self._others[stream] = None
            return
        if self.stream:
            self._others[self.stream] = None
            self._begin_again(f"Stream {stream!r} is read instead of {self.stream!r}")
        self.stream = stream
        self._version = None
        self.users = self._readers[stream]

    def take_record(self, message: dict[str, Any]) -> None:
        """Store the user of a RECORD message.

        Raises:
            InputError: if it has no record, its SCHEMA is missing, or it belongs to an older read than the one before.
            RecursionError: if it is nested deeper than Python can follow; then no user was added.
        """
        stream, record, version = message.get("stream"), message.get("record"), message.get("version")
        if type(stream) is not str or type(record) is not dict:
            msg = "A RECORD without a stream or a record."
            raise InputError(msg)
        if stream != self.stream or self.users is None:
            if stream in self._readers and stream not in self._others:
                msg = f"A RECORD of stream {stream!r} came before its SCHEMA."
                raise InputError(msg)
            return
        if version != self._version:
            self._change_version(version)
        self._run.add(self.users, record)
        self._count_records(1)

    def take_repairs(self, stream: str, repairs: Mapping[str, int]) -> None:
        """Count what was changed in the line of a RECORD message, if it is of the stream that is read."""
        if stream == self.stream:
            for reason, number in repairs.items():
                count(self.tally.changed, reason, number)

    def take_rows(self, rows: Rows) -> None:
        """Store the users of RECORD messages of the stream and version that are being read."""
        for identifier, status, data in rows.rows:
            self._store.add(identifier, status, data)
        self.tally.add(rows.tally)
        self._count_records(rows.records)

    def _count_records(self, number: int) -> None:
        self._activated = False
        self.records += number
        self._records_since_state += number
        if self.records - self._reported_records >= PROGRESS_RECORDS:
            self._reported_records = self.records
            self._report_progress()

    def take_activate_version(self, stream: str, version: Any) -> None:
        """A read is complete, if no record follows."""
        if stream == self.stream:
            self._activated = not self.records or self._version in (None, version)
            self._activated_version = version

    def take_state(self, value: Any) -> None:
        """Keep the last state.

        Raises:
            InputError: if it says that the read goes on where an earlier one was cut: that is a part of the users.
        """
        self.state, self._has_state = value, True
        self._records_since_state = 0
        bookmarks = value.get("bookmarks") if isinstance(value, dict) else None
        for stream, bookmark in bookmarks.items() if isinstance(bookmarks, dict) else ():
            snapshot = bookmark.get("snapshot") if isinstance(bookmark, dict) else None
            if isinstance(snapshot, dict) and snapshot.get("resumed") is True:
                version = snapshot.get("version")
                self._resumed[stream, version if type(version) is int else None] = None
        self._refuse_part()

    def _refuse_part(self) -> None:
        """Refuse a read that went on where an earlier one was cut: a version says which read a record is of.

        States also keep what is left of other reads: of streams that nobody selects any more, of runs before this.
        A stream map may have given the stream another name.
        """
        for stream, version in self._resumed:
            if version is not None and version in (self._version, self._activated_version):
                raise InputError(_a_part(stream))

    def finish(self) -> None:
        """The input has ended.

        Raises:
            InputError: if it has no stream to read, or that stream's read is not known to be complete.
        """
        if self.stream is None:
            raise InputError(self._no_stream())
        self._refuse_part()
        self._refuse_unversioned_part()
        if self._others:
            _logger.info("Ignored beside stream %r: %s", self.stream, _names(self._others))
        if self._require_activation and not self._activated:
            msg = (
                f"The read of stream {self.stream!r} is not complete: no ACTIVATE_VERSION after the last of "
                f"{self.records:,} records. If this tap never sends one there, set require_activate_version to false."
            )
            raise InputError(msg)
        if not self._require_activation and self._has_state and self._records_since_state:
            msg = (
                f"The read of stream {self.stream!r} is not complete: {self._records_since_state:,} of "
                f"{self.records:,} records came after the last STATE. Was the tap stopped?"
            )
            raise InputError(msg)

    def _refuse_unversioned_part(self) -> None:
        """Where no version tells reads apart, streams do: those of this input, by another name if need be."""
        unversioned = self._version is None and self._activated_version is None
        renamed = self._seen.isdisjoint(READY)
        for stream, version in self._resumed:
            is_of_this_input = stream in self._seen or (renamed and stream in READY)
            if is_of_this_input and (unversioned or version is None):
                raise InputError(_a_part(stream))

    def _change_version(self, version: Any) -> None:
        if self.records:
            numbers = isinstance(version, int) and isinstance(self._version, int)
            if not numbers or version < self._version:
                msg = f"Records of stream {self.stream!r} from two reads are mixed (two versions)."
                raise InputError(msg)
            self._begin_again("The tap began a new read")
        self._version = version

    def _begin_again(self, why: str) -> None:
        _logger.info("%s: %s records so far are dropped", why, f"{self.records:,}")
        self._store.clear()
        self.records = self._records_since_state = self._reported_records = 0
        self._activated = False
        self._activated_version = None
        for reader in self._readers.values():
            reader.tally = Tally()

    def _report_progress(self) -> None:
        now = time.monotonic()
        if now - self._reported >= PROGRESS_SECONDS:
            self._reported = now
            rate = self.records / (now - self._started)
            _logger.info("%s users so far (%s/s)", f"{self.records:,}", f"{rate:,.0f}")

    def _no_stream(self) -> str:
        wanted = " or ".join(map(repr, self._readers))
        if not self._others:
            return f"The input holds no stream ({wanted} would be read): did the tap fail?"
        return (
            f"No mapping for {_names(self._others)}; {wanted} would be read. "
            "Set stream to one of them, and mapping to where its users' fields are."
        )


def _a_part(stream: str) -> str:
    return (
        f"The read of stream {stream!r} goes on where an earlier one was cut, so this input holds a part of the users. "
        "Run the tap without its state."
    )


def _names(streams: dict[str, Any]) -> str:
    return ", ".join(map(repr, streams))
