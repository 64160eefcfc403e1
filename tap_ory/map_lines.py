"""All maps of a stream: pages of records in, RECORD lines out, in the order in which the SDK writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.singerlib.json import serialize_json

from tap_ory.compiled_maps import NotCompiledError, compiled_map
from tap_ory.flattening import Flattener
from tap_ory.record_lines import mixed_lines, record_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from singer_sdk.mapper import StreamMap

    from ory_reader.sync.protocols import Decoder
    from tap_ory.compiled_maps import Definition, Rows


class MapLines:
    """Writes pages through the maps of a stream: compiled ones, and where those cannot be, the SDK's."""

    def __init__(self, maps: Sequence[tuple[StreamMap, Definition]]) -> None:
        """Take the maps, each with what the settings say of it."""
        self._maps = [each for each in maps if not isinstance(each[0], RemoveRecordTransform)]
        self._compiled: dict[type, list[tuple[str, Rows]] | None] = {}

    @property
    def is_plain(self) -> bool:
        """Whether records go out as they are."""
        maps = [each for each, _ in self._maps]
        return [type(each) for each in maps] == [SameRecordTransform] and not _flattens(maps[0])

    def write(self, write: Callable[[bytes], None], decoder: Decoder, rows: list[Any], version: int | None) -> None:
        """Write the lines of a page.

        Raises:
            SettingsError: if an expression cannot be evaluated; what comes before is written, as by the SDK.
        """
        if self.is_plain:
            write(record_lines(self._maps[0][0].stream_alias, decoder.records(rows), version))
            return
        made = self._made(decoder.records(rows)) if rows else []
        if made is not None and len(made) == 1:
            ((alias, only),) = made
            done: list[Any] = []
            try:
                # What is there when an error comes stays there.
                done.extend(filter(None, only))
            finally:
                write(record_lines(alias, done, version))
            return
        mixed: list[tuple[str, Any]] = []
        try:
            mixed.extend(self._by_sdk(decoder.dicts(rows)) if made is None else _in_turn(made, len(rows)))
        finally:
            write(mixed_lines(mixed, version))

    def _by_sdk(self, records: Iterable[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
        """What the SDK makes of records, each with the name of its stream."""
        for record in records:
            for stream_map, _ in self._maps:
                mapped = stream_map.transform(record)
                if mapped is not None:
                    yield stream_map.stream_alias, msgspec.Raw(serialize_json(mapped).encode())

    def _made(self, records: list[Any]) -> list[tuple[str, Iterator[Any]]] | None:
        """What each map makes of a page; None if it is for the SDK to make it."""
        kind = type(records[0])
        if kind not in self._compiled:
            self._compiled[kind] = self._compile(kind) if issubclass(kind, msgspec.Struct) else None
        functions = self._compiled[kind]
        try:
            return None if functions is None else [(alias, iter(rows(records))) for alias, rows in functions]
        except NotCompiledError:
            return None

    def _compile(self, record: type[msgspec.Struct]) -> list[tuple[str, Rows]] | None:
        alone = len(self._maps) == 1
        try:
            return [
                (each.stream_alias, compiled_map(each, definition, record, alone=alone))
                for each, definition in self._maps
            ]
        except NotCompiledError:
            return None


def _in_turn(made: list[tuple[str, Iterator[Any]]], number: int) -> Iterator[tuple[str, Any]]:
    """The rows of several maps, one record after the other."""
    for _ in range(number):
        for alias, rows in made:
            row = next(rows)
            if row is not None:
                yield alias, row


def _flattens(stream_map: StreamMap) -> bool:
    return isinstance(stream_map.flatten_record, Flattener)
