"""The identities of a project as streams: as the server gives them, and as users. One read serves both."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ory_reader.errors import SettingsError
from ory_reader.records.changes import CHANGED_AT, ChangesDecoder
from ory_reader.records.identity_decoder import IdentityDecoder
from ory_reader.resources.identities import IDENTITIES, IdentityRead, tells_credentials
from ory_reader.resources.sessions import SESSIONS
from ory_reader.streams.stream import Stream
from ory_reader.traits.declaration import FREE, is_typed, typed_traits

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, MutableMapping

    from ory_reader.http.client import OryClient
    from ory_reader.project import Project
    from ory_reader.records.decoder import RecordDecoder
    from ory_reader.resources.resource import Resource
    from ory_reader.streams.stream import Mask, Schema
    from ory_reader.sync.protocols import Decoder, Read
    from ory_reader.traits.shapes import Shape
    from ory_reader.users.last_logins import LastLogins

logger = logging.getLogger("tap-ory")

#: Where a stream's state keeps that its traits had types, and that its records were made of identity schemas.
TYPED, MADE = "typed_traits", "identity_schemas"
#: The setting that puts a member of an identity into a user's profile, beside the traits.
PROFILE_METADATA, METADATA, TOLD = "profile_metadata", "metadata_public", "The identity's metadata_public."


@dataclass(frozen=True)
class IdentityView(Stream):
    """One view of the identities of a project."""

    resource: Resource = IDENTITIES
    replication_key: str | None = CHANGED_AT
    reader: Callable[[OryClient], Read] | None = IdentityRead
    #: The field that holds the traits.
    traits_field: str = "traits"
    #: Whether a record is made of what the identity schemas say, and not only typed by it.
    made_of_schemas: bool = False

    @property
    def is_typed(self) -> bool:
        """Whether the identity schemas decide what its fields are."""
        return True

    def schema(self, shapes: Mapping[str, Shape] | None = None, adds: Collection[str] = ()) -> dict[str, Any]:
        """Return the stream's JSON Schema, its traits as the identity schemas declare them; without those, as any."""
        schema = super().schema(adds=adds)
        if shapes is not None:
            traits = schema["properties"][self.traits_field]
            schema["properties"][self.traits_field] = typed_traits(traits, shapes)
        if self.made_of_schemas and PROFILE_METADATA in adds:
            profile = schema["properties"][self.traits_field]
            if is_typed(profile):
                profile.setdefault("properties", {}).setdefault(METADATA, {**FREE, "description": TOLD})
        return schema

    def check(self, project: Project, schema: Schema, mask: Mask, state: Mapping[str, Any], *, given: bool) -> None:
        """See to it that what earlier runs knew of traits, or what users are made of, is known now.

        `given` tells that the schema came out of a catalog and not out of the project.

        Raises:
            TapOryError: if the identity schemas are missing for that.
            SettingsError: if it is the catalog that lacks the types.
        """
        if not project.settings.identity_schemas:
            return
        typed = self._declares_types(schema, mask)
        lost = typed is False and bool(state.get(TYPED))
        if self.made_of_schemas:
            known = lost or bool(state.get(MADE)) or (given and typed is True)
            project.schemas.settle(needed=True, known=known)
        elif lost or (typed is False and not given):
            project.schemas.settle(needed=False, known=lost)
        if lost and is_typed(typed_traits({"description": ""}, project.trait_shapes)):
            msg = (
                f"The catalog says nothing of the types in {self.name}.{self.traits_field}, which earlier runs had: "
                "discover it again, or set identity_schemas to off to go on without types."
            )
            raise SettingsError(msg)

    def remember(self, project: Project, schema: Schema, mask: Mask, state: MutableMapping[str, Any]) -> None:
        """Let the state say whether there were types: a later run must not go on without."""
        facts = {
            TYPED: bool(self._declares_types(schema, mask)),
            MADE: self.made_of_schemas and bool(project.trait_shapes),
        }
        # What was true before is said to be false, and not left out: a store may merge states.
        state.update({name: fact for name, fact in facts.items() if fact or name in state})

    def _declares_types(self, schema: Schema, mask: Mask) -> bool | None:
        """Whether the traits go out as anything else than free JSON; None where they do not go out."""
        traits = schema.get("properties", {}).get(self.traits_field)
        return is_typed(traits) if traits is not None and mask["properties", self.traits_field] else None

    def decoder(
        self, project: Project, schema: Schema, mask: Mask, state: Mapping[str, Any], *, changes_only: bool
    ) -> Decoder:
        """Return what turns pages into records: all of them, or those that changed since the state's bookmark."""
        decoder = self._decoder(project, schema, mask)
        if not changes_only:
            return decoder
        return ChangesDecoder(decoder, *self.since(project, state))

    def _decoder(self, project: Project, schema: Schema, mask: Mask) -> RecordDecoder:
        if not self.made_of_schemas:
            return IdentityDecoder(schema, mask, warned=project.warned)
        # Who reads no users does not wait for what makes them.
        from ory_reader.users.decoder import UserDecoder, user_mappings_of  # noqa: PLC0415
        from ory_reader.users.explain import sentences  # noqa: PLC0415

        for sentence in sentences(user_mappings_of(project.trait_shapes, project.settings)):
            logger.info("%s", sentence)
        return UserDecoder(
            schema,
            mask,
            shapes=project.trait_shapes,
            settings=project.settings,
            warned=project.warned,
            tells_credentials=cache(lambda: tells_credentials(project.client)),
            last_logins=self._last_logins(project, schema, mask),
        )

    def fingerprint(self, project: Project, schema: Schema, mask: Mask, state: Mapping[str, Any]) -> list[Any]:
        """All that decides which records of this stream there are and what they look like, beside the settings."""
        # They decide which trait becomes what.
        shapes = project.trait_shapes if self.made_of_schemas else None
        return [*super().fingerprint(project, schema, mask, state), shapes]

    def _last_logins(self, project: Project, schema: Schema, mask: Mask) -> LastLogins | None:
        """What sessions tell, by a read of them, where that is wanted."""
        from ory_reader.users.decoder import LAST_LOGIN  # noqa: PLC0415 - as all that makes users

        wanted = any(name in schema.get("properties", {}) and mask["properties", name] for name in LAST_LOGIN)
        if not wanted or not project.settings.last_login:
            return None
        from ory_reader.users.last_logins import read_last_logins  # noqa: PLC0415 - few runs want it

        return read_last_logins(project.api(SESSIONS))
