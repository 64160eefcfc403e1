"""Is the file safe to publish: are there enough users in it, and is not too much of the previous file missing?

Knows numbers and ids only.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_c1.errors import FileFormatError, RefusedError

if TYPE_CHECKING:
    from target_c1.formats import Format
    from target_c1.publish import Destination
    from target_c1.settings import Settings
    from target_c1.store import Store

NO_LIMIT_PERCENT = 100

_logger = logging.getLogger("target-c1")


def check_losses(settings: Settings, store: Store, users: int, destination: Destination, file_format: Format) -> None:
    """Compare `users` users, whose rows are in `store`, with the settings' limits and with what is published.

    Raises:
        RefusedError: if there are too few, too many are missing, or what is published can't be compared.
    """
    if settings.force:
        _logger.warning("Setting force is on: min_users and max_drop_percent are not looked at this time")
        return
    if users < settings.min_users:
        msg = (
            f"Not published: {users:,} users are fewer than min_users ({settings.min_users:,}). C1 takes a missing "
            "user for a removed one; if this is right, run once with --force (or the setting force)."
        )
        raise RefusedError(msg)
    previous = destination.previous() if settings.max_drop_percent < NO_LIMIT_PERCENT else None
    if previous is None:
        return
    try:
        like = store.path.stat().st_size
        identifiers = file_format.read_ids(previous, destination.work / "previous.sqlite", like)
        before, missing = store.count_missing(identifiers)
    except FileFormatError as error:
        msg = (
            f"Not published: the file that is there cannot be compared with the new one: {error}. "
            "If it may be replaced, run once with --force (or the setting force)."
        )
        raise RefusedError(msg) from error
    percent = 100 * missing / before if before else 0
    if percent > settings.max_drop_percent:
        msg = (
            f"Not published: {missing:,} of the {before:,} users of the previous file are missing ({percent:.1f} "
            f"percent, max_drop_percent is {settings.max_drop_percent}). C1 takes a missing user for a removed one; "
            "if this is right, run once with --force (or the setting force)."
        )
        raise RefusedError(msg)
    _logger.info("Compared with the previous file: %s of %s users are missing", f"{missing:,}", f"{before:,}")
