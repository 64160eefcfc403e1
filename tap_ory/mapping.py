"""The SDK's stream maps and flattening with a user's mistakes in a line each, which names the setting and no data.

Maps are compiled for the streams that are selected: what another stream lacks is no mistake of this run.
"""

from __future__ import annotations

import difflib
import fnmatch
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from simpleeval import ModuleWrapper
from singer_sdk.exceptions import ConfigValidationError, MappingError
from singer_sdk.helpers._flattening import FlatteningOptions
from singer_sdk.mapper import CustomStreamMap, PluginMapper

from ory_reader.errors import SettingsError
from tap_ory.flattening import MAX_BYTES, Flattener
from tap_ory.map_lines import MapLines

if TYPE_CHECKING:
    import ast
    import logging
    from collections.abc import Collection, Mapping, Sequence

    from singer_sdk.mapper import StreamMap, StreamMapsDict
    from singer_sdk.singerlib import Catalog

    from tap_ory.compiled_maps import Definition

SOURCE, ALIAS = "__source__", "__alias__"
#: Streams whose records are identities.
IDENTITIES = ("identities", "users")


class Mapper(PluginMapper):
    """Maps and flattens the streams of a catalog as the settings say."""

    def __init__(self, config: Mapping[str, Any], logger: logging.Logger, streams: Collection[str]) -> None:
        """Take the settings; warn of maps for none of `streams`.

        Raises:
            SettingsError: if they do not go together.
        """
        try:
            # The SDK changes what it is given.
            super().__init__(plugin_config=deepcopy(dict(config)), logger=logger)
        except ConfigValidationError as error:
            msg = "Setting flattening_max_depth is missing: flattening_enabled needs it."
            raise SettingsError(msg) from error
        except MappingError as error:
            msg = f"Setting stream_maps: {error}"
            raise SettingsError(msg) from error
        self._config = config
        # Here it is we who flatten, what the maps have made.
        self._flattening = self.flattening_options
        self.flattening_options = FlatteningOptions(enabled=False)
        #: The maps of each stream, compiled.
        self.lines: dict[str, MapLines] = {}
        self._all_maps = self.stream_maps_dict
        for key, definition in self._all_maps.items():
            source = _source(key, definition)
            if not fnmatch.filter(streams, source):
                nearest = difflib.get_close_matches(source, streams, n=1, cutoff=0.5)
                hint = f"; did you mean {nearest[0]!r}?" if nearest else f": there are {', '.join(streams)}."
                logger.warning("Setting stream_maps.%s is ignored, as there is no stream %r%s", key, source, hint)

    def register_raw_streams_from_catalog(self, catalog: Catalog) -> None:
        """Make the maps of each stream; those of the settings for selected ones.

        Raises:
            SettingsError: if one of them cannot be made.
        """
        for name, entry in catalog.items():
            selected = entry.metadata.resolve_selection().get((), True)
            self.stream_maps_dict = self._all_maps if selected else {}
            super().register_raw_streams_from_catalog(type(catalog)({name: entry}))

    def register_raw_stream_schema(
        self, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None
    ) -> None:
        """Make the maps of a stream.

        Raises:
            SettingsError: if one of them cannot be made.
        """
        try:
            super().register_raw_stream_schema(stream_name, schema, key_properties)
        except MappingError as error:
            msg = f"Setting stream_maps: {error}"
            raise SettingsError(msg) from error
        except IndexError as error:
            msg = f"Setting stream_maps has an expression for {stream_name} with nothing in it: take it out."
            raise SettingsError(msg) from error
        made: list[tuple[StreamMap, Definition]] = []
        for stream_map, key in zip(self.stream_maps[stream_name], self._keys_of(stream_name), strict=False):
            definition = self._all_maps.get(key)
            self._flatten(stream_map, stream_name)
            if isinstance(stream_map, CustomStreamMap) and isinstance(definition, dict):
                _guard(stream_map, f"stream_maps.{key}")
                # The name of the stream; beside a source an alias is none, but a property.
                name = SOURCE if SOURCE in definition else ALIAS
                made.append((stream_map, {each: text for each, text in definition.items() if each != name}))
            else:
                made.append((stream_map, {}))
        self.lines[stream_name] = MapLines(made)

    def _keys_of(self, stream_name: str) -> list[str]:
        """The keys of the settings that make the maps of a stream, in their order."""
        keys = [stream_name]
        for key, definition in self.stream_maps_dict.items():
            source = _source(key, definition)
            if stream_name != source and not fnmatch.fnmatch(stream_name, source):
                continue
            if isinstance(definition, dict) and SOURCE in definition:
                keys.append(key)
            else:
                keys[0] = key
        return keys

    def _flatten(self, stream_map: StreamMap, stream_name: str) -> None:
        options = self._flattening
        if not options.enabled or options.max_level <= 0 or isinstance(stream_map.flatten_record, Flattener):
            return
        longest = max(self._config.get("flattening_max_key_length") or 0, MAX_BYTES)
        try:
            flattener = Flattener(stream_map.transformed_schema, options, longest)
        except ValueError as error:
            raise SettingsError(self._clash(stream_name)) from error
        stream_map.flatten_record = flattener  # type: ignore[method-assign]
        stream_map.transformed_schema = flattener.schema

    def _clash(self, stream_name: str) -> str:
        """Say what makes one name of several columns: all that flattening can fail at."""
        if self._config.get("flattening_max_key_length"):
            setting, remedy = "flattening_max_key_length", "give a greater number, or none"
        else:
            setting, remedy = "flattening_separator", "give another one, or a smaller flattening_max_depth"
        return f"Setting {setting} makes one name of several columns of {stream_name}: {remedy}."


def _source(key: str, definition: StreamMapsDict | str | None) -> str:
    """Return the stream, or the pattern of streams, that a map is for."""
    source = definition.get(SOURCE) if isinstance(definition, dict) else None
    return source if isinstance(source, str) else key


def _guard(stream_map: CustomStreamMap, setting: str) -> None:
    """Let what cannot be evaluated end the run in a sentence; the error's own may hold a person's data."""
    if "_eval" in vars(stream_map):
        return
    # The SDK has no other place between an expression and its record.
    evaluate, transform = stream_map._eval, stream_map.transform  # noqa: SLF001

    def guarded_eval(expr: str, expr_parsed: ast.Expr, record: dict[str, Any], property_name: str | None) -> Any:
        try:
            value = evaluate(expr, expr_parsed, record, property_name)
            kind = "it gives a function or a module" if callable(value) or isinstance(value, ModuleWrapper) else ""
        except Exception as error:  # noqa: BLE001 - an expression can raise anything
            kind = type(error.__cause__ or error).__name__
        if kind:
            raise _unusable(".".join([setting, property_name or "__filter__"]), stream_map, record, kind)
        return value

    def guarded_transform(record: dict[str, Any]) -> dict[str, Any] | None:
        try:
            return transform(record)
        except MappingError as error:
            kind = type(error).__name__
        raise _unusable(setting, stream_map, record, kind)

    stream_map._eval = guarded_eval  # type: ignore[method-assign] # noqa: SLF001
    stream_map.transform = guarded_transform  # type: ignore[method-assign]


def _unusable(setting: str, stream_map: CustomStreamMap, record: dict[str, Any], kind: str) -> SettingsError:
    key = record.get((stream_map.raw_key_properties or ["id"])[0])
    what = "identity" if stream_map.stream_name in IDENTITIES else f"record of {stream_map.stream_name}"
    return SettingsError(
        f"Setting {setting} cannot be evaluated for the {what} {key}: {kind}. Write an expression that holds for every "
        "record, or filter this one out."
    )
