"""`python -m benchmarks.target_c1`: what target-c1 takes, alone and against target-jsonl on the same messages.

The messages are the stream `users` of people of the sandbox, read by the tap once and kept in `.cache/bench`. Prints
one Markdown table; progress goes to stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.environments import CACHE, bin_directory
from benchmarks.measure import ALL_CPUS, run
from benchmarks.report import Row, table
from benchmarks.servers import Servers

PEOPLE = 200_000
MEMORY_PEOPLE = (20_000, 200_000, 1_000_000)
PAIRS = 3
LEAST_PER_SECOND = 25_000
LEAST_RATIO = 4
MOST_MB = 200
SAMPLE_SECONDS = 0.1
TAP = (sys.executable, "-m", "tap_ory")
TARGET = (sys.executable, "-m", "target_c1")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.target_c1", allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="few people: does it run, not how fast")
    scale = 20 if parser.parse_args().quick else 1
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=CACHE) as directory:
        rows = [*speed(PEOPLE // scale, Path(directory)), *memory(scale, Path(directory))]
    if scale > 1:
        # The bars are for the full sizes.
        rows = [replace(row, met=None) for row in rows]
    print(table(rows), end="")


def messages(people: int) -> Path:
    """The tap's lines for so many people."""
    path = CACHE / f"users-{people}.jsonl"
    if not path.exists():
        tell(f"reading {people:,} people ...")
        with Servers() as servers, tempfile.TemporaryDirectory() as directory:
            environment = {**os.environ, "TAP_ORY_BASE_URL": servers.sandbox(people)}
            found = subprocess.run([*TAP, "--config", "ENV", "--discover"], env=environment, stdout=-1, check=True)
            catalog = json.loads(found.stdout)
            for stream in catalog["streams"]:
                for entry in stream["metadata"]:
                    if not entry["breadcrumb"]:
                        entry["metadata"]["selected"] = stream["tap_stream_id"] == "users"
            chosen = Path(directory, "catalog.json")
            chosen.write_text(json.dumps(catalog), encoding="utf-8")
            half = path.with_suffix(".half")
            run([*TAP, "--config", "ENV", "--catalog", chosen], output=half, environment=environment)
            half.rename(path)
    return path


def speed(people: int, directory: Path) -> list[Row]:
    lines = messages(people)
    (directory / "jsonl.json").write_text(json.dumps({"destination_path": str(directory)}), encoding="utf-8")
    jsonl: list[str | Path] = [bin_directory("jsonl") / "target-jsonl", "--config", directory / "jsonl.json"]
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(PAIRS):
        tell(f"{people:,} users, run {number + 1} of {PAIRS} ...")
        ours.append(run_on(lines, target(directory / f"speed-{number}.c1z")))
        theirs.append(run_on(lines, jsonl))
        for written in directory.glob("users*.jsonl"):
            written.unlink()
    rates = [people / seconds for seconds in ours]
    ratios = [their / our for our, their in zip(ours, theirs, strict=True)]
    spread = f"{median(ratios):.3g} ({min(ratios):.3g} to {max(ratios):.3g})"
    return [
        Row(
            f"{people:,} users into a .c1z, start and all",
            f"{median(rates):,.0f} users/s",
            "",
            "",
            f"≥ {LEAST_PER_SECOND:,}",
            median(rates) >= LEAST_PER_SECOND,
        ),
        Row(
            "the same lines into target-jsonl",
            f"{median(rates):,.0f} users/s",
            f"{median(people / seconds for seconds in theirs):,.0f} users/s",
            spread,
            f"≥ {LEAST_RATIO}",
            median(ratios) >= LEAST_RATIO,
        ),
    ]


def memory(scale: int, directory: Path) -> list[Row]:
    rows = []
    for people in (number // scale for number in MEMORY_PEOPLE):
        lines = messages(people)
        tell(f"memory of {people:,} users ...")
        path = directory / f"memory-{people}.c1z"
        peaks = []
        for _ in ("a new file", "compared with the previous one"):
            watch = Watch()
            run_on(lines, target(path), watch)
            peaks.append(watch.peak_mb)
        what = f"{peaks[0]:.0f} MB, {peaks[1]:.0f} with a previous file"
        rows.append(Row(f"{people:,} users: peak memory", what, "", "", f"≤ {MOST_MB} MB", max(peaks) <= MOST_MB))
        path.unlink()
    return rows


def target(path: Path) -> list[str | Path]:
    config = path.with_suffix(".json")
    config.write_text(json.dumps({"path": str(path), "max_drop_percent": 100 * ("speed" in path.name)}), "utf-8")
    return [*TARGET, "--config", config]


def run_on(lines: Path, command: list[str | Path], watch: Watch | None = None) -> float:
    """Run a target on a file of lines, on all processors; gives the seconds it took."""
    os.sched_setaffinity(0, ALL_CPUS)
    with lines.open("rb") as stdin:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if watch:
            watch.process = process.pid
            watch.start()
        said = process.communicate()[1]
        seconds = time.perf_counter() - began
        if watch:
            watch.stop()
    if process.returncode:
        raise RuntimeError(said.decode()[-2000:])
    return seconds


class Watch:
    """Sums up the memory of a process and its children several times a second: their shares (PSS), in MB."""

    def __init__(self) -> None:
        self.process = 0
        self.peak_mb = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            with suppress(FileNotFoundError, ProcessLookupError):  # one that has just ended
                self.peak_mb = max(self.peak_mb, sum(map(pss_mb, self._processes())))

    def _processes(self) -> list[str]:
        children = Path(f"/proc/{self.process}/task/{self.process}/children").read_text(encoding="ascii")
        return [str(self.process), *children.split()]


def pss_mb(process: str) -> float:
    """The process's memory, what it shares with others divided between them."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def tell(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
