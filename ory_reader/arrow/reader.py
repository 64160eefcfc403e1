"""`ory_reader.read`: a stream of a project as an object that whatever takes Arrow takes as it is."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from ory_reader import library
from ory_reader.arrow.batches import BatchMaker
from ory_reader.arrow.typed import APART
from ory_reader.errors import IncompleteError, SettingsError, refuse
from ory_reader.http.rate_limiter import ALL, Share
from ory_reader.records.changes import CHANGED_AT
from ory_reader.streams import STREAMS
from ory_reader.sync.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from ory_reader.config.settings import Settings
    from ory_reader.library import Plan, Read
    from ory_reader.pagination.id_ranges import IdRange

    Traits = Literal["json", "typed"]
    OnUnreadable = Literal["raise", "row"]

logger = logging.getLogger("tap-ory")

#: A batch has at least so many rows, or bytes of pages, but for the last one: enough for columns to pay.
BATCH_ROWS, BATCH_BYTES = 4_000, 32 * 1024 * 1024
#: The column that says of a row that the server cannot read it.
UNREADABLE = "unreadable"


class ArrowRead:
    """A stream as a table, read anew by whatever takes it, each time it is taken. Nothing is read before.

    `schema` is its `pyarrow.Schema`. `rows` tells how many rows the last read has delivered so far.
    """

    def __init__(  # noqa: PLR0913 - what is wanted, each by its name
        self,
        stream: str,
        project: Settings,
        *,
        columns: Collection[str] | None = None,
        traits: Traits = "json",
        on_unreadable: OnUnreadable = "raise",
        progress: bool = False,
        plan: Plan | None = None,
        ranges: Sequence[IdRange] | None = None,
        share: Share = ALL,
    ) -> None:
        """Know the columns; for typed traits the identity schemas are read, unless there is a plan.

        `share` is this process's of each rate limit, where several read ranges of one plan.
        """
        self._stream, self._project, self._progress, self._ranges = stream, project, progress, ranges
        self._rows_for_unreadable = _choice("on_unreadable", on_unreadable, ("raise", "row")) == "row"
        typed = _choice("traits", traits, ("json", "typed")) == "typed"
        if stream not in STREAMS:
            msg = f"There is no stream {stream!r}. The streams: {', '.join(STREAMS)}."
            raise SettingsError(msg)
        self._view = library.view(stream, project, plan, typed=typed, share=share)
        # Without types nothing is kept apart; and what changed is told by a read of changes alone.
        names = [name for name in self._view.schema["properties"] if name != CHANGED_AT and (typed or name != APART)]
        if unknown := [name for name in columns or () if name not in names]:
            msg = f"The stream {stream} has no column {unknown[0]!r}. Its columns: {', '.join(names)}."
            raise SettingsError(msg)
        self._maker = BatchMaker(
            self._view.schema,
            names if columns is None else dict.fromkeys(columns),
            nested=typed,
            traits=getattr(self._view.stream, "traits_field", None),
        )
        self.schema = self._maker.schema
        if self._rows_for_unreadable:
            self.schema = self.schema.append(pa.field(UNREADABLE, pa.string()))
        self.rows = 0

    def __repr__(self) -> str:
        """Name the stream and where it is read from; no key is in it."""
        return f"<ory_reader.read of {self._stream} from {self._project.base_url}: {', '.join(self.schema.names)}>"

    def __arrow_c_schema__(self) -> object:
        """Return the schema as Arrow's PyCapsule interface has it."""
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Begin a read, and return its batches as Arrow's PyCapsule interface has them."""
        return self.to_reader().__arrow_c_stream__(requested_schema)

    def to_reader(self) -> pa.RecordBatchReader:
        """Begin a read, and return its batches one by one: memory stays flat, whatever the number of rows.

        Raises:
            TapOryError: the reader does, at the end of a read that was not whole or where it had to end before.
        """
        return pa.RecordBatchReader.from_batches(self.schema, self.batches())

    def to_table(self) -> pa.Table:
        """Read everything.

        Raises:
            TapOryError: if the read was not whole.
        """
        return pa.Table.from_batches(self.batches(), self.schema)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Begin a read, and yield its record batches.

        Raises:
            TapOryError: at the end of a read that was not whole, or where it had to end before.
        """
        decoder = self._view.decoder(self.schema.names)
        self.rows, held = 0, _Held()
        with ExitStack() as ending:
            read = ending.enter_context(self._view.open_read(self._ranges))
            told = self._told(ending)
            try:
                for page in read.pages():
                    rows = decoder.rows(page.body, upper=page.upper, seen=page.seen)
                    told(len(rows))
                    for full in held.add(rows, len(page.body)):
                        yield self._batch(full)
                yield from map(self._batch, held.rest())
            except IncompleteError:
                yield from map(self._batch, held.rest())
                if not (self._rows_for_unreadable and read.unreadable):
                    raise
                yield self._batch_of_unreadable(read)

    def _told(self, ending: ExitStack) -> Callable[[int], object]:
        """Return what takes note of rows: it tells of them, if that is wanted."""
        if not self._progress:
            return lambda _: None
        counting = self._view.stream.read(self._view.project)
        rows = counting.resource.rows
        progress = Progress(self._project.label, counting.count, logger, rows)
        ending.callback(progress.close)
        return progress.add

    def _batch(self, rows: Sequence[Any]) -> pa.RecordBatch:
        self.rows += len(rows)
        batch = self._maker.batch(rows)
        if not self._rows_for_unreadable:
            return batch
        return pa.record_batch([*batch.columns, pa.nulls(len(rows), pa.string())], schema=self.schema)

    def _batch_of_unreadable(self, read: Read) -> pa.RecordBatch:
        """A row a stretch of ids that the server cannot read: the last of them, and what is the matter."""
        stretches = read.unreadable
        self.rows += len(stretches)
        told = {
            "id": [each.last for each in stretches],
            UNREADABLE: [
                f"The server cannot read identities after {each.after or 'the first id'} up to {each.last}."
                for each in stretches
            ],
        }
        arrays = [
            pa.array(told[field.name], field.type) if field.name in told else pa.nulls(len(stretches), field.type)
            for field in self.schema
        ]
        return pa.record_batch(arrays, schema=self.schema)


class _Held:
    """Rows that wait until they are enough for a batch, all of one class."""

    def __init__(self) -> None:
        self._rows: list[Any] = []
        self._bytes = 0

    def add(self, rows: list[Any], size: int) -> Iterator[list[Any]]:
        """Take on the rows of a page of so many bytes; yield what is enough."""
        if rows and self._rows and type(rows[0]) is not type(self._rows[0]):
            yield from self.rest()
        self._rows += rows
        self._bytes += size
        if len(self._rows) >= BATCH_ROWS or self._bytes >= BATCH_BYTES:
            yield from self.rest()

    def rest(self) -> Iterator[list[Any]]:
        """Yield what is left."""
        rows, self._rows, self._bytes = self._rows, [], 0
        if rows:
            yield rows


def _choice(name: str, given: str, known: Collection[str]) -> str:
    """Return what was chosen.

    Raises:
        SettingsError: if there is no such choice.
    """
    if given not in known:
        refuse(name, f"is {given!r}", f"choose one of {', '.join(known)}")
    return given
