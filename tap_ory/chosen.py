"""The streams that a command line names with `--select`, in the tap's own catalog or in one that is given.

Knows Singer's catalogs as JSON, and nothing of what is in a stream.
"""

from __future__ import annotations

import io
import json
from typing import IO, TYPE_CHECKING, Any

import click

from ory_reader.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

OPTION = "--select"
#: Where click keeps the names for whatever is made within the command.
_KEY = "tap_ory.chosen"


def remember(names: Iterable[str], known: Collection[str]) -> None:
    """Choose streams for the command that runs; `names` may hold several each, separated by commas.

    Raises:
        SettingsError: if a name is none of the `known` streams, or there is no name at all.
    """
    given = list(names)
    if not given:
        return
    chosen = {name.strip() for several in given for name in several.split(",")} - {""}
    unknown = sorted(chosen - set(known))
    if unknown or not chosen:
        what = f"names a stream {unknown[0]!r}" if unknown else "names no stream"
        msg = f"The option {OPTION} {what}: there are {', '.join(known)}."
        raise SettingsError(msg)
    click.get_current_context().meta[_KEY] = chosen


def chosen_streams() -> set[str] | None:
    """Return the names that the running command has chosen, or None if it leaves the choice to the catalog."""
    context = click.get_current_context(silent=True)
    return None if context is None else context.meta.get(_KEY)


def choose_in_catalog(file: IO[str]) -> IO[str]:
    """Return the catalog in `file`, a JSON object, with the chosen streams selected and no others.

    Fields stay as they are.

    Raises:
        SettingsError: if it does not hold a chosen stream, or deselects all fields of it.
    """
    chosen, catalog = chosen_streams(), json.load(file)
    streams = catalog.get("streams")
    if chosen is None or not isinstance(streams, list):
        file.seek(0)
        return file
    entries = [each for each in streams if isinstance(each, dict)]
    for each in sorted(chosen):
        if not any(_has_fields(entry) for entry in entries if _name(entry) == each):
            msg = (
                f"The option {OPTION} names the stream {each!r}, of which the file given to --catalog selects no "
                f"field: discover the catalog with {OPTION} {each}, or give none."
            )
            raise SettingsError(msg)
    for entry in entries:
        _select(entry, selected=_name(entry) in chosen)
    return io.StringIO(json.dumps(catalog))


def _name(entry: dict[str, Any]) -> Any:
    return entry.get("tap_stream_id") or entry.get("stream")


def _has_fields(entry: dict[str, Any]) -> bool:
    """Tell whether a field is selected beside those that always are: none is where others were selected by name."""
    fields = [values for crumb, values in _metadata(entry) if crumb and values.get("inclusion") != "automatic"]
    return not fields or any(values.get("selected") is not False for values in fields)


def _select(entry: dict[str, Any], *, selected: bool) -> None:
    """Say of a stream itself whether it is selected."""
    own: dict[str, Any] = {}
    for crumb, values in _metadata(entry):
        if not crumb:
            own |= values
    fields = [{"breadcrumb": crumb, "metadata": values} for crumb, values in _metadata(entry) if crumb]
    entry["metadata"] = [*fields, {"breadcrumb": [], "metadata": {**own, "selected": selected}}]


def _metadata(entry: dict[str, Any]) -> list[tuple[list[str], dict[str, Any]]]:
    """Return breadcrumb and values of each of the stream's metadata.

    Raises:
        SettingsError: if they are of another shape.
    """
    try:
        return [(each["breadcrumb"], {**each["metadata"]}) for each in entry.get("metadata") or []]
    except (KeyError, TypeError):
        msg = f"The file given to --catalog is no Singer catalog: it has metadata of {_name(entry)!r} that are none."
        raise SettingsError(msg) from None
