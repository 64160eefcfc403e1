"""The streams as Airbyte's catalog; a configured catalog as what is read of them, Airbyte's states as bookmarks.

Makes no request and reads no file.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ory_reader.errors import SettingsError
from ory_reader.records.changes import CHANGED_AT
from ory_reader.sync.states import bookmarks_of, without_finished
from ory_reader.traits.declaration import is_typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ory_reader.streams import Stream
    from ory_reader.sync.states import Bookmarks

logger = logging.getLogger("tap-ory")

#: The fields that hold traits, in either stream.
TRAITS = ("traits", "profile")
#: The sync modes, and whether only changes are read in them.
MODES = {"full_refresh": False, "incremental": True}


class Mask(dict[tuple[str, ...], bool]):
    """Of each field whether it is read; what is below a field is read with it."""

    def __missing__(self, breadcrumb: tuple[str, ...]) -> bool:
        """Answer for what is below."""
        return self.get(breadcrumb[:2], True)


@dataclass(frozen=True)
class Chosen:
    """What a configured catalog asks for of a stream."""

    changes_only: bool
    mask: Mask


def airbyte_stream(stream: Stream, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a stream as the catalog tells of it: every one goes on where a cut read stopped."""
    described: dict[str, Any] = {
        "name": stream.name,
        "json_schema": _opened(schema),
        "supported_sync_modes": ["full_refresh"],
        "source_defined_primary_key": [[key] for key in stream.key],
        "source_defined_cursor": True,
        "is_resumable": True,
    }
    if stream.replication_key:
        described["supported_sync_modes"].append("incremental")
        described["default_cursor_field"] = [stream.replication_key]
    return described


def named(configured: Any) -> list[Any]:
    """Return the names in a configured catalog; none if it is of another shape."""
    try:
        return [each["stream"]["name"] for each in configured["streams"]]
    except (KeyError, TypeError, AttributeError):
        return []


def has_types(configured: Any) -> bool:
    """Whether a configured catalog, of whatever shape, declares traits: the source knew the identity schemas then."""
    try:
        streams = [each["stream"]["json_schema"].get("properties", {}) for each in configured["streams"]]
        return any(is_typed(each[field]) for each in streams for field in TRAITS if field in each)
    except (KeyError, TypeError, AttributeError):
        return False


def _opened(schema: Any) -> Any:
    """The schema without closed objects: Airbyte treats the end of a property there as a breaking change."""
    if isinstance(schema, list):
        return [_opened(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = schema.items() if schema.get("additionalProperties") is not False else _without_closing(schema)
    return {key: _opened(value) for key, value in kept}


def _without_closing(schema: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    return ((key, value) for key, value in schema.items() if key != "additionalProperties")


def chosen(
    configured: Any, schemas: Mapping[str, Mapping[str, Any]], cursors: Mapping[str, str | None] | None = None
) -> dict[str, Chosen]:
    """Return what Airbyte's configured catalog asks for of each stream that it names; `schemas` are those there are.

    `cursors` are the fields that their changes are told by, where that is another than `changed_at`.

    A configured schema without properties means all fields. The id needs no mention, as it is always read.

    Raises:
        SettingsError: if it is no configured catalog, or of other streams, sync modes or cursors than there are.
    """
    try:
        wanted = {each["stream"]["name"]: each for each in configured["streams"]}
        modes = {name: MODES[each["sync_mode"]] for name, each in wanted.items()}
        fields = {name: set(each["stream"]["json_schema"].get("properties", ())) for name, each in wanted.items()}
    except (KeyError, TypeError, AttributeError):
        msg = (
            "The catalog is no configured catalog of Airbyte's: each stream needs a name, a json_schema and a "
            f"sync_mode of {' or '.join(MODES)}."
        )
        raise SettingsError(msg) from None
    if not wanted:
        msg = f"The catalog configures no stream, so nothing would be read: there are {', '.join(schemas)}."
        raise SettingsError(msg)
    for name, changes_only in modes.items():
        if name not in schemas:
            msg = f"The catalog names a stream {name!r}: there are {', '.join(schemas)}."
            raise SettingsError(msg)
        if changes_only:
            own = (cursors or {}).get(name) or CHANGED_AT
            modes[name] = _knows_changes(name, schemas[name], own, wanted[name].get("cursor_field"))
    needed = {name: {(cursors or {}).get(name) or CHANGED_AT} for name in modes if modes[name]}
    return {
        name: Chosen(modes[name], _mask(schema, fields[name], needed.get(name, set())))
        for name, schema in schemas.items()
        if name in wanted
    }


def _knows_changes(name: str, schema: Mapping[str, Any], own: str, cursor: Any) -> bool:
    """Whether a stream of which only changes are asked for can tell them.

    One that cannot is read in full: PyAirbyte asks every stream for changes, whatever it can.

    Raises:
        SettingsError: if the changes are asked for by another field than the source's own.
    """
    if own not in schema["properties"]:
        logger.warning("The stream %r knows no changes: sync_mode incremental is read as full_refresh.", name)
        return False
    if cursor and cursor != [own]:
        named = ".".join(map(str, cursor)) if isinstance(cursor, list) else cursor
        msg = f"The stream {name!r} has no cursor {named!r}: its changes are told by {own!r} alone."
        raise SettingsError(msg)
    return True


def _mask(schema: Mapping[str, Any], wanted: set[str], needed: set[str]) -> Mask:
    return Mask({("properties", field): not wanted or field in wanted | needed for field in schema["properties"]})


def bookmarks(states: Any) -> Bookmarks:
    """Return what is kept of each stream, of Airbyte's list of states; one of another shape is set aside."""
    if not states:
        return {}
    try:
        places = [each["stream"] for each in states]
        named = {each["stream_descriptor"]["name"]: each.get("stream_state") or {} for each in places}
    except (KeyError, TypeError, AttributeError):
        named = None
    kept = bookmarks_of({"bookmarks": named})
    if kept is None:
        logger.warning("The state given is set aside, as it is no list of stream states; reading from the start.")
        return {}
    return without_finished(kept)
