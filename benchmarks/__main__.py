"""`python -m benchmarks`: measure the tap against its peers and print one Markdown table; progress goes to stderr."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.contenders import Contenders
from benchmarks.figures import FIGURES, Bench
from benchmarks.plot import draw
from benchmarks.report import table
from benchmarks.servers import Servers

QUICK_PAIRS, QUICK_SCALE = 1, 20


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="few runs of small sizes: does it run, not how fast")
    parser.add_argument("--only", action="append", choices=FIGURES, metavar="NAME", help=f"of: {', '.join(FIGURES)}")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the CPU figures as SVG")
    arguments = parser.parse_args()
    # Servers end with us, however we are ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, Servers() as servers:
        bench = Bench(Contenders(Path(directory)), servers, Path(directory))
        if arguments.quick:
            bench.pairs, bench.scale = QUICK_PAIRS, QUICK_SCALE
        for name in arguments.only or FIGURES:
            print(f"{name} ...", file=sys.stderr)
            rows += FIGURES[name](bench)
    if arguments.quick:
        # The bars are for the full sizes.
        rows = [replace(row, met=None) for row in rows]
    print(table(rows), end="")
    if arguments.plot:
        arguments.plot.write_text(draw(bench.cpu), encoding="utf-8")


if __name__ == "__main__":
    main()
