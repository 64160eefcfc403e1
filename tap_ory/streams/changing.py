"""What streams share that can be read whole or by what changed: which of both a catalog asks for, and the bookmark."""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL, Metadata, MetadataMapping

from ory_reader.records.changes import CHANGED_AT, ChangesDecoder
from tap_ory.replication import method_of
from tap_ory.streams.base import OryStream

if TYPE_CHECKING:
    from datetime import datetime

    from singer_sdk.singerlib import Catalog

    from ory_reader.records.decoder import RecordDecoder
    from ory_reader.sync.protocols import Decoder


class ChangingStream(OryStream):
    """A stream whose records can be stamped with `changed_at`."""

    _changes: ChangesDecoder | None = None

    @property
    def metadata(self) -> MetadataMapping:
        """What a catalog says of the stream and its fields; a discovery names the key that changes can be told by."""
        found = super().metadata
        if self._tap_input_catalog is None:
            found.root.valid_replication_keys = [CHANGED_AT]
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
            method = method_of(self.name, entry, self._tap.methods_in_metadata.get(self.name))
            if method == REPLICATION_FULL_TABLE and self.replication_key:
                self.logger.warning(
                    "The catalog's replication key %r of the stream %r has no use: its replication method is %s.",
                    self.replication_key,
                    self.name,
                    method,
                )
        self.forced_replication_method, self.replication_key = method, None
        if method == REPLICATION_INCREMENTAL:
            self.replication_key = CHANGED_AT
            # Without it nobody downstream could tell what is newer.
            self.metadata["properties", CHANGED_AT].inclusion = Metadata.InclusionType.AUTOMATIC
            self._mask = self.metadata.resolve_selection()

    @abstractmethod
    def record_decoder(self) -> RecordDecoder:
        """What turns pages into all their records."""

    def decoder(self) -> Decoder:
        """Return what turns pages into records: all of them, or those that changed since the bookmark."""
        decoder = self.record_decoder()
        if self.replication_method != REPLICATION_INCREMENTAL:
            return decoder
        lookback = timedelta(seconds=self._tap.settings.lookback_seconds)
        self._changes = ChangesDecoder(decoder, self.stream_state.get("replication_key_value"), lookback)
        return self._changes

    def complete(self, started_at: datetime) -> None:
        """Move the bookmark, or activate the version of a full read."""
        if self._changes and (bookmark := self._changes.bookmark(started_at)):
            self.stream_state.update(replication_key=CHANGED_AT, replication_key_value=bookmark)
        super().complete(started_at)
