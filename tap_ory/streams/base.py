"""What the streams share: whole pages through the inner loop, and the SDK's own ways where those are needed.

Knows Singer, through the SDK, and nothing of HTTP.
"""

from __future__ import annotations

import logging
import sys
from abc import abstractmethod
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import SchemaDirectory, Stream
from singer_sdk.io_base import SingerWriter
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from ory_reader.resources.identities import IdentityRead
from ory_reader.sync.full_read import FullRead
from tap_ory.flattening import MAX_BYTES, Flattener
from tap_ory.record_lines import record_lines

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from datetime import datetime

    from singer_sdk.mapper import StreamMap

    from ory_reader.sync.protocols import Decoder
    from tap_ory.tap import TapOry

#: In the wheel the schemas lie inside the package, in a checkout beside it.
_HERE = Path(__file__).resolve().parent.parent
SCHEMAS = SchemaDirectory(_HERE / "schemas" if (_HERE / "schemas").is_dir() else _HERE.parent / "schemas")


class BlockWriter(SingerWriter):
    """The SDK's message writer, that also takes many ready-made lines at once."""

    def write_block(self, block: bytes) -> None:
        """Write whole lines to stdout and hand them on."""
        out = sys.stdout
        buffer = getattr(out, "buffer", None)
        if buffer is None:
            # A test or a notebook has put a text stream there.
            out.write(block.decode())
        else:
            buffer.write(block)
        out.flush()


class OryStream(Stream):
    """A stream over the identities of the project."""

    #: What comes out of the compiled decoder is as the server gave it; nothing is converted after that.
    TYPE_CONFORMANCE_LEVEL = Stream.TYPE_CONFORMANCE_LEVEL.NONE
    _tap: TapOry
    #: Whether another stream's read has already written this one.
    _was_read = False
    _schema_written = False
    #: Whether its read has come to its end and can have missed nothing.
    was_read_whole = False

    # The SDK's hooks

    @property
    def stream_maps(self) -> list[StreamMap]:
        """The SDK's maps, whose flattened records fit their flattened schemas."""
        for each in super().stream_maps:
            if each.flattening_enabled and not isinstance(each.flatten_record, Flattener):
                longest = max(self.config.get("flattening_max_key_length") or 0, MAX_BYTES)
                assert each.flattening_options is not None  # noqa: S101 - what `flattening_enabled` says
                flattener = Flattener(each, each.flattening_options, longest)
                each.flatten_record = flattener  # type: ignore[method-assign]
                each.transformed_schema = flattener.schema
        return super().stream_maps

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log, but leave the SDK's notice of an exception to debugging: the error itself is one line."""
        if level == logging.ERROR and message.startswith("An unhandled error"):
            level = logging.DEBUG
        super().log(message, *args, level=level, **kwargs)

    def get_batch_config(self, config: Any) -> None:
        """BATCH is not offered: the SDK's batches ignore deselection."""

    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:  # noqa: ARG002
        """Yield every identity as a dict, for the SDK's own loop (`--test`)."""
        decoder, read = self.decoder(), IdentityRead(self._tap.api)
        for page in read.pages():
            yield from decoder.dicts(decoder.rows(page.body, upper=page.upper, seen=read.seen))

    def _sync_records(self, context: Any = None, *, write_messages: bool = True) -> Generator[dict[str, Any], Any, Any]:
        """Read for all selected streams at once; with a limit on the records, leave it to the SDK's loop."""
        if self.ABORT_AT_RECORD_COUNT is not None or not write_messages:
            yield from super()._sync_records(context, write_messages=write_messages)
        elif not self._was_read:
            selected = [stream for stream in self._tap.ory_streams if stream.selected]
            FullRead(self._tap.api, self._tap, selected).run()

    def _write_schema_message(self) -> None:
        """Write the SCHEMA once: the SDK asks for it again when another stream's read has written this one."""
        if not self._schema_written:
            self._tap.check_types()
            super()._write_schema_message()
            self._schema_written = True

    def _write_activate_version_message(self, full_table_version: int) -> None:
        """Write nothing: the SDK calls this before the records, when a cut read would delete rows."""

    def check_types(self) -> None:
        """Raise an error if a record would be made without what must be known of its types."""

    # What a read of all streams calls

    def begin(self, version: int) -> None:
        """Write the SCHEMA if none did, and take on the version of the read."""
        self._write_schema_message()
        self._was_read = True
        self._stream_version = version if self._is_versioned else None

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measure what is inside as the SDK does, records and seconds; say what flattening left out of it."""
        try:
            with self.get_record_counter() as self._counter, self.get_sync_timer():
                yield
        finally:
            for each in self.stream_maps:
                if isinstance(each.flatten_record, Flattener) and (told := each.flatten_record.told()):
                    self.logger.warning("%s: %s", each.stream_alias, told)

    @abstractmethod
    def decoder(self) -> Decoder:
        """What turns pages into records of this stream."""

    def write(self, decoder: Decoder, rows: list[Any]) -> None:
        """Write a page: as one block, or record by record where stream maps or flattening need dicts."""
        writer = self._tap.message_writer
        if isinstance(writer, BlockWriter) and self._wants_blocks():
            writer.write_block(record_lines(self.name, decoder.records(rows), self._stream_version))
        else:
            for record in decoder.dicts(rows):
                self._write_record_message(record)
        self._counter.increment(len(rows))

    def complete(self, started_at: datetime) -> None:  # noqa: ARG002 - a bookmark needs it
        """The read was whole: tell the target, so that it may remove rows of older versions."""
        self.was_read_whole = True
        if self._stream_version is not None:
            super()._write_activate_version_message(self._stream_version)

    def fingerprint(self) -> list[Any]:
        """All that decides which records of this stream there are and what they look like, beside the settings."""
        return [
            self.name,
            self.replication_method,
            self.replication_key,
            # What changed since is left out.
            self.stream_state.get("replication_key_value"),
            # Records without a version would be deleted when a run that goes on activates one.
            self._is_versioned,
            self.effective_schema,
            # A catalog may deselect what no schema declares.
            sorted([*map(list, self.mask.items())]),
            [message.to_dict() for message in self._generate_schema_messages()],
        ]

    @property
    def _is_versioned(self) -> bool:
        """Whether records carry a version, to be activated."""
        return self.emit_activate_version_messages and self.replication_method == REPLICATION_FULL_TABLE

    def _wants_blocks(self) -> bool:
        maps = [type(stream_map) for stream_map in self.stream_maps]
        return not self.config.get("flattening_enabled") and maps == [SameRecordTransform]
