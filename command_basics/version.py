"""Which version of this project is installed; all its commands have the same."""

from __future__ import annotations

from functools import cache
from importlib import metadata


@cache
def version() -> str:
    """Return the version, or words that say that it cannot be known, as in a bare copy of the files."""
    try:
        return metadata.version("tap-ory")
    except metadata.PackageNotFoundError:
        return "of unknown version"
