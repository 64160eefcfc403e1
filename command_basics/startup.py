"""A quick start: imports, the greater part of a short run, without the search for garbage in them."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def no_search_for_cycles() -> Iterator[None]:
    """Search for no garbage in the block, which imports: what an import makes stays. Nor among it ever after.

    Left alone, a search follows every few hundred objects, and the end of the process searches all there is: a tenth
    and a seventh of what a run of ten identities costs.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
