"""The tap's streams as Airbyte's catalog; a configured catalog and states as the tap's selection and bookmarks.

Makes no request and reads no file.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL, Catalog

from ory_reader.errors import SettingsError
from ory_reader.records.changes import CHANGED_AT
from ory_reader.traits.declaration import is_typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from singer_sdk import Stream

logger = logging.getLogger("tap-ory")

#: The fields that hold traits, in either stream.
TRAITS = ("traits", "profile")
REPLICATION = {"full_refresh": REPLICATION_FULL_TABLE, "incremental": REPLICATION_INCREMENTAL}


def airbyte_stream(stream: Stream) -> dict[str, Any]:
    """Return a stream as the catalog tells of it: every one goes on where a cut read stopped."""
    described: dict[str, Any] = {
        "name": stream.name,
        "json_schema": _opened(stream.schema),
        "supported_sync_modes": ["full_refresh"],
        "source_defined_primary_key": [[key] for key in stream.primary_keys],
        "source_defined_cursor": True,
        "is_resumable": True,
    }
    if CHANGED_AT in stream.schema["properties"]:
        described["supported_sync_modes"].append("incremental")
        described["default_cursor_field"] = [CHANGED_AT]
    return described


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


def singer_catalog(configured: Any, streams: Mapping[str, Stream]) -> Catalog:
    """Return the tap's catalog of Airbyte's configured one: these streams, and these of their fields.

    A configured schema without properties means all fields.

    Raises:
        SettingsError: if it is no configured catalog, or of other streams, sync modes or cursors than there are.
    """
    try:
        wanted = {each["stream"]["name"]: each for each in configured["streams"]}
        modes = {name: REPLICATION[each["sync_mode"]] for name, each in wanted.items()}
        fields = {name: set(each["stream"]["json_schema"].get("properties", ())) for name, each in wanted.items()}
    except (KeyError, TypeError, AttributeError):
        msg = (
            "The catalog is no configured catalog of Airbyte's: each stream needs a name, a json_schema and a "
            f"sync_mode of {' or '.join(REPLICATION)}."
        )
        raise SettingsError(msg) from None
    if not wanted:
        msg = f"The catalog configures no stream, so nothing would be read: there are {', '.join(streams)}."
        raise SettingsError(msg)
    for name, mode in modes.items():
        if name not in streams:
            msg = f"The catalog names a stream {name!r}: there are {', '.join(streams)}."
            raise SettingsError(msg)
        if mode == REPLICATION_INCREMENTAL:
            modes[name] = _check_incremental(streams[name], wanted[name].get("cursor_field"))
    return Catalog.from_dict(
        {"streams": [_entry(stream, modes.get(name), fields.get(name)) for name, stream in streams.items()]}
    )


def _check_incremental(stream: Stream, cursor: Any) -> str:
    """Return how to read a stream of which only changes are asked for.

    A stream that knows none is read in full: PyAirbyte asks every stream for changes, whatever it can.

    Raises:
        SettingsError: if the changes are asked for by another field than the source's own.
    """
    if CHANGED_AT not in stream.schema["properties"]:
        logger.warning("The stream %r knows no changes: sync_mode incremental is read as full_refresh.", stream.name)
        return REPLICATION_FULL_TABLE
    if cursor and cursor != [CHANGED_AT]:
        named = ".".join(map(str, cursor)) if isinstance(cursor, list) else cursor
        msg = f"The stream {stream.name!r} has no cursor {named!r}: its changes are told by {CHANGED_AT!r} alone."
        raise SettingsError(msg)
    return REPLICATION_INCREMENTAL


def _entry(stream: Stream, mode: str | None, fields: set[str] | None) -> dict[str, Any]:
    metadata = [{"breadcrumb": [], "metadata": {"inclusion": "available", "selected": mode is not None}}]
    for field in stream.schema["properties"]:
        needed = field in stream.primary_keys or (field == CHANGED_AT and mode == REPLICATION_INCREMENTAL)
        inclusion = "automatic" if needed else "available"
        selected = {"inclusion": inclusion, "selected": not fields or field in fields}
        metadata.append({"breadcrumb": ["properties", field], "metadata": selected})
    return {
        "tap_stream_id": stream.name,
        "stream": stream.name,
        "schema": stream.schema,
        "key_properties": list(stream.primary_keys),
        "replication_method": mode or REPLICATION_FULL_TABLE,
        "metadata": metadata,
    }


def singer_state(states: Any) -> dict[str, Any]:
    """Return the tap's state of Airbyte's, a list of states per stream; one of another shape is set aside."""
    if not states:
        return {}
    try:
        places = [each["stream"] for each in states]
        return {"bookmarks": {each["stream_descriptor"]["name"]: each.get("stream_state") or {} for each in places}}
    except (KeyError, TypeError, AttributeError):
        logger.warning("The state given is set aside, as it is no list of stream states; reading from the start.")
        return {}
