"""Figures as rows of one Markdown table. Knows nothing of how they were measured."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADINGS = ("figure", "ours", "peer", "ratio (min to max)", "bar", "met")


@dataclass(frozen=True)
class Row:
    """A figure as the table tells it; `met` is None where there is no bar."""

    figure: str
    ours: str
    peer: str
    ratio: str
    bar: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """The text of the row's cells."""
        met = "" if self.met is None else "yes" if self.met else "**no**"
        return self.figure, self.ours, self.peer, self.ratio, self.bar, met


def compared(
    figure: str,
    measured: tuple[Sequence[float], Sequence[float]],
    unit: str,
    *,
    least: float | None = None,
    most: float | None = None,
) -> Row:
    """A row of what was measured in turns, ours and the peer's: medians, and ours to the peer's of each pair."""
    ours, peer = measured
    ratios = [our / their for our, their in zip(ours, peer, strict=True)]
    ratio = median(ratios)
    bars = [f"{sign} {bar:.3g}" for sign, bar in (("≥", least), ("≤", most)) if bar is not None]
    met = (least is None or ratio >= least) and (most is None or ratio <= most)
    spread = f"{ratio:.3g} ({min(ratios):.3g} to {max(ratios):.3g})"
    return Row(
        figure,
        f"{median(ours):.3g} {unit}",
        f"{median(peer):.3g} {unit}",
        spread,
        ", ".join(bars),
        met if bars else None,
    )


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
