"""One read of a list for all outputs: pages in, records, states and versions out.

Joins the reading with the streams that a shell writes, which know no paging. `identities` and `users` are two ways to
write the same page, so both cost one read.
"""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from ory_reader.errors import IncompleteError, TapOryError, in_terms
from ory_reader.pagination.id_ranges import LAST_ID, Slice
from ory_reader.resources.identities import IDENTITIES
from ory_reader.sync import snapshot, states
from ory_reader.sync.closing import accounted
from ory_reader.sync.progress import Progress
from ory_reader.sync.snapshot import SetAsideError, Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ory_reader.sync.protocols import Output, Read, Shell

logger = logging.getLogger("tap-ory")

#: Seconds between two states: often enough to lose little, seldom enough to cost nothing.
STATE_INTERVAL = 5.0
#: What is left of a read that has come to its last id.
BEHIND_ALL = Slice(position=LAST_ID, written=LAST_ID)


class FullRead:
    """Reads everything once and writes it for each of `outputs`."""

    def __init__(self, shell: Shell, outputs: Sequence[Output], read: Read) -> None:
        """Decide whether `read`, which has not begun, goes on with an interrupted one. No page is asked for."""
        self._shell = shell
        self._outputs = outputs
        self._read = read
        self._resumed = self._finished = False
        self._resume()
        self._next_state = time.monotonic() + STATE_INTERVAL

    def run(self) -> None:
        """Write all records, a state now and then, and at the end of a whole read activate its version.

        Raises:
            IncompleteError: if some rows could not be read.
            TapOryError: if the read had to end before.
            BaseException: the error of the shell's stop signal, if that ended it.
        """
        resource, api = self._read.resource, self._read.api
        conclude = partial(self._shell.conclusion, self._outputs)
        with accounted(resource, api.rate_limiter.traffic, conclude, resumed=self._resumed) as self._account:
            try:
                with self._shell.termination.held_back():
                    for output in self._outputs:
                        output.begin(self._snapshot.version)
                    if self._resumed:
                        self._write_state()
                with in_terms(terms_of(self._read)):
                    self._write_pages()
                self._finish()
            except (TapOryError, self._shell.termination.error):
                if not self._finished:
                    self._write_state()
                raise

    def _write_pages(self) -> None:
        read = self._read
        progress = Progress(read.api.settings.label, read.count, logger, read.resource.rows)
        decoders = self._decoders = [output.decoder() for output in self._outputs]
        for decoder in decoders:
            decoder.share(decoders)
        with ExitStack() as meters:
            for output in self._outputs:
                meters.enter_context(output.measured())
            meters.callback(progress.close)
            for page in read.pages():
                with self._shell.termination.held_back():
                    for output, decoder in zip(self._outputs, decoders, strict=True):
                        rows = decoder.rows(page.body, upper=page.upper, seen=page.seen)
                        output.write(decoder, rows)
                    read.mark_written(page)
                    if time.monotonic() >= self._next_state:
                        self._write_state()
                progress.add(len(rows))
                self._account.add(len(rows))

    def _finish(self) -> None:
        kept = states.of_the_same_read(self._shell.bookmarks, self._read.resource.name)
        finished = states.with_finished(states.finished_reads(kept), self._snapshot.version)
        # A signal between the two would leave a state that goes on with a read that is over.
        with self._shell.termination.held_back():
            for output, decoder in zip(self._outputs, self._decoders, strict=True):
                if self._read.whole:
                    output.stream_state.update(decoder.bookmark(self._snapshot.started_at))
                    output.complete()
                output.stream_state.pop("snapshot", None)
                output.stream_state["finished"] = finished
            self._shell.write_state()
            self._finished = True
            self._account.whole, self._account.unreadable = self._read.whole, len(self._read.undelivered)
        if self._read.undelivered:
            raise _incomplete(self._read.undelivered, self._read.resource.rows)

    def _write_state(self) -> None:
        remaining = self._read.remaining()
        if remaining == []:
            # All is written but the activation: what goes on finds nobody behind the last id, and activates.
            remaining = [BEHIND_ALL]
        for output in self._outputs:
            if remaining:
                output.stream_state["snapshot"] = self._snapshot.to_state(remaining, resumed=self._resumed)
            else:
                output.stream_state.pop("snapshot", None)
        self._shell.write_state()
        self._next_state = time.monotonic() + STATE_INTERVAL

    def _resume(self) -> None:
        """Find the interrupted read that all streams agree on, or begin a new one."""
        settings = self._read.api.settings
        fields = [self._shell.fingerprint(), *(output.fingerprint() for output in self._outputs)]
        taken = states.versions(self._shell.bookmarks)
        self._snapshot = Snapshot.begin(snapshot.now(), settings.base_url, fields, taken)
        kept = [output.stream_state.get("snapshot") for output in self._outputs]
        if not any(kept):
            return
        try:
            if any(each != kept[0] for each in kept):
                msg = "the streams do not stand at the same place"
                raise SetAsideError(msg)  # noqa: TRY301
            within = timedelta(hours=settings.resume_within)
            interrupted, slices = self._snapshot.resume(kept[0] or {}, within)
            self._go_on(slices)
        except SetAsideError as reason:
            logger.warning("The interrupted read in the state is set aside, as %s; reading from the start.", reason)
            return
        self._snapshot = interrupted
        logger.info(
            "Going on with the read that began at %s: %d slice(s) are left.",
            self._snapshot.started_at.isoformat(timespec="seconds"),
            len(slices),
        )
        self._resumed = True

    def _go_on(self, slices: list[Slice]) -> None:
        try:
            self._read.resume(slices)
        except ValueError:
            raise SetAsideError(snapshot.STRANGE) from None


def terms_of(read: Read) -> dict[str, str]:
    """What the sentences of a read say of another list, or of another server, than identities and theirs."""
    is_other = read.resource.path != IDENTITIES.path
    return {**read.api.terms, **({"identities": read.resource.rows} if is_other else {})}


def _incomplete(stretches: Sequence[str], rows: str) -> IncompleteError:
    """Say in a line each what the server cannot read; return the error that ends the run."""
    for stretch in stretches:
        logger.warning("Not delivered: %s.", stretch)
    return IncompleteError(
        f"The server cannot read {len(stretches)} stretch(es) of {rows}, each named in a line above. All others "
        "were delivered, no version was activated. Mend those rows in Ory (its log says why) and run again."
    )
