"""The README's plot: CPU seconds of each contender at one number of identities, as SVG. Knows nothing of measuring."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAMES = {
    "tap_ory": "tap-ory",
    "users": "tap-ory, users",
    "both": "tap-ory, both in one read",
    "floor": "ten-line floor script",
    "stock_tap": "stock singer-sdk tap",
    "dlt": "dlt rest_api → JSONL",
    "airbyte": "airbyte-cdk declarative",
}
OURS = ("tap_ory", "users", "both")
WIDTH, LEFT, RIGHT, TOP, STEP, BAR = 720, 190, 80, 56, 34, 20
STYLE = (
    "text{font:14px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}.peer{fill:#8c959f}.ours{fill:#1a7f37}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.peer{fill:#6e7681}.ours{fill:#3fb950}}"
)


def draw(cpu: Mapping[tuple[str, int], Sequence[float]]) -> str:
    """Return the plot of medians of CPU seconds, by contender, at the number of identities that most were run at.

    Raises:
        ValueError: Nothing was measured.
    """
    if not cpu:
        message = "no CPU figure was measured, so there is nothing to draw"
        raise ValueError(message)
    sizes = [size for _, size in cpu]
    size = max(sizes, key=lambda each: (sizes.count(each), each))
    bars = sorted((median(seconds), name) for (name, at), seconds in cpu.items() if at == size)
    scale = (WIDTH - LEFT - RIGHT) / bars[-1][0]
    title = f"CPU seconds to read {size:,} identities (less is better)"
    height = TOP + STEP * len(bars)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}">',
        f'<style>{STYLE}</style><text class="title" x="16" y="30">{title}</text>',
    ]
    for number, (seconds, name) in enumerate(bars):
        top, length = TOP + STEP * number, seconds * scale
        kind = "ours" if name in OURS else "peer"
        parts += [
            f'<text x="{LEFT - 10}" y="{top + 15}" text-anchor="end">{NAMES[name]}</text>',
            f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR}" rx="3"/>',
            f'<text x="{LEFT + length + 8:.1f}" y="{top + 15}">{seconds:.3g} s</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
