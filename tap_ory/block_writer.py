"""The SDK's message writer, that also takes many ready-made lines at once."""

from __future__ import annotations

import sys

from singer_sdk.io_base import SingerWriter


class BlockWriter(SingerWriter):
    """Writes to stdout."""

    def write_block(self, block: bytes) -> None:
        """Write whole lines and hand them on."""
        out = sys.stdout
        buffer = getattr(out, "buffer", None)
        if buffer is None:
            # A test or a notebook has put a text stream there.
            out.write(block.decode())
        else:
            buffer.write(block)
        out.flush()
