"""The `identities` stream: every identity of the project, as the server gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ory_reader.records.identity_decoder import IdentityDecoder
from tap_ory.streams.typed import TypedTraitsStream

if TYPE_CHECKING:
    from ory_reader.records.decoder import RecordDecoder


class IdentitiesStream(TypedTraitsStream):
    """One record per identity; `schemas/identities.json` says what is in it."""

    name = "identities"
    primary_keys: ClassVar[tuple[str, ...]] = ("id",)
    traits_field = "traits"

    def record_decoder(self) -> RecordDecoder:
        """Return what turns pages into records, their traits as they are declared."""
        return IdentityDecoder(self.effective_schema, self.mask, warned=self._tap.warned_traits)
