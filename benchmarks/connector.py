"""ory-connector, which writes a .c1z, against the tap's stream `users` alone, which writes nowhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks.report import Row, compared

if TYPE_CHECKING:
    from benchmarks.figures import Bench

MOST = 2.5


def connector(bench: Bench) -> list[Row]:
    """Both read the same pages; the connector also encodes, sorts and compresses."""
    size = bench.size(200_000)
    url = bench.servers.sandbox(size)
    users = bench.contenders.tap_ory_of(url, "users")
    file = bench.directory / "users.c1z"
    sync = [sys.executable, "-m", "c1_connector", "--base-url", url, "--file", str(file)]

    def into_a_new_file() -> list[str]:
        # With an earlier one it would be compared.
        file.unlink(missing_ok=True)
        return sync

    syncs, taps = bench.alternate(into_a_new_file, lambda: users)
    figure = f"{{}} of ory-connector --file at {size:,} users against the stream alone"
    return [
        compared(figure.format("CPU"), ([cost.cpu for cost in syncs], [cost.cpu for cost in taps]), "s", most=MOST),
        compared(
            figure.format("Wall time"), ([cost.wall for cost in syncs], [cost.wall for cost in taps]), "s", most=MOST
        ),
    ]
