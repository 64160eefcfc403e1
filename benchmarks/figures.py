"""The figures: what is measured against what, at which sizes, and the bar that each has to meet."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import measure, paced
from benchmarks.connector import connector
from benchmarks.contenders import ENVIRONMENT
from benchmarks.floor import floor, users
from benchmarks.mapped import flattened, stream_maps
from benchmarks.measure import ALL_CPUS, CLIENT_CPUS, Cost
from benchmarks.report import Row, compared
from benchmarks.source_ory import source_ory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.contenders import Contenders
    from benchmarks.servers import Servers

    Command = Callable[[], list[str]]

#: A run of so few people is hardly more than the start of the process.
A_FEW = 10
#: In a run of so many all four readers begin: a page each behind the first.
ALL_READERS = 2_500
LATENCY_MS = 100
#: Windows as Ory Network's documentation shows them.
RATE_LIMIT = "10;w=1,300;w=60"
MEMORY_MORE_MB, MEMORY_MB = 15, 150


@dataclass
class Bench:
    """What all figures share.

    `scale` divides every number of identities but the start-up's; `cpu` collects CPU seconds for the plot: those
    of all runs by contender and number of identities.
    """

    contenders: Contenders
    servers: Servers
    directory: Path
    pairs: int = 5
    scale: int = 1
    cpu: defaultdict[tuple[str, int], list[float]] = field(default_factory=lambda: defaultdict(list))

    def size(self, identities: int) -> int:
        return identities // self.scale

    def alternate(
        self, *commands: Command, rounds: int | None = None, output: Path | None = None, unpinned: bool = False
    ) -> list[list[Cost]]:
        """Run the commands in turns, A B A B; for each command, what its runs cost."""
        costs: list[list[Cost]] = [[] for _ in commands]
        cpus = ALL_CPUS if unpinned else CLIENT_CPUS
        for _ in range(rounds or self.pairs):
            for command, spent in zip(commands, costs, strict=True):
                cost = measure.run(command(), output=output, environment=ENVIRONMENT, cpus=cpus)
                print(f"  {cost.cpu:.3f} s CPU, {cost.wall:.3f} s, {cost.peak_mb:.0f} MB", file=sys.stderr)
                spent.append(cost)
        return costs

    def compare_cpu(self, peer: str, identities: int, most: float | None, output: Path | None = None) -> Row:
        size = self.size(identities)
        url = self.servers.sandbox(size)
        theirs: Callable[[str], list[str]] = getattr(self.contenders, peer)
        costs = self.alternate(lambda: self.contenders.tap_ory(url), lambda: theirs(url), output=output)
        ours, peers = ([cost.cpu for cost in each] for each in costs)
        self.cpu["tap_ory", size] += ours
        self.cpu[peer, size] += peers
        return compared(f"CPU at {size:,} identities against {LABELS[peer]}", (ours, peers), "s", most=most)


LABELS = {
    "stock_tap": "a stock singer-sdk tap",
    "floor": "the ten-line floor",
    "dlt": "dlt's rest_api into JSONL",
    "airbyte": "airbyte-cdk's declarative source",
}


def delivered(bench: Bench) -> list[Row]:
    """Every contender delivers every identity once; without that its speed would be worth nothing."""
    size = 2000
    url = bench.servers.sandbox(size)
    output = bench.directory / "delivered"
    counts = {}
    for name in ("tap_ory", *LABELS):
        measure.run(getattr(bench.contenders, name)(url), output=output, environment=ENVIRONMENT)
        files = [output] if name != "dlt" else bench.contenders.dlt_directory.glob("out/ory/identities/*.jsonl")
        lines = [json.loads(line) for file in files for line in file.read_bytes().splitlines()]
        if name == "dlt":
            records = lines
        else:
            records = [line["record"] for line in lines if line["type"] == "RECORD"]
            records = [record.get("data", record) for record in records]
        ids = {record["id"] for record in records}
        traits = sum("traits" in record for record in records)
        counts[name] = len(ids) if len(ids) == len(records) == traits else -1
    if set(counts.values()) != {size}:
        message = f"not every contender delivers each of {size} identities once: {counts}"
        raise RuntimeError(message)
    ours, *theirs = (f"{count:,}" for count in counts.values())
    return [Row(f"Identities delivered, of {size:,}", ours, ", ".join(theirs), "", "all", met=True)]


def stock(bench: Bench) -> list[Row]:
    bars = {50_000: 1 / 4, 200_000: 1 / 7, 1_000_000: 1 / 8}
    return [bench.compare_cpu("stock_tap", size, bar) for size, bar in bars.items()]


def sessions(bench: Bench) -> list[Row]:
    """The floor does the same work on the same pages: none lost, none twice, of the identity its id."""
    size = bench.size(200_000)
    url = bench.servers.sessions(size, size // 4)
    costs = bench.alternate(lambda: bench.contenders.sessions(url), lambda: bench.contenders.sessions_floor(url))
    ours, floors = ([cost.cpu for cost in each] for each in costs)
    return [compared(f"CPU at {size:,} sessions against a floor script", (ours, floors), "s", most=1.3)]


def last_login(bench: Bench) -> list[Row]:
    """Users with when they last signed in: one more read, and what of it is kept."""
    number, people = bench.size(1_000_000), bench.size(200_000)
    url = bench.servers.sessions(number, people)
    with_it, without = bench.alternate(
        lambda: bench.contenders.users_with(url, last_login=True), lambda: bench.contenders.users_with(url)
    )
    figure = f"{people:,} users with last_login of {number:,} sessions against without"
    cpu = [cost.cpu for cost in with_it], [cost.cpu for cost in without]
    memory = [cost.peak_mb for cost in with_it], [cost.peak_mb for cost in without]
    return [compared(f"CPU: {figure}", cpu, "s"), compared(f"Peak memory: {figure}", memory, "MB")]


def relation_tuples(bench: Bench) -> list[Row]:
    """Rows that are small and many: the floor does the same work on them, a subject's text and no repeats."""
    size = bench.size(200_000)
    url = bench.servers.tuples(size)
    costs = bench.alternate(lambda: bench.contenders.tuples(url), lambda: bench.contenders.tuples_floor(url))
    ours, floors = ([cost.cpu for cost in each] for each in costs)
    return [compared(f"CPU at {size:,} relation tuples against a floor script", (ours, floors), "s", most=1.3)]


def dlt(bench: Bench) -> list[Row]:
    # dlt writes files, so ours does too.
    return [bench.compare_cpu("dlt", 200_000, 1 / 5, output=bench.directory / "output")]


def airbyte(bench: Bench) -> list[Row]:
    return [bench.compare_cpu("airbyte", 200_000, 1 / 3)]


def latency(bench: Bench) -> list[Row]:
    size = bench.size(200_000)
    url = bench.servers.sandbox(size, latency_ms=LATENCY_MS)
    eight, one = bench.alternate(
        lambda: bench.contenders.tap_ory(url, concurrency=8), lambda: bench.contenders.tap_ory(url, concurrency=1)
    )
    figure = f"Wall time at {size:,}, {LATENCY_MS} ms latency: concurrency 1 against 8"
    # How many times faster: the slower one first.
    return [compared(figure, ([cost.wall for cost in one], [cost.wall for cost in eight]), "s", least=6)]


def kratos(bench: Bench) -> list[Row]:
    size = bench.size(50_000)
    url = bench.servers.kratos(size)
    ours, bare = bench.alternate(
        lambda: bench.contenders.tap_ory(url), lambda: bench.contenders.bare_requests(url), unpinned=True
    )
    figure = f"Wall time at {size:,} on a real Kratos against a bare loop of requests"
    return [compared(figure, ([cost.wall for cost in ours], [cost.wall for cost in bare]), "s", most=1.15)]


def pacing(bench: Bench) -> list[Row]:
    pages = bench.size(700)
    least = paced.shortest(RATE_LIMIT, pages)
    reads = max(bench.pairs, 2)
    alone = paced.read_together(bench.contenders, RATE_LIMIT, pages, reads, second=False)
    figure = f"Time of {pages} pages through a bucket of {RATE_LIMIT} against the bucket's own minimum"
    row = compared(figure, ([read.seconds for read in alone], [least] * reads), "s", most=1.05)
    shared = paced.read_together(bench.contenders, RATE_LIMIT, pages, reads, second=True)
    return [
        row,
        _refusals("429s, alone on the bucket", alone, 0),
        _refusals("429s, a second client on the bucket", shared, 0.01),
    ]


def _refusals(figure: str, reads: list[paced.Paced], most: float) -> Row:
    refused, sent = sum(read.refused for read in reads), sum(read.requests for read in reads)
    share = refused / sent
    return Row(figure, f"{refused} of {sent:,}", "", f"{share:.2%}", f"≤ {most:.0%}", share <= most)


def memory(bench: Bench) -> list[Row]:
    large, small = bench.size(1_000_000), bench.size(50_000)
    urls = [bench.servers.sandbox(size) for size in (large, small)]
    costs = bench.alternate(*(lambda url=url: bench.contenders.tap_ory(url, concurrency=8) for url in urls))
    many, few = ([cost.peak_mb for cost in each] for each in costs)
    more = [m - f for m, f in zip(many, few, strict=True)]
    spread = f"{median(more):+.1f} MB ({min(more):+.1f} to {max(more):+.1f})"
    figure = f"Peak memory at {large:,} against at {small:,}, concurrency 8"
    sizes = f"{median(many):.1f} MB", f"{median(few):.1f} MB"
    offset = bench.contenders.tap_ory(bench.servers.sandbox(large, manner="v1.0"))
    by_number = median(cost.peak_mb for cost in bench.alternate(lambda: offset)[0])
    offset_figure = f"Peak memory at {large:,}, a server with offset pagination (Kratos v1.0)"
    return [
        Row(figure, *sizes, spread, f"≤ {MEMORY_MORE_MB:+} MB", median(more) <= MEMORY_MORE_MB),
        Row(f"Peak memory at {large:,} in all", sizes[0], "", "", f"< {MEMORY_MB} MB", median(many) < MEMORY_MB),
        Row(offset_figure, f"{by_number:.1f} MB", "", "", f"≤ {MEMORY_MB} MB", by_number <= MEMORY_MB),
    ]


def flatness(bench: Bench) -> list[Row]:
    """CPU per identity after start-up: beyond the first record and what it costs to have all readers at work."""
    started, *sizes = [bench.size(size) for size in (ALL_READERS, 10_000, 50_000, 200_000, 1_000_000)]
    largest = sizes[-1]
    # The shorter a run, the more often, as noise weighs more; all in turns, as the machine's pace drifts.
    turns = 20 * [started, sizes[0]] + 6 * [sizes[1]] + 4 * [sizes[2]] + 3 * [largest]
    rows: dict[int, tuple[list[float], list[float]]] = {size: ([], []) for size in sizes[:-1]}
    for _ in range(bench.pairs):
        spent = defaultdict(list)
        for size in turns:
            command = bench.contenders.tap_ory(bench.servers.sandbox(size))
            spent[size].append(measure.cpu_after_first(b'"RECORD"', command, environment=ENVIRONMENT))
            print(f"  {size:,}: {spent[size][-1]:.4f} s CPU", file=sys.stderr)
        # What disturbs a run only adds to it.
        least = {size: min(cpu) for size, cpu in spent.items()}
        each = {size: (least[size] - least[started]) / (size - started) * 1e6 for size in sizes}
        for size, (at_largest, at_size) in rows.items():
            at_largest.append(each[largest])
            at_size.append(each[size])
    figure = f"CPU per identity after start-up: at {largest:,} against at {{:,}}"
    return [compared(figure.format(size), cpu, "µs", least=0.9, most=1.1) for size, cpu in rows.items()]


def startup(bench: Bench) -> list[Row]:
    url = bench.servers.sandbox(A_FEW)
    rounds = 2 * bench.pairs
    version = bench.alternate(
        lambda: [*bench.contenders.tap_ory(url)[:3], "--version"],
        lambda: [*bench.contenders.stock_tap(url)[:2], "--version"],
        rounds=rounds,
    )
    few = bench.alternate(lambda: bench.contenders.tap_ory(url), lambda: bench.contenders.stock_tap(url), rounds=rounds)
    rows = []
    for name, costs in (("--version", version), (f"{A_FEW} identities", few)):
        ours, stocks = ([cost.wall for cost in each] for each in costs)
        rows.append(compared(f"Wall time of {name} against a stock tap", (ours, stocks), "s", most=0.85))
    return rows


FIGURES: dict[str, Callable[[Bench], list[Row]]] = {
    figure.__name__: figure
    for figure in (
        delivered,
        startup,
        stock,
        floor,
        sessions,
        last_login,
        relation_tuples,
        dlt,
        airbyte,
        source_ory,
        users,
        flattened,
        stream_maps,
        connector,
        latency,
        memory,
        flatness,
        kratos,
        pacing,
    )
}
