"""The `identities` stream: every identity of the project, as the server gives it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from tap_ory.changes import CHANGED_AT, ChangedRecordEncoder
from tap_ory.errors import SettingsError
from tap_ory.streams.typed import TypedTraitsStream
from tap_ory.typed_records import TypedRecordEncoder

if TYPE_CHECKING:
    from datetime import datetime

    from singer_sdk.singerlib import Catalog

    from tap_ory.streams.base import Encoder


class IdentitiesStream(TypedTraitsStream):
    """One record per identity; `schemas/identities.json` says what is in it."""

    name = "identities"
    primary_keys: ClassVar[tuple[str, ...]] = ("id",)
    traits_field = "traits"
    _changes: ChangedRecordEncoder | None = None

    def apply_catalog(self, catalog: Catalog) -> None:
        """Take over the catalog; a change-based read has one replication key only.

        Raises:
            SettingsError: if the catalog names another one.
        """
        super().apply_catalog(catalog)
        if self.replication_method == REPLICATION_INCREMENTAL:
            if self.replication_key not in {None, CHANGED_AT}:
                msg = (
                    f"The catalog's replication key {self.replication_key!r} cannot serve: no field of the API moves "
                    f"with every change. Use {CHANGED_AT!r}, or the replication method FULL_TABLE."
                )
                raise SettingsError(msg)
            self.replication_key = CHANGED_AT

    def encoder(self) -> Encoder:
        """Return what turns pages into records: all of them, or those that changed since the bookmark."""
        encoder = TypedRecordEncoder(
            self.name, self.effective_schema, self.mask, self._stream_version, warned=self._tap.warned_traits
        )
        if self.replication_method != REPLICATION_INCREMENTAL:
            return encoder
        lookback = timedelta(seconds=self._tap.settings.lookback_seconds)
        self._changes = ChangedRecordEncoder(encoder, self.stream_state.get("replication_key_value"), lookback)
        return self._changes

    def complete(self, started_at: datetime) -> None:
        """Move the bookmark, or activate the version of a full read."""
        if self._changes and (bookmark := self._changes.bookmark(started_at)):
            self.stream_state.update(replication_key=CHANGED_AT, replication_key_value=bookmark)
        super().complete(started_at)
