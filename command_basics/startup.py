"""What the process does not look through, and what it keeps between pages. Knows nothing of what is in it."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Larger than any block that a page makes, and within what glibc learns from (32 MiB on 64-bit systems).
LARGEST_KEPT = 16 * 1024 * 1024


def keep_large_blocks() -> None:
    """Let glibc's malloc take blocks up to `LARGEST_KEPT` bytes from memory that it keeps. Elsewhere it does nothing.

    glibc has the system map each block above 128 KiB and gives it back with the block, so that every page is written
    into memory that the kernel must first clear, at some microseconds per 4 KiB. Once such a block was freed, blocks up
    to its size are kept, and twice as much at the end of the heap (mallopt(3), `M_MMAP_THRESHOLD`: dynamic). Left alone
    it learns so from the pages, in steps, over the first hundred of them. CPython asks for `bytes` of zeros by
    calloc(3), so nothing is written here.
    """
    bytes(LARGEST_KEPT)


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
