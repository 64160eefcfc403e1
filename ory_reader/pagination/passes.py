"""Lists whose rows shift while they are read by their numbers: read again until none can have slipped through."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

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
    seen: set[str] = set()
    known = -1
    for _ in range(MAX_PASSES):
        ledger = _Ledger()
        for page in one_pass():
            keys = shifting_keys(page)
            if keys is None:
                yield page
                continue
            ledger.enter(keys, page.total)
            yield replace(page, seen=seen.intersection(keys))
            seen.update(keys)
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

    def __init__(self) -> None:
        self._keys: set[str] = set()
        self._totals: set[int | None] = set()
        self._rows = 0
        self._pages = 0

    def enter(self, keys: list[str], total: int | None) -> None:
        self._rows += len(keys)
        self._pages += 1
        self._keys.update(keys)
        self._totals.add(total)

    @property
    def consistent(self) -> bool:
        if self._totals <= {None}:
            # Nothing shifts within a page; where a server does not tell totals, nothing shows it between two.
            return self._pages <= 1
        return self._totals == {len(self._keys)} and self._rows == len(self._keys)
