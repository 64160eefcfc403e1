"""The relation tuples as a stream: each once, with its subject as one text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ory_reader.records.projection import project as projection_of
from ory_reader.records.tuple_decoder import TupleDecoder
from ory_reader.streams.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ory_reader.project import Project
    from ory_reader.streams.stream import Mask, Schema
    from ory_reader.sync.protocols import Decoder


class RelationTuples(Stream):
    """The tuples of a project."""

    def decoder(
        self,
        project: Project,
        schema: Schema,
        mask: Mask,
        state: Mapping[str, Any],  # noqa: ARG002 - see the identities
        *,
        changes_only: bool,  # noqa: ARG002
    ) -> Decoder:
        """Return what turns pages into records."""
        return TupleDecoder(projection_of(self._shown(project, schema), mask, key="namespace"))
