"""What the streams share: the inner loop, and the SDK's own loop where records are needed as dicts.

Knows Singer, through the SDK, and nothing of HTTP.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import SchemaDirectory, Stream
from singer_sdk.io_base import SingerWriter
from singer_sdk.mapper import SameRecordTransform

from tap_ory.progress import Progress
from tap_ory.reading import IdentityRead, count_identities
from tap_ory.records import RecordEncoder, plan

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

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

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log, but leave the SDK's notice of an exception to debugging: the error itself is one line."""
        if level == logging.ERROR and message.startswith("An unhandled error"):
            level = logging.DEBUG
        super().log(message, *args, level=level, **kwargs)

    def get_batch_config(self, config: Any) -> None:
        """BATCH is not offered: the SDK's batches ignore deselection."""

    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:  # noqa: ARG002
        """Yield every identity as a dict, for the SDK's own loop."""
        encoder = self._encoder()
        for rows in self._read(encoder):
            yield from encoder.dicts(rows)

    def _sync_records(self, context: Any = None, *, write_messages: bool = True) -> Generator[dict[str, Any], Any, Any]:
        """Write whole pages at once where nothing needs a record as a dict; else the SDK's loop."""
        writer = self._tap.message_writer
        if not (write_messages and isinstance(writer, BlockWriter) and self._wants_blocks()):
            yield from super()._sync_records(context, write_messages=write_messages)
            return
        encoder = self._encoder()
        with self.get_record_counter() as counter, self.get_sync_timer():
            for rows in self._read(encoder):
                writer.write_block(encoder.block(rows))
                counter.increment(len(rows))

    def _wants_blocks(self) -> bool:
        return (
            self.ABORT_AT_RECORD_COUNT is None
            and not self.config.get("flattening_enabled")
            and [type(stream_map) for stream_map in self.stream_maps] == [SameRecordTransform]
        )

    def _encoder(self) -> RecordEncoder:
        return RecordEncoder(self.name, plan(self.effective_schema, self.mask), self._stream_version)

    def _read(self, encoder: RecordEncoder) -> Iterator[list[Any]]:
        """Yield the rows of page after page; at the end of a whole read, activate its version."""
        api = self._tap.api
        read = IdentityRead(api)
        progress = Progress(api.settings.label, lambda: count_identities(api), self.logger)
        try:
            for page in read.pages():
                rows = encoder.rows(page.body, upper=page.upper, seen=read.seen)
                yield rows
                progress.add(len(rows))
        finally:
            progress.close()
        if read.settled and self._stream_version is not None and self.ABORT_AT_RECORD_COUNT is None:
            super()._write_activate_version_message(self._stream_version)

    def _write_activate_version_message(self, full_table_version: int) -> None:
        """Write nothing: the SDK calls this before the records, when a cut read would delete rows."""
