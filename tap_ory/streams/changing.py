"""What streams share that can be read whole or by what changed: which of both a catalog asks for, and the bookmark."""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL, Metadata, MetadataMapping

from tap_ory.changes import CHANGED_AT, ChangedRecordEncoder
from tap_ory.replication import method_of
from tap_ory.snapshot import source_of
from tap_ory.streams.base import OryStream

if TYPE_CHECKING:
    from datetime import datetime

    from singer_sdk.singerlib import Catalog

    from tap_ory.records import RecordEncoder
    from tap_ory.streams.base import Encoder

#: Where a stream's state keeps the project that its bookmark is of.
SOURCE = "replication_source"


class ChangingStream(OryStream):
    """A stream whose records can be stamped with `changed_at`."""

    _changes: ChangedRecordEncoder | None = None

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
    def record_encoder(self) -> RecordEncoder:
        """What turns pages into all their records."""

    def encoder(self) -> Encoder:
        """Return what turns pages into records: all of them, or those that changed since the bookmark."""
        encoder = self.record_encoder()
        if self.replication_method != REPLICATION_INCREMENTAL:
            return encoder
        lookback = timedelta(seconds=self._tap.settings.lookback_seconds)
        self._changes = ChangedRecordEncoder(encoder, self._bookmark(), lookback)
        return self._changes

    def _bookmark(self) -> object:
        """The state's bookmark; None if it is of another project, whose times say nothing of this one's people."""
        # Bookmarks of earlier versions have no source beside them.
        if self.stream_state.get(SOURCE, self._source) == self._source:
            return self.stream_state.get("replication_key_value")
        self.logger.warning(
            "The bookmark of the stream %r in the state is set aside, as it was read from another base_url; reading "
            "from the start.",
            self.name,
        )
        return None

    @property
    def _source(self) -> str:
        return source_of(self._tap.settings.base_url)

    def complete(self, started_at: datetime) -> None:
        """Move the bookmark, or activate the version of a full read."""
        if self._changes and (bookmark := self._changes.bookmark(started_at)):
            self.stream_state.update(
                {"replication_key": CHANGED_AT, "replication_key_value": bookmark, SOURCE: self._source}
            )
        super().complete(started_at)
