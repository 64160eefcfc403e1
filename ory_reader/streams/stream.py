"""One stream: the rows of a list as they are, for whoever adds no more to it. Others extend this."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ory_reader.records.decoder import RecordDecoder
from ory_reader.records.projection import project as projection_of
from ory_reader.resources.list_read import ListRead
from ory_reader.sync.snapshot import source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, MutableMapping

    from ory_reader.config.settings import Settings
    from ory_reader.http.client import OryClient
    from ory_reader.project import Project
    from ory_reader.resources.resource import Resource
    from ory_reader.sync.protocols import Decoder, Read
    from ory_reader.traits.shapes import Shape

    #: Of each breadcrumb of a schema, whether a catalog selects what is there.
    Mask = Mapping[tuple[str, ...], bool]
    Schema = Mapping[str, Any]

logger = logging.getLogger("tap-ory")

#: Where a stream's state keeps the project that its bookmark is of.
SOURCE = "replication_source"
#: Where a schema names the setting without which a field is not there.
OF_SETTING = "x-setting"
#: In the wheel the schemas lie inside the package, in a checkout beside it.
_HERE = Path(__file__).resolve().parents[1]
SCHEMAS = _HERE / "schemas" if (_HERE / "schemas").is_dir() else _HERE.parent / "schemas"


def mask_of(schema: Schema, fields: Collection[str] | None = None) -> Mask:
    """Return the mask that selects the named fields at the top of a schema; all of them if None."""
    mask: defaultdict[tuple[str, ...], bool] = defaultdict(lambda: True)
    if fields is not None:
        mask.update((("properties", name), name in fields) for name in schema["properties"])
    return mask


@dataclass(frozen=True)
class Stream:
    """The rows of a list; `schemas/{name}.json` says what is in a record, and nothing else of a row leaves.

    `schema` is everywhere the stream's JSON Schema as it is declared to a target, `mask` what is selected of it, and
    `state` what is kept of the stream between two runs.
    """

    name: str
    resource: Resource
    selected_by_default: bool = False
    #: The field by which changes are told, where they can be.
    replication_key: str | None = None
    #: What reads the list, where it is not followed page by page.
    reader: Callable[[OryClient], Read] | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """The fields that tell a record from all others."""
        return self.resource.key

    def is_wanted(self, settings: Settings) -> bool:  # noqa: ARG002 - see access
        """Whether a discovery lists it."""
        return True

    @property
    def is_typed(self) -> bool:
        """Whether the identity schemas decide what its fields are."""
        return False

    def listed(self, settings: Settings) -> Resource:  # noqa: ARG002 - see the organizations
        """The list that it is made of. Streams of the same one are read together."""
        return self.resource

    def schema(
        self,
        shapes: Mapping[str, Shape] | None = None,  # noqa: ARG002 - see the identities
        adds: Collection[str] = (),
    ) -> dict[str, Any]:
        """Return the stream's JSON Schema.

        `shapes` is what the identity schemas say of traits, if that is known; `adds` are the settings that are on, of
        those that add fields.
        """
        schema: dict[str, Any] = json.loads((SCHEMAS / f"{self.name}.json").read_bytes())
        fields = {name: (each, each.pop(OF_SETTING, None)) for name, each in schema["properties"].items()}
        schema["properties"] = {name: each for name, (each, of) in fields.items() if of is None or of in adds}
        return schema

    def check(
        self,
        project: Project,
        schema: Schema,  # noqa: ARG002 - see the identities
        mask: Mask,  # noqa: ARG002
        state: Mapping[str, Any],  # noqa: ARG002
        *,
        given: bool,  # noqa: ARG002
    ) -> None:
        """See to it, before anything is written, that the stream can be read as it must be.

        `given` tells that the schema came out of a catalog and not out of the project.

        Raises:
            TapOryError: if something is missing for that.
        """
        project.api(self.listed(project.settings))

    def remember(self, project: Project, schema: Schema, mask: Mask, state: MutableMapping[str, Any]) -> None:
        """Let the state say what a later run must know of this one."""

    def read(self, project: Project) -> Read:
        """Return a read of all its pages, which has made no request yet."""
        resource = self.listed(project.settings)
        api = project.api(resource)
        return self.reader(api) if self.reader else ListRead(api, resource)

    def read_changes(self, project: Project, state: Mapping[str, Any]) -> Read:  # noqa: ARG002 - see the sessions
        """Return a read of the pages that may hold what changed since the state's bookmark: usually of all."""
        return self.read(project)

    def decoder(
        self,
        project: Project,
        schema: Schema,
        mask: Mask,
        state: Mapping[str, Any],  # noqa: ARG002 - see the identities
        *,
        changes_only: bool,  # noqa: ARG002
    ) -> Decoder:
        """Return what turns pages into records: all of them, or those that changed since the state's bookmark."""
        key = self.key[0]
        return RecordDecoder(projection_of(self._shown(project, schema), mask, key=key), key)

    def _shown(self, project: Project, schema: Schema) -> Schema:
        """What of a schema, which a catalog may have written, a record may show: no more than ours declares."""
        declared, own = schema.get("properties", {}), Stream.schema(self, adds=project.settings.adds)["properties"]
        shown = {name: declared[name] for name in declared if name in own and f"/{name}" not in self.resource.withheld}
        return {**schema, "properties": shown}

    def since(self, project: Project, state: Mapping[str, Any]) -> tuple[object, timedelta, dict[str, str]]:
        """Return the state's bookmark, how long before it to begin, and what is kept beside the next one.

        There is none if it is of another project, whose times say nothing of this one's.
        """
        source = source_of(project.settings.base_url)
        # Bookmarks of earlier versions have no source beside them.
        is_ours = state.get(SOURCE, source) == source
        if not is_ours and (note := f"{SOURCE} of {self.name}") not in project.warned:
            project.warned.add(note)
            logger.warning(
                "The bookmark of the stream %r in the state is set aside, as it was read from another base_url; "
                "reading from the start.",
                self.name,
            )
        bookmark = state.get("replication_key_value") if is_ours else None
        return bookmark, timedelta(seconds=project.settings.lookback_seconds), {SOURCE: source}

    def fingerprint(self, project: Project, schema: Schema, mask: Mask, state: Mapping[str, Any]) -> list[Any]:  # noqa: ARG002
        """All that decides which records of this stream there are and what they look like, beside the settings."""
        return [
            self.name,
            # What changed since is left out.
            state.get("replication_key_value"),
            schema,
            # A catalog may deselect what no schema declares.
            sorted([*map(list, mask.items())]),
        ]
