"""The tap against scripts that do nothing but what has to be done: fetch, decode, write; or fetch alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.report import Row, compared

if TYPE_CHECKING:
    from benchmarks.figures import Bench

#: Whose names are so, what that is called, and how much more than the floor a million of them may cost.
NAMES = {"ascii": ("ASCII names", 1.2), "unicode": ("names that are not ASCII", 1.25)}


def floor(bench: Bench) -> list[Row]:
    """Identities at a million; a script that drops the pages does less than any tap can."""
    size, ours = bench.size(1_000_000), bench.contenders
    rows = [bench.compare_cpu("floor", 200_000, None)]
    for names, (called, most) in NAMES.items():
        url = bench.servers.sandbox(size, names=names)
        cpu = _cpu(bench, ours.tap_ory(url), ours.floor(url))
        figure = f"CPU at {size:,} identities against the ten-line floor, {called}"
        rows.append(compared(figure, (cpu[0], cpu[1]), "s", most=most))
    tap, bare = _cpu(bench, ours.tap_ory(url), ours.bare_requests(url))
    figure = f"CPU at {size:,} identities against a loop that fetches the pages and drops them"
    return [*rows, compared(figure, (tap, bare), "s")]


def users(bench: Bench) -> list[Row]:
    """The two views of the same pages, alone and together."""
    size, ours = bench.size(200_000), bench.contenders
    url = bench.servers.sandbox(size)
    chosen = [("users",), ("identities", "users")]
    peer, alone, together = _cpu(bench, ours.floor(url), *(ours.tap_ory_of(url, *streams) for streams in chosen))
    bench.cpu["users", size] += alone
    bench.cpu["both", size] += together
    figure = f"CPU at {size:,} against the ten-line floor"
    return [
        compared(f"{figure}: users", (alone, peer), "s", most=1.8),
        compared(f"{figure}: identities and users in one read", (together, peer), "s", most=2.4),
    ]


def _cpu(bench: Bench, *commands: list[str]) -> list[list[float]]:
    """CPU seconds of commands in turns, of each those of all its runs."""
    costs = bench.alternate(*(lambda command=command: command for command in commands))
    return [[cost.cpu for cost in each] for each in costs]
