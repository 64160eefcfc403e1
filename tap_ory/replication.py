"""What a catalog says of how a stream is read: as a whole, or what changed. Honoured or refused, never passed over.

A catalog says it in up to three places: the stream itself (`replication_method`, which a discovery fills in), and in
its root metadata `replication-method` (where whoever edits a catalog puts it, and which the SDK does not read) and
`forced-replication-method`. Knows Singer's catalogs; nothing of what is in a stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL

from ory_reader.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.singerlib import CatalogEntry

METHODS = (REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL)


def methods_in_metadata(catalog: Any) -> dict[str, Any]:
    """Return `replication-method` of the root metadata, by stream; nothing if it is no catalog as JSON."""
    try:
        return {
            stream["tap_stream_id"]: each["metadata"]["replication-method"]
            for stream in catalog["streams"]
            for each in stream.get("metadata", ())
            if not each["breadcrumb"] and each["metadata"].get("replication-method") is not None
        }
    except (KeyError, TypeError, AttributeError):
        return {}


def method_of(name: str, entry: CatalogEntry, in_metadata: Any, key: str | None) -> str:
    """Return FULL_TABLE or INCREMENTAL, as the catalog asks for; `key` is what changes can be told by, if they can.

    Raises:
        SettingsError: if it asks for another method, for two, or for a key that cannot serve.
    """
    root = entry.metadata.root
    edited = [each for each in (in_metadata, root.forced_replication_method) if each is not None]
    # What a discovery fills in is no contradiction to what somebody writes beside it.
    own = [entry.replication_method] if entry.replication_method not in (None, REPLICATION_FULL_TABLE) else []
    for method in (*edited, *own):
        if method not in METHODS or (method == REPLICATION_INCREMENTAL and not key):
            _refuse(name, f"the replication method {method!r}", key)
    if len({*edited, *own}) > 1:
        _refuse(name, "two replication methods at once", key)
    keys = [key for key in (entry.replication_key, root.replication_key) if key]
    unasked = REPLICATION_INCREMENTAL if keys and key and not entry.replication_method else REPLICATION_FULL_TABLE
    method = str(next(iter((*edited, *own)), unasked))
    if method == REPLICATION_INCREMENTAL and key:
        _check_key(name, keys, key, entry.schema.to_dict())
    return method


def _check_key(name: str, named: list[str], key: str, schema: Mapping[str, Any]) -> None:
    for each in named:
        if each != key:
            msg = (
                f"The catalog's replication key {each!r} cannot serve for the stream {name!r}: no field of the API "
                f"moves with every change. Use {key!r}, or the replication method FULL_TABLE."
            )
            raise SettingsError(msg)
    if key not in schema.get("properties", {}):
        msg = f"The catalog's stream {name!r} has no field {key!r}, by which changes are told: discover it again."
        raise SettingsError(msg)


def _refuse(name: str, what: str, key: str | None) -> NoReturn:
    use = f"use FULL_TABLE, or INCREMENTAL with the replication key {key!r}" if key else "use FULL_TABLE"
    msg = f"The catalog asks for {what} of the stream {name!r}: {use}."
    raise SettingsError(msg)
