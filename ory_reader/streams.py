"""The streams: what there is to be read, by its name, and how pages become records of it.

A shell makes its own streams of these, in its protocol's words. Knows nothing of how records are written.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ory_reader.errors import SettingsError
from ory_reader.records.changes import CHANGED_AT, ChangesDecoder
from ory_reader.records.identity_decoder import IdentityDecoder
from ory_reader.sync.snapshot import source_of
from ory_reader.traits.declaration import is_typed, typed_traits

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from ory_reader.project import Project
    from ory_reader.records.decoder import RecordDecoder
    from ory_reader.sync.protocols import Decoder
    from ory_reader.traits.shapes import Shape

    #: Of each breadcrumb of a schema, whether a catalog selects what is there.
    Mask = Mapping[tuple[str, ...], bool]
    Schema = Mapping[str, Any]

logger = logging.getLogger("tap-ory")

#: In the wheel the schemas lie inside the package, in a checkout beside it.
_HERE = Path(__file__).resolve().parent
SCHEMAS = _HERE / "schemas" if (_HERE / "schemas").is_dir() else _HERE.parent / "schemas"
#: Where a stream's state keeps that its traits had types, and that its records were made of identity schemas.
TYPED, MADE = "typed_traits", "identity_schemas"
#: Where it keeps the project that its bookmark is of.
SOURCE = "replication_source"


@dataclass(frozen=True)
class Stream:
    """One view of the identities of a project; `schemas/{name}.json` says what is in a record.

    `schema` is everywhere the stream's JSON Schema as it is declared to a target, `mask` what is selected of it, and
    `state` what is kept of the stream between two runs.
    """

    name: str
    #: The field that holds the traits.
    traits_field: str
    #: Whether a record is made of what the identity schemas say, and not only typed by it.
    made_of_schemas: bool = False
    selected_by_default: bool = True
    key: tuple[str, ...] = ("id",)

    def schema(self, shapes: Mapping[str, Shape] | None) -> dict[str, Any]:
        """Return the stream's JSON Schema, its traits as the identity schemas declare them; without those, as any."""
        schema: dict[str, Any] = json.loads((SCHEMAS / f"{self.name}.json").read_bytes())
        if shapes is not None:
            traits = schema["properties"][self.traits_field]
            schema["properties"][self.traits_field] = typed_traits(traits, shapes)
        return schema

    def check_types(
        self, project: Project, schema: Schema, mask: Mask, state: Mapping[str, Any], *, given: bool
    ) -> None:
        """See to it that what earlier runs knew of traits, or what users are made of, is known now.

        `given` tells that the schema came out of a catalog and not out of the project.

        Raises:
            TapOryError: if the identity schemas are missing for that.
            SettingsError: if it is the catalog that lacks the types.
        """
        if not project.settings.identity_schemas:
            return
        typed = self._is_typed(schema, mask)
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
            TYPED: bool(self._is_typed(schema, mask)),
            MADE: self.made_of_schemas and bool(project.trait_shapes),
        }
        # What was true before is said to be false, and not left out: a store may merge states.
        state.update({name: fact for name, fact in facts.items() if fact or name in state})

    def _is_typed(self, schema: Schema, mask: Mask) -> bool | None:
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
        lookback = timedelta(seconds=project.settings.lookback_seconds)
        source = source_of(project.settings.base_url)
        return ChangesDecoder(decoder, self._bookmark(state, source), lookback, {SOURCE: source})

    def _bookmark(self, state: Mapping[str, Any], source: str) -> object:
        """The state's bookmark; None if it is of another project, whose times say nothing of this one's people."""
        # Bookmarks of earlier versions have no source beside them.
        if state.get(SOURCE, source) == source:
            return state.get("replication_key_value")
        logger.warning(
            "The bookmark of the stream %r in the state is set aside, as it was read from another base_url; reading "
            "from the start.",
            self.name,
        )
        return None

    def _decoder(self, project: Project, schema: Schema, mask: Mask) -> RecordDecoder:
        if not self.made_of_schemas:
            return IdentityDecoder(schema, mask, warned=project.warned_traits)
        # Who reads no users does not wait for what makes them.
        from ory_reader.resources.identities import tells_credentials  # noqa: PLC0415
        from ory_reader.users.decoder import UserDecoder, user_mappings_of  # noqa: PLC0415
        from ory_reader.users.explain import sentences  # noqa: PLC0415

        for sentence in sentences(user_mappings_of(project.trait_shapes, project.settings)):
            logger.info("%s", sentence)
        return UserDecoder(
            schema,
            mask,
            shapes=project.trait_shapes,
            settings=project.settings,
            warned=project.warned_traits,
            tells_credentials=cache(lambda: tells_credentials(project.client)),
        )

    def fingerprint(self, project: Project, schema: Schema, mask: Mask, state: Mapping[str, Any]) -> list[Any]:
        """All that decides which records of this stream there are and what they look like, beside the settings."""
        return [
            self.name,
            # What changed since is left out.
            state.get("replication_key_value"),
            schema,
            # A catalog may deselect what no schema declares.
            sorted([*map(list, mask.items())]),
            # They decide which trait becomes what.
            project.trait_shapes if self.made_of_schemas else None,
        ]


STREAMS = {
    stream.name: stream
    for stream in (
        Stream("identities", traits_field="traits"),
        Stream("users", traits_field="profile", made_of_schemas=True, selected_by_default=False),
    )
}
#: The one key that changes can be told by.
REPLICATION_KEY = CHANGED_AT
