"""The `users` stream: every identity of the project as what its identity schema says it is, a user."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from tap_ory.streams.typed import TypedTraitsStream

if TYPE_CHECKING:
    from ory_reader.records.decoder import RecordDecoder


class UsersStream(TypedTraitsStream):
    """One record per identity; `schemas/users.json` says what is in it."""

    name = "users"
    primary_keys: ClassVar[tuple[str, ...]] = ("id",)
    traits_field = "profile"
    #: A view of the same identities: who wants it selects it.
    selected_by_default = False
    made_of_schemas = True

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

    def record_decoder(self) -> RecordDecoder:
        """Return what turns pages into users, after telling which trait becomes what."""
        # Who reads no users does not wait for what makes them.
        from ory_reader.resources.identities import tells_credentials  # noqa: PLC0415
        from ory_reader.users.decoder import UserDecoder, user_mappings_of  # noqa: PLC0415
        from ory_reader.users.explain import sentences  # noqa: PLC0415

        self.check_types()
        shapes, settings = self._tap.trait_shapes, self._tap.settings
        for sentence in sentences(user_mappings_of(shapes, settings)):
            self.logger.info("%s", sentence)
        return UserDecoder(
            self.effective_schema,
            self.mask,
            shapes=shapes,
            settings=settings,
            warned=self._tap.warned_traits,
            tells_credentials=cache(lambda: tells_credentials(self._tap.api)),
        )

    def fingerprint(self) -> list[Any]:
        """Add what the identity schemas say of traits: it decides which trait becomes what."""
        return [*super().fingerprint(), self._tap.trait_shapes]
