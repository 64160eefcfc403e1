"""All maps of a stream: pages of records in, RECORD lines out, in the order in which the SDK writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform

from tap_ory.compiled_maps import NotCompiledError, compiled_map
from tap_ory.flattening import Flattener
from tap_ory.record_lines import mixed_lines, record_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from singer_sdk.mapper import StreamMap

    from tap_ory.compiled_maps import Definition, Rows

    Maps = Sequence[tuple[StreamMap, Definition]]


class MapLines:
    """Writes pages through the maps of a stream, as far as those can be compiled."""

    def __init__(self, maps: Maps) -> None:
        """Take the maps, each with what the settings say of it."""
        self._maps = maps
        self._compiled: dict[type, list[tuple[str, Rows]] | None] = {}

    def write(self, write: Callable[[bytes], None], records: list[Any], version: int | None) -> bool:
        """Write the lines of a page's records; tell whether that was possible, else nothing is written.

        Raises:
            SettingsError: if an expression cannot be evaluated; what comes before is written.
        """
        if not records:
            return True
        if self.is_plain:
            write(record_lines(self._maps[0][0].stream_alias, records, version))
            return True
        try:
            made = [(alias, iter(rows(records))) for alias, rows in self._functions(type(records[0]))]
        except NotCompiledError:
            return False
        # What comes before an error is written, as the SDK does.
        if len(made) == 1:
            ((alias, rows),) = made
            only: list[Any] = []
            try:
                only.extend(row for row in rows if row is not None)
            finally:
                write(record_lines(alias, only, version))
            return True
        done: list[tuple[str, Any]] = []
        try:
            for _ in records:
                for alias, rows in made:
                    row = next(rows)
                    if row is not None:
                        done.append((alias, row))
        finally:
            write(mixed_lines(done, version))
        return True

    @property
    def is_plain(self) -> bool:
        """Whether records go out as they are."""
        (first, _), *others = self._maps
        return not others and type(first) is SameRecordTransform and not isinstance(first.flatten_record, Flattener)

    def _functions(self, record: type) -> list[tuple[str, Rows]]:
        if record not in self._compiled:
            self._compiled[record] = self._compile(record) if issubclass(record, msgspec.Struct) else None
        functions = self._compiled[record]
        if functions is None:
            raise NotCompiledError
        return functions

    def _compile(self, record: type[msgspec.Struct]) -> list[tuple[str, Rows]] | None:
        maps = [(each, definition) for each, definition in self._maps if not isinstance(each, RemoveRecordTransform)]
        try:
            return [(each.stream_alias, compiled_map(each, definition, record)) for each, definition in maps]
        except NotCompiledError:
            return None
