"""The same read as an Arrow table: columns of a stream, made of a page's bytes. The one place that knows pyarrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ory_reader import library
from ory_reader.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ory_reader.arrow.reader import ArrowRead, OnUnreadable, Traits
    from ory_reader.library import Plan
    from ory_reader.pagination.id_ranges import IdRange


def read(  # noqa: PLR0913 - what is wanted, each by its name
    stream: str = "identities",
    *,
    columns: Collection[str] | None = None,
    traits: Traits = "json",
    on_unreadable: OnUnreadable = "raise",
    progress: bool = False,
    plan: Plan | None = None,
    ranges: Sequence[IdRange] | None = None,
    **settings: Any,
) -> ArrowRead:
    """Return a stream as a table that Arrow's consumers take as it is; needs the extra `tap-ory[arrow]`.

    `columns` are those wanted, in that order. `traits`: what is nested is "json" text, or "typed" structs, lists and
    maps. `on_unreadable`: an identity that the server cannot read makes the read "raise" at its end, or a "row" that
    says so in the column `unreadable`. `progress` tells on stderr how far it is. `ranges` are those of a `plan` that
    are wanted, all by default. `settings` are those of the project, by their names. Times are of microseconds, UTC;
    null is what is absent.

    >>> users = read("users", base_url="http://127.0.0.1:4434/", columns=["id", "email"])
    >>> users.to_table().shape
    (25, 2)

    Raises:
        TapOryError: in one line, if a setting, stream or column cannot be right, or the identity schemas, where they
            are needed, cannot be read. The read itself raises at its end, unless it was whole.
    """
    try:
        from ory_reader.arrow.reader import ArrowRead  # noqa: PLC0415 - only here pyarrow is needed
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        msg = "ory_reader.read needs pyarrow: install tap-ory[arrow]."
        raise SettingsError(msg) from None
    return ArrowRead(
        stream,
        library.settings(**settings),
        columns=columns,
        traits=traits,
        on_unreadable=on_unreadable,
        progress=progress,
        plan=plan,
        ranges=ranges,
    )
