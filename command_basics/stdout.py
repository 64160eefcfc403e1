"""Standard output as lines need it: what is written arrives whole, or nothing comes behind it.

Knows nothing of Singer.
"""

from __future__ import annotations

import io
import os
import sys


def buffer_output() -> None:
    """Give stdout the buffer that `PYTHONUNBUFFERED` or `python -u` took from it; without those, do nothing.

    An unbuffered write that is interrupted (by a signal, by a pause of the process) writes a part and leaves it to
    the caller to look, which text streams do not: the rest of a block would be missing.
    """
    out = sys.stdout
    if isinstance(getattr(out, "buffer", None), io.RawIOBase):
        sys.stdout = open(  # noqa: SIM115 - open as long as the process runs
            out.fileno(), "w", encoding=out.encoding, errors=out.errors, closefd=False
        )


def abandon_output() -> None:
    """Let all that is still to be written go nowhere: whoever read it is gone, or its last line is cut."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
