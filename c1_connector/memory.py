"""The memory of a process that reads now and then: what a read took must not stay with it.

Knows the GNU C library; elsewhere nothing is done.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

#: <malloc.h>: in how many places threads keep what is free.
_ARENA_MAX = -8


def keep_in_one_place() -> None:
    """Let all threads take memory from one place: those that come and go would each leave some of it elsewhere."""
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def give_back() -> None:
    """Give back to the system what is free."""
    gc.collect()
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
