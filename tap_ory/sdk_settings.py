"""The SDK's own settings as this tap has them: stream maps and flattening, with a schema that can be checked."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from singer_sdk.helpers.capabilities import FLATTENING_CONFIG, STREAM_MAPS_CONFIG


def sdk_settings() -> dict[str, Any]:
    """Return the properties: the SDK's, but for what its schema gets wrong.

    It allows `__else__` to be what is no JSON Schema, on which each check of it ends in an AttributeError. It has no
    bounds for lengths and depths, and below them makes one column of all, or flattens nothing without a word.
    """
    properties = deepcopy({**STREAM_MAPS_CONFIG["properties"], **FLATTENING_CONFIG["properties"]})
    properties["stream_maps"]["properties"]["__else__"]["anyOf"] = [{"const": "__NULL__"}, {"type": "null"}]
    properties["flattening_max_depth"]["minimum"] = 0
    properties["flattening_max_key_length"]["minimum"] = 1
    return properties
