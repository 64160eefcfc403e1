"""Lists whose rows shift while they are read by their numbers: read again until none can have slipped through."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from ory_reader.pagination.key_set import KeySet

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from ory_reader.pagination.prefetch import PrefetchedPage

logger = logging.getLogger("tap-ory")

#: On an offset server rows shift while others come and go; so many passes are made to find what slipped by.
MAX_PASSES = 3


def passes(
    one_pass: Callable[[], Iterator[PrefetchedPage]],
    shifting_keys: Callable[[PrefetchedPage], list[str] | None],
    rows: str,
) -> Generator[PrefetchedPage, None, bool]:
    """Yield the pages of as many passes as it takes; return whether nothing can have slipped through.

    `shifting_keys` are the keys of a page's rows, None where rows do not shift: then one pass is all. `rows` is what
    they are called. A page says which of its rows came before.
    """
    seen = KeySet()
    known = -1
    for number in range(MAX_PASSES):
        # Of the first pass they are the same.
        own = KeySet() if number else seen
        ledger = _Ledger(own)
        for page in one_pass():
            keys = shifting_keys(page)
            if keys is None:
                yield page
                continue
            came_before = seen.add(keys)
            if own is not seen:
                own.add(keys)
            ledger.enter(len(keys), page.total)
            yield replace(page, seen=came_before)
        if ledger.consistent or len(seen) == known:
            return True
        known = len(seen)
        logger.warning(
            "%s may have changed while read by offset; reading again for what slipped by.", rows.capitalize()
        )
    logger.warning(
        "%s kept changing over %d reads by offset; ACTIVATE_VERSION is withheld, as some may be missing.",
        rows.capitalize(),
        MAX_PASSES,
    )
    return False


class _Ledger:
    """Notices, from totals and repeated keys, that rows shifted between the pages of an offset server."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys
        self._totals: set[int | None] = set()
        self._rows = 0
        self._pages = 0

    def enter(self, rows: int, total: int | None) -> None:
        self._rows += rows
        self._pages += 1
        self._totals.add(total)

    @property
    def consistent(self) -> bool:
        if self._totals <= {None}:
            # Nothing shifts within a page; where a server does not tell totals, nothing shows it between two.
            return self._pages <= 1
        return self._totals == {len(self._keys)} and self._rows == len(self._keys)
