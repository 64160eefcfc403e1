"""Flattening and stream maps against the same read without, against a stock tap, and against the SDK's own way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks import measure
from benchmarks.contenders import ENVIRONMENT
from benchmarks.report import Row, compared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.figures import Bench

IDENTITIES = 100_000
FLAT = {"flattening_enabled": True, "flattening_max_depth": 3}
MAPS: dict[str, dict[str, str | None]] = {
    "hashes": {"email": "md5(config['salt'] + (traits.get('email') or ''))", "traits": None},
    "filters": {"__filter__": "state == 'active'"},
    "renames": {"attributes": "traits", "traits": None},
}
BY_SDK = {"groups": "', '.join([str(each) for each in traits.get('groups') or []])"}


def flattened(bench: Bench) -> list[Row]:
    size = bench.size(IDENTITIES)
    url = bench.servers.sandbox(size)
    ours = bench.contenders
    plain, flat = ours.tap_ory_of(url, "identities"), ours.tap_ory_of(url, "identities", **FLAT)
    users, flat_users = ours.tap_ory_of(url, "users"), ours.tap_ory_of(url, "users", **FLAT)
    stock = ours.stock_tap(url, **FLAT)
    for command in (plain, flat, stock):
        _check(bench, command, size)
    cpu = _cpu(bench, plain, flat, users, flat_users, stock)
    figure = f"CPU at {size:,}, flattened"
    return [
        compared(f"{figure}: identities against the same as they are", (cpu[1], cpu[0]), "s", most=1.6),
        compared(f"{figure}: identities against a stock tap's", (cpu[1], cpu[4]), "s", most=0.1),
        compared(f"{figure}: users against the same as they are", (cpu[3], cpu[2]), "s", most=1.6),
    ]


def stream_maps(bench: Bench) -> list[Row]:
    size = bench.size(IDENTITIES)
    url = bench.servers.sandbox(size)
    ours = bench.contenders
    plain, *mapped = (
        ours.tap_ory_of(url, "identities", stream_maps={"identities": each}, stream_map_config={"salt": "pepper"})
        for each in ({}, *MAPS.values(), BY_SDK)
    )
    for command in (plain, mapped[0], mapped[2], mapped[3]):
        _check(bench, command, size)
    by_record = ours.record_by_record(mapped[3])
    cpu = _cpu(bench, plain, *mapped, by_record)
    figure = f"CPU at {size:,}, a stream map that"
    rows = [
        compared(f"{figure} {name}, against none", (each, cpu[0]), "s", most=2.0)
        for name, each in zip(MAPS, cpu[1:4], strict=True)
    ]
    by_sdk = compared(f"{figure} only the SDK can evaluate, against its own way", (cpu[4], cpu[5]), "s", most=0.6)
    return [*rows, by_sdk]


def _cpu(bench: Bench, *commands: Sequence[str]) -> list[list[float]]:
    costs = bench.alternate(*(lambda command=command: list(command) for command in commands))
    return [[cost.cpu for cost in each] for each in costs]


def _check(bench: Bench, command: Sequence[str], size: int) -> None:
    """What leaves something out is no peer."""
    output = bench.directory / "mapped"
    measure.run(command, output=output, environment=ENVIRONMENT)
    lines: list[Any] = [json.loads(line) for line in output.read_bytes().splitlines()]
    ids = {line["record"]["id"] for line in lines if line["type"] == "RECORD"}
    if len(ids) != size:
        message = f"{' '.join(command)} wrote {len(ids)} of {size} identities"
        raise RuntimeError(message)
