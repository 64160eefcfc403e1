"""What the process keeps of its memory between two pages."""

import platform
import subprocess
import sys

import pytest

#: Takes and gives back ever larger blocks, and prints how many pages of memory the kernel had to map for it.
GROWING = """
import resource
from tap_ory.memory import keep_large_blocks
if {kept}:
    keep_large_blocks()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for kib in range(200, 4000, 50):
    bytearray(kib * 1024)
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) * resource.getpagesize() / 1024 / 4000)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's malloc learns what to keep")
def test_large_blocks_are_mapped_once() -> None:
    kept, learning = (times_mapped(kept=kept) for kept in (True, False))
    # With nothing kept, every block larger than all before is mapped anew: half of each of 76 on average.
    assert kept < 2 < learning


def times_mapped(*, kept: bool) -> float:
    """How many times the size of the largest block was mapped."""
    told = subprocess.run(
        [sys.executable, "-c", GROWING.format(kept=kept)], stdout=subprocess.PIPE, text=True, check=True
    )
    return float(told.stdout)
