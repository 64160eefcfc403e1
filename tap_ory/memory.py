"""What the process keeps of its memory between two pages. Knows nothing of pages but that they are large."""

from __future__ import annotations

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
