"""A stream in Singer's words: whole pages through the inner loop, and the SDK's own ways where those are needed.

Knows Singer, through the SDK; what is in a record, and nothing of HTTP, is `ory_reader.streams`'.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL, Metadata, MetadataMapping

from ory_reader.sync.full_read import FullRead
from ory_reader.traits.decoder_types import texts_of
from tap_ory.block_writer import BlockWriter
from tap_ory.flattening import Flattener
from tap_ory.replication import method_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from singer_sdk.singerlib import Catalog

    from ory_reader import streams
    from ory_reader.sync.protocols import Decoder, Read
    from tap_ory.map_lines import MapLines
    from tap_ory.tap import TapOry


class OryStream(Stream):
    """A stream of the project, of one of the definitions in `ory_reader.streams`."""

    #: What comes out of the compiled decoder is as the server gave it; nothing is converted after that.
    TYPE_CONFORMANCE_LEVEL = Stream.TYPE_CONFORMANCE_LEVEL.NONE
    _tap: TapOry
    #: Whether another stream's read has already written this one.
    _was_read = False
    _schema_written = False
    #: Whether its read has come to its end and can have missed nothing.
    was_read_whole = False

    def __init__(self, tap: TapOry, definition: streams.Stream) -> None:
        """Take on what the definition says."""
        self.definition = definition
        self.selected_by_default = definition.selected_by_default
        super().__init__(tap, name=definition.name)
        # The SDK begins with none.
        self.primary_keys = definition.key

    # The SDK's hooks

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The stream's file, with declared traits; a given catalog says itself what they are."""
        asked = self.definition.is_typed and self._tap.input_catalog is None and self._tap.config.get("base_url")
        adds = self._tap.settings.adds if self._tap.config.get("base_url") else ()
        return self.definition.schema(self._tap.project.trait_shapes if asked else None, adds)

    @property
    def metadata(self) -> MetadataMapping:
        """What a catalog says of the stream and its fields; a discovery names the key that changes can be told by."""
        found = super().metadata
        if self._tap_input_catalog is None and self.definition.replication_key:
            found.root.valid_replication_keys = [self.definition.replication_key]
        return found

    def apply_catalog(self, catalog: Catalog) -> None:
        """Take over the catalog.

        Raises:
            SettingsError: if it asks for a read that is not possible, of a stream that is selected.
        """
        super().apply_catalog(catalog)
        entry = catalog.get_stream(self.name)
        method = REPLICATION_FULL_TABLE
        if entry and self.selected:
            in_metadata = self._tap.methods_in_metadata.get(self.name)
            method = method_of(self.name, entry, in_metadata, self.definition.replication_key)
            if method == REPLICATION_FULL_TABLE and self.replication_key:
                self.logger.warning(
                    "The catalog's replication key %r of the stream %r has no use: its replication method is %s.",
                    self.replication_key,
                    self.name,
                    method,
                )
        self.forced_replication_method, self.replication_key = method, None
        key = self.definition.replication_key
        if method == REPLICATION_INCREMENTAL and key:
            self.replication_key = key
            # Without it nobody downstream could tell what is newer.
            self.metadata["properties", key].inclusion = Metadata.InclusionType.AUTOMATIC
            self._mask = self.metadata.resolve_selection()

    @property
    def selected(self) -> bool:
        """Whether the stream is read."""
        return bool(super().selected)

    @selected.setter
    def selected(self, value: bool | None) -> None:
        """Select the stream after all, as `--test` does: the SDK writes the SCHEMA of what was selected before."""
        self.metadata.root.selected = value
        self._mask = self.metadata.resolve_selection()
        self._tap.mapper.register_raw_streams_from_catalog(self._tap.catalog)

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log, but leave the SDK's notice of an exception to debugging: the error itself is one line."""
        if level == logging.ERROR and message.startswith("An unhandled error"):
            level = logging.DEBUG
        super().log(message, *args, level=level, **kwargs)

    def get_batch_config(self, config: Any) -> None:
        """BATCH is not offered: the SDK's batches ignore deselection."""

    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:  # noqa: ARG002
        """Yield every record as a dict, for the SDK's own loop (`--test`)."""
        decoder = self.decoder()
        for page in self._read().pages():
            yield from decoder.dicts(decoder.rows(page.body, upper=page.upper, seen=page.seen))

    def _sync_records(self, context: Any = None, *, write_messages: bool = True) -> Generator[dict[str, Any], Any, Any]:
        """Read for all selected streams of a list at once; with a limit on the records, leave it to the SDK's loop."""
        if self.ABORT_AT_RECORD_COUNT is not None or not write_messages:
            yield from super()._sync_records(context, write_messages=write_messages)
        elif not self._was_read:
            settings = self._tap.project.settings
            resource = self.definition.listed(settings)
            together = [
                each for each in self._tap.ory_streams if each.selected and each.definition.listed(settings) == resource
            ]
            FullRead(self._tap, together, self._read()).run()

    def _write_schema_message(self) -> None:
        """Write the SCHEMA once: the SDK asks for it again when another stream's read has written this one."""
        if not self._schema_written:
            self._tap.check()
            super()._write_schema_message()
            self._schema_written = True

    def _write_activate_version_message(self, full_table_version: int) -> None:
        """Write nothing: the SDK calls this before the records, when a cut read would delete rows."""

    def check(self) -> None:
        """Raise an error if the stream cannot be read as it must be."""
        given = self._tap.input_catalog is not None
        self.definition.check(*self._asked, given=given)

    # What a read of all streams calls

    def begin(self, version: int) -> None:
        """Write the SCHEMA if none did, and take on the version of the read."""
        self._write_schema_message()
        self._was_read = True
        self._stream_version = version if self.is_versioned else None
        self.definition.remember(self._tap.project, self.effective_schema, self.mask, self.stream_state)

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

    def decoder(self) -> Decoder:
        """Return what turns pages into records: all of them, or those that changed since the bookmark."""
        decoder = self.definition.decoder(*self._asked, changes_only=self._wants_changes)
        if not self._lines.is_plain:
            decoder.decode_texts(texts_of(self.effective_schema))
        return decoder

    def write(self, decoder: Decoder, rows: list[Any]) -> None:
        """Write a page as one block; record by record, as the SDK does, where something else than lines is wanted."""
        writer = self._tap.message_writer
        if isinstance(writer, BlockWriter) and self._wants_blocks():
            self._lines.write(writer.write_block, decoder, rows, self._stream_version)
        else:
            for record in decoder.dicts(rows):
                self._write_record_message(record)
        self._counter.increment(len(rows))

    def complete(self) -> None:
        """The read was whole: tell the target, so that it may remove rows of older versions."""
        self.was_read_whole = True
        if self._stream_version is not None:
            super()._write_activate_version_message(self._stream_version)

    def fingerprint(self) -> list[Any]:
        """All that decides which records of this stream there are and what they look like, beside the settings."""
        return [
            *self.definition.fingerprint(*self._asked),
            self.replication_method,
            # Records without a version would be deleted when a run that goes on activates one.
            self.is_versioned,
            [message.to_dict() for message in self._generate_schema_messages()],
        ]

    def _read(self) -> Read:
        project = self._tap.project
        wants_changes = self._wants_changes
        return (
            self.definition.read_changes(project, self.stream_state) if wants_changes else self.definition.read(project)
        )

    @property
    def _wants_changes(self) -> bool:
        return bool(self.replication_method == REPLICATION_INCREMENTAL)

    @property
    def _asked(self) -> tuple[Any, ...]:
        """What is read, of whom, and what earlier runs knew."""
        return self._tap.project, self.effective_schema, self.mask, self.stream_state

    @property
    def is_versioned(self) -> bool:
        """Whether records carry a version, to be activated."""
        return self.emit_activate_version_messages and self.replication_method == REPLICATION_FULL_TABLE

    @property
    def _lines(self) -> MapLines:
        """What writes pages through the maps."""
        mapper: Any = self._tap.mapper
        lines: MapLines = mapper.lines[self.name]
        return lines

    def _wants_blocks(self) -> bool:
        return True
