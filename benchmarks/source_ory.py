"""source-ory against the tap, and against the same API as a declarative source of Airbyte's CDK."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import ENVIRONMENT, PEERS
from benchmarks.report import Row, compared

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.figures import Bench

STREAM = "identities"


def source_ory(bench: Bench) -> list[Row]:
    """All three read the one stream that the declarative source has."""
    size = bench.size(200_000)
    url = bench.servers.sandbox(size)
    config = bench.directory / "config.json"
    config.write_text(json.dumps({"base_url": url}))
    tap = [sys.executable, "-m", "tap_ory", "--config", str(config)]
    source = [sys.executable, "-m", "source_ory"]
    declarative = bench.contenders.airbyte(url)
    read = [*source, "read", "--config", str(config), "--catalog", str(PEERS / "airbyte_catalog.json")]
    catalog = _catalog(tap, bench.directory)
    output = bench.directory / "output"
    _same_number([*tap, "--catalog", str(catalog)], read, output, bench)
    taps, sources, declaratives = bench.alternate(
        lambda: [*tap, "--catalog", str(catalog)], lambda: read, lambda: declarative
    )
    spec = [declarative[0], "spec", *declarative[-2:]]
    starts, declarative_starts = bench.alternate(lambda: [*source, "spec"], lambda: spec, rounds=2 * bench.pairs)
    cpu = [[cost.cpu for cost in costs] for costs in (taps, sources, declaratives)]
    return [
        compared(f"CPU of source-ory at {size:,} identities against the tap", (cpu[1], cpu[0]), "s", most=1.05),
        compared(f"CPU of source-ory at {size:,} identities against airbyte-cdk's", (cpu[1], cpu[2]), "s"),
        compared(
            "Wall time of source-ory spec against airbyte-cdk's",
            ([cost.wall for cost in starts], [cost.wall for cost in declarative_starts]),
            "s",
        ),
    ]


def _catalog(tap: list[str], directory: Path) -> Path:
    catalog: dict[str, Any] = json.loads(
        subprocess.run([*tap, "--discover"], env=ENVIRONMENT, capture_output=True, check=True).stdout
    )
    for stream in catalog["streams"]:
        (whole,) = (each["metadata"] for each in stream["metadata"] if not each["breadcrumb"])
        whole["selected"] = stream["tap_stream_id"] == STREAM
    path = directory / "catalog.json"
    path.write_text(json.dumps(catalog))
    return path


def _same_number(tap: list[str], source: list[str], output: Path, bench: Bench) -> None:
    """Neither may be fast by leaving something out."""
    numbers = []
    for command in (tap, source):
        bench.alternate(lambda command=command: command, rounds=1, output=output)  # type: ignore[misc]
        with output.open("rb") as lines:
            numbers.append(sum(line.startswith(b'{"type":"RECORD"') for line in lines))
    if numbers[0] != numbers[1]:
        message = f"the tap wrote {numbers[0]} records, source-ory {numbers[1]}"
        raise RuntimeError(message)
