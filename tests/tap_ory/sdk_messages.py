"""What the SDK alone makes of records: its own maps and its own flattening, one record after the other.

With flattening SCHEMA wins over it in two ways: there is nothing in a record that is no column, and in a column of
text there is text.
"""

import io
import json
import logging
import sys
from decimal import Decimal
from typing import Any
from unittest import mock

from singer_sdk.mapper import PluginMapper
from singer_sdk.singerlib import Catalog
from singer_sdk.singerlib.json import serialize_json

from ory_reader.errors import SettingsError
from ory_reader.streams import STREAMS
from tap_ory.flattening import MAX_BYTES, shortened
from tap_ory.tap import TapOry
from tests.command import unchanged_signals

Json = dict[str, Any]
#: No schemas are asked for: what is known of traits is in the catalog.
CONFIG = {"base_url": "http://127.0.0.1:1", "permissions_url": "http://127.0.0.1:2", "identity_schemas": False}


def catalog_of(stream: str, traits: Json | None = None) -> Json:
    """A catalog of one stream, with a schema of its traits."""
    definition = STREAMS[stream]
    schema = definition.schema(None)
    if traits is not None:
        name = {"identities": "traits", "users": "profile"}[stream]
        schema["properties"][name] = {**traits, "description": ""}
    root = {"breadcrumb": [], "metadata": {"selected": True}}
    names = {"tap_stream_id": stream, "stream": stream, "key_properties": [*definition.key]}
    return {"streams": [{**names, "schema": schema, "metadata": [root]}]}


def tap_messages(
    page: bytes, catalog: Json, *, blocks: bool = True, raising: bool = False, **config: Any
) -> tuple[list[Json], bool]:
    """The tap's messages of a page, and whether it ended with an error that names the setting, or that error."""
    out, failed = io.BytesIO(), False
    with unchanged_signals(), mock.patch.object(sys, "stdout", io.TextIOWrapper(out, encoding="utf-8")):
        try:
            tap = TapOry(config={**CONFIG, **config}, catalog=catalog)
            (stream,) = (each for each in tap.ory_streams if each.selected)
            stream.begin(17)
            with mock.patch.object(stream, "_wants_blocks", return_value=blocks), stream.measured():
                decoder = stream.decoder()
                stream.write(decoder, decoder.rows(page))
        except SettingsError:
            if raising:
                raise
            failed = True
        sys.stdout.flush()
        return [_message(line) for line in out.getvalue().splitlines()], failed


def sdk_messages(page: bytes, catalog: Json, **config: Any) -> tuple[list[Json], bool]:
    """The SDK's RECORD messages of the same records, and whether it failed."""
    with unchanged_signals():
        tap = TapOry(config=CONFIG, catalog=catalog)
    (stream,) = (each for each in tap.ory_streams if each.selected)
    decoder = stream.decoder()
    messages: list[Json] = []
    try:
        mapper = PluginMapper(plugin_config=json.loads(json.dumps(config)), logger=logging.getLogger("oracle"))
        mapper.register_raw_streams_from_catalog(Catalog.from_dict(catalog))
        for record in decoder.dicts(decoder.rows(page)):
            for stream_map in mapper.stream_maps[stream.name]:
                found = stream_map.transform(record)
                if found is not None:
                    longest = max(config.get("flattening_max_key_length", 0), MAX_BYTES)
                    flat = stream_map.flattening_enabled
                    row = _by_schema(found, stream_map.transformed_schema, longest) if flat else found
                    message = {"type": "RECORD", "stream": stream_map.stream_alias, "record": row, "version": 17}
                    messages.append(_message(serialize_json(message).encode()))
    except Exception:  # noqa: BLE001 - an expression can raise anything
        return messages, True
    return messages, False


def _by_schema(row: Json, schema: Json, longest: int) -> Json:
    found = {}
    for name, value in row.items():
        column = schema["properties"].get(name)
        if column is None:
            continue
        types = column.get("type", "string")
        is_text = not {"string", "object", "array"}.isdisjoint([types] if isinstance(types, str) else types)
        is_json = isinstance(value, (bool, int, float, Decimal, dict, list))
        found[shortened(name, longest)] = serialize_json(value) if is_text and is_json else value
    return found


def _message(line: bytes) -> Json:
    message: Json = json.loads(line, parse_float=Decimal)
    message.pop("time_extracted", None)
    return message
