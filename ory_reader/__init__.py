"""Reads an Ory project: knows Ory, HTTP and JSON, and nothing of what is made of the rows.

Its door, described in docs/library.md:

    settings    what is to be known of a project, checked
    plan        into which ranges of ids a read of it can be cut
    open_read   the pages of some ranges, or of all
    decoder     what turns a page into records
    read        a stream as an Arrow table (with the extra tap-ory[arrow])

What goes wrong is a `TapOryError` with a sentence for the user. The names are loaded when they are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ory_reader.arrow import read
    from ory_reader.errors import TapOryError
    from ory_reader.library import Plan, Read, decoder, open_read, plan, settings

__all__ = ["Plan", "Read", "TapOryError", "decoder", "open_read", "plan", "read", "settings"]


def __getattr__(name: str) -> Any:
    """Load what is asked for; `import ory_reader` alone costs nothing."""
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from ory_reader import arrow, library  # noqa: PLC0415 - the point of it

    return arrow.read if name == "read" else getattr(library, name)
