"""Spark's data source: plans on the driver, reads each partition in a worker, sends no secret from one to the other."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

from ory_reader import library
from ory_reader.arrow.reader import ArrowRead
from ory_reader.http.rate_limiter import Share
from ory_reader.pagination.id_ranges import IdRange
from pyspark_ory.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping

    import pyarrow as pa
    from pyspark.sql.types import StructType

    from ory_reader.library import Plan

#: Partitions of a server that names no rate limit. Under one, a single process with its threads is the fastest reader.
UNLIMITED = 4


def _restoring() -> Callable[[bytes], Any]:
    """Return what makes an object in a worker again; it is pickled by its code, so that it is there without us."""

    def restored(state: bytes) -> Any:
        try:
            kind, attributes = pickle.loads(state)  # noqa: S301 - what Spark's own protocol carries
        except ModuleNotFoundError as error:
            msg = (
                f"This Spark worker has no module {error.name!r}: install tap-ory[spark] on all workers, in the Python "
                "that PYSPARK_PYTHON names."
            )
            raise RuntimeError(msg) from None
        made = kind.__new__(kind)
        made.__dict__.update(attributes)
        return made

    return restored


class _Sent:
    """What is sent to workers, and says there what is missing."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Be restored by `_restoring`."""
        return _restoring(), (pickle.dumps((type(self), self.__dict__)),)


class OrySource(_Sent, DataSource):
    """The format `ory`. What it plans once holds for all reads of one DataFrame."""

    def __init__(self, options: MutableMapping[str, str]) -> None:
        """Look at the options."""
        super().__init__(options)
        self._read = Options.read(options)
        self._plan: Plan | None = None

    @classmethod
    def name(cls) -> str:
        """Return the name of the format."""
        return "ory"

    def schema(self) -> StructType:
        """Plan, and return the columns."""
        return from_arrow_schema(table(self._read, self._planned()).schema)

    def reader(self, schema: StructType) -> DataSourceReader:
        """Return what reads; planned by now, unless the columns were given."""
        plan = self._planned()
        found = from_arrow_schema(table(self._read, plan).schema)
        if found != schema:
            msg = f"These are not the columns of the stream: leave .schema() out. They are {found.simpleString()}"
            raise ValueError(msg)
        return OryReader(self._read, plan, schema)

    def _planned(self) -> Plan:
        if self._plan is None:
            read = self._read
            # What cannot be right is said before anything is asked for.
            table(read, library.Plan((), {}))
            asked = read.partitions or UNLIMITED
            self._plan = library.plan(read.project(), asked, read.stream, typed=read.traits == "typed")
        return self._plan


def table(options: Options, plan: Plan, readers: int = 1, **part: Any) -> ArrowRead:
    """Return the table that is read, or a part of it that is read by one of so many; nothing is asked for before."""
    return ArrowRead(
        options.stream,
        options.project(readers),
        columns=options.columns,
        traits=options.traits,
        on_unreadable=options.on_unreadable,
        plan=plan,
        **part,
    )


class OryReader(_Sent, DataSourceReader):
    """Reads one partition after another, each in some worker."""

    def __init__(self, options: Options, plan: Plan, schema: StructType) -> None:
        """Know what to read."""
        self._options, self._plan, self._schema = options, plan, schema

    def partitions(self) -> list[InputPartition]:
        """Return a partition for each range of the plan, or for all of them.

        Where the server names limits there is one, unless more are asked for: then each has its share of every window.
        """
        ranges = self._plan.ranges
        if self._plan.rate_limits:
            most = min(limit for limit, _ in self._plan.rate_limits)
            ranges = library.fewer(ranges, min(self._options.partitions or 1, most))
        return [InputPartition((number, len(ranges), tuple(each))) for number, each in enumerate(ranges)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Yield a partition's rows; it is whole or raises."""
        number, of, (after, last) = partition.value
        share = Share(number, of, self._plan.spent, self._plan.rate_limits, self._plan.made_at)
        part = table(self._options, self._plan, of, ranges=[IdRange(after, last)], share=share)
        layout = to_arrow_schema(self._schema, timezone="UTC")
        for batch in part.batches():
            yield batch if batch.schema.equals(layout) else batch.cast(layout)
