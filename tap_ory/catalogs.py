"""A catalog given on the command line: one that selects nothing is a mistake, and no read of no identities.

Knows the shape of a catalog and what selects a stream in one, through the SDK; nothing of fields or of reading.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NoReturn

from singer_sdk.singerlib import Catalog

from ory_reader.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

logger = logging.getLogger("tap-ory")


def check_catalog(file: str, catalog: Mapping[str, Any], streams: Collection[str]) -> None:
    """Make sure that a catalog selects one of `streams` at least; warn of others that it selects.

    Raises:
        SettingsError: naming the file, and what is wrong with it.
    """
    selected = _selected(file, catalog)
    unknown = ", ".join(repr(name) for name in selected if name not in streams)
    if not selected.intersection(streams):
        what = f"selects none but {unknown}" if unknown else "selects no stream"
        _refuse(file, what, f"Select {' or '.join(streams)} in it, or give none: then {next(iter(streams))} is read")
    if unknown:
        logger.warning("The catalog selects %s, which tap-ory does not have; it is left out.", unknown)


def _selected(file: str, catalog: Mapping[str, Any]) -> set[str]:
    if not isinstance(catalog.get("streams"), list):
        looks = "looks like a state" if "bookmarks" in catalog else "has no list of 'streams'"
        _refuse(file, f"is no catalog: it {looks}", "Give what tap-ory --discover prints, with streams selected")
    try:
        entries = Catalog.from_dict({"streams": catalog["streams"]})
        return {name for name, entry in entries.items() if entry.metadata.resolve_selection().get((), True)}
    except (KeyError, TypeError, AttributeError, ValueError):
        _refuse(
            file,
            "is no catalog: one of its streams lacks tap_stream_id, schema or metadata, or has another shape there",
            "Give what tap-ory --discover prints, with streams selected",
        )


def _refuse(file: str, what: str, remedy: str) -> NoReturn:
    msg = f"The file {file!r} given to --catalog {what}. {remedy}."
    raise SettingsError(msg)
