"""One read of the API for all selected streams: pages in, records, states and versions out.

Joins the reading, which knows no Singer, with the streams, which know no paging. `identities` and `users`
are two ways to write the same page, so selecting both costs one read.
"""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

from command_basics.signals import Terminated
from ory_reader.errors import IncompleteError, TapOryError
from ory_reader.pagination.page_tokens import KEY_SPACE, Slice, token
from ory_reader.resources.identities import IdentityRead, count_identities
from ory_reader.sync import snapshot, states
from ory_reader.sync.progress import Progress
from ory_reader.sync.snapshot import SetAsideError, Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ory_reader.pagination.unreadable_rows import IdRange
    from tap_ory.streams.base import OryStream
    from tap_ory.tap import TapOry

logger = logging.getLogger("tap-ory")

#: Seconds between two states: often enough to lose little, seldom enough to cost nothing.
STATE_INTERVAL = 5.0
#: What is left of a read that has come to its last id.
BEHIND_ALL = Slice(position=token(KEY_SPACE - 1), written=token(KEY_SPACE - 1))


class FullRead:
    """Reads everything once and writes it for each of `streams`."""

    def __init__(self, tap: TapOry, streams: Sequence[OryStream]) -> None:
        """Decide whether this goes on with an interrupted read. No page is asked for."""
        self._tap = tap
        self._streams = streams
        self._resumed = self._finished = False
        slices = self._resume()
        self._read = IdentityRead(tap.api, slices)
        self._next_state = time.monotonic() + STATE_INTERVAL

    def run(self) -> None:
        """Write all records, a state now and then, and at the end of a whole read activate its version.

        Raises:
            IncompleteError: if some identities could not be read.
            TapOryError: if the read had to end before.
            Terminated: if a signal ended it.
        """
        try:
            with self._tap.termination.held_back():
                for stream in self._streams:
                    stream.begin(self._snapshot.version)
                if self._resumed:
                    self._write_state()
            self._write_pages()
            self._finish()
        except (TapOryError, Terminated):
            if not self._finished:
                self._write_state()
            raise

    def _write_pages(self) -> None:
        api, read = self._tap.api, self._read
        progress = Progress(api.settings.label, lambda: count_identities(api), logger)
        encoders = [stream.encoder() for stream in self._streams]
        with ExitStack() as meters:
            counters = [meters.enter_context(stream.get_record_counter()) for stream in self._streams]
            for stream in self._streams:
                meters.enter_context(stream.get_sync_timer())
                meters.callback(stream.tell_left_out)
            meters.callback(progress.close)
            for page in read.pages():
                with self._tap.termination.held_back():
                    for stream, encoder, counter in zip(self._streams, encoders, counters, strict=True):
                        rows = encoder.rows(page.body, upper=page.upper, seen=read.seen)
                        stream.write_rows(encoder, rows)
                        counter.increment(len(rows))
                    read.mark_written(page)
                    if time.monotonic() >= self._next_state:
                        self._write_state()
                progress.add(len(rows))

    def _finish(self) -> None:
        finished = states.with_finished(states.finished_reads(self._tap.state["bookmarks"]), self._snapshot.version)
        # A signal between the two would leave a state that goes on with a read that is over.
        with self._tap.termination.held_back():
            for stream in self._streams:
                if self._read.settled:
                    stream.complete(self._snapshot.started_at)
                stream.stream_state.pop("snapshot", None)
                stream.stream_state["finished"] = finished
            self._tap.state_writer.write_state(self._tap.state)
            self._finished = True
        if self._read.unreadable:
            raise _incomplete(self._read.unreadable)

    def _write_state(self) -> None:
        remaining = self._read.remaining()
        if remaining == []:
            # All is written but the activation: what goes on finds nobody behind the last id, and activates.
            remaining = [BEHIND_ALL]
        for stream in self._streams:
            if remaining:
                stream.stream_state["snapshot"] = self._snapshot.to_state(remaining, resumed=self._resumed)
            else:
                stream.stream_state.pop("snapshot", None)
        self._tap.state_writer.write_state(self._tap.state)
        self._next_state = time.monotonic() + STATE_INTERVAL

    def _resume(self) -> list[Slice] | None:
        """Find the interrupted read that all streams agree on, or begin a new one."""
        settings = self._tap.settings
        fields = [self._tap.fingerprint(), *(stream.fingerprint() for stream in self._streams)]
        taken = states.versions(self._tap.state["bookmarks"])
        self._snapshot = Snapshot.begin(snapshot.now(), settings.base_url, fields, taken)
        kept = [stream.stream_state.get("snapshot") for stream in self._streams]
        if not any(kept):
            return None
        try:
            if any(state != kept[0] for state in kept):
                msg = "the streams do not stand at the same place"
                raise SetAsideError(msg)  # noqa: TRY301
            within = timedelta(hours=settings.resume_within)
            self._snapshot, slices = self._snapshot.resume(kept[0] or {}, within)
        except SetAsideError as reason:
            logger.warning("The interrupted read in the state is set aside, as %s; reading from the start.", reason)
            return None
        logger.info(
            "Going on with the read that began at %s: %d slice(s) are left.",
            self._snapshot.started_at.isoformat(timespec="seconds"),
            len(slices),
        )
        self._resumed = True
        return slices


def _incomplete(stretches: Sequence[IdRange]) -> IncompleteError:
    """Say in a line each between which ids the server cannot read; return the error that ends the run."""
    for stretch in stretches:
        logger.warning("Not delivered: identities after %s up to %s.", stretch.after or "the first id", stretch.last)
    return IncompleteError(
        f"The server cannot read {len(stretches)} stretch(es) of identities, each named in a line above. All others "
        "were delivered, no version was activated. Mend those rows in Ory (its log says why) and run again."
    )
