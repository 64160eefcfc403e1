"""`python -m benchmarks.targets`: what a pipeline of the tap costs with usual targets, and what Arrow brings there.

The tap writes into a file, each target reads that file: so each has its own cost. Then the same rows go as Arrow, and
by COPY, without a target. Prints one Markdown table; progress goes to stderr. Real programs, installed by the tests.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import ENVIRONMENT, Contenders
from benchmarks.environments import bin_directory
from benchmarks.measure import ALL_CPUS, Cost, run
from benchmarks.servers import Servers
from tests.real.postgres import DATABASE, USER, Postgres
from tests.real.targets import venv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PEOPLE, ROUNDS = 200_000, 3
FLAT = {"flattening_enabled": True, "flattening_max_depth": 3}
#: Reads as Arrow, and writes without any target; the arguments are the API's address and where to.
ARROW = "import ory_reader, sys; people = ory_reader.read('identities', base_url=sys.argv[1], traits=sys.argv[3]); "
INTO_DUCKDB = f"{ARROW} import duckdb; duckdb.connect(sys.argv[2]).execute('CREATE TABLE identities AS FROM people')"
INTO_PARQUET = f"{ARROW} import pyarrow.parquet as pq; pq.write_table(__import__('pyarrow').table(people), sys.argv[2])"
#: The records of messages as lines for COPY: id and all of it as JSON, or the texts of all columns.
CSV = (
    "import csv, json, sys\nout = csv.writer(open(sys.argv[2], 'w'))\nfor line in open(sys.argv[1]):\n"
    "    message = json.loads(line)\n    if message['type'] != 'RECORD': continue\n    row = message['record']\n"
    "    out.writerow([row['id'], json.dumps(row)])\n"
)


class Pipelines:
    """Runs everything for some number of people; files lie in `directory`."""

    def __init__(self, people: int, url: str, postgres: Postgres, directory: Path) -> None:
        self._people, self._url, self._postgres, self._directory = people, url, postgres, directory
        self._number = 0

    def rows(self) -> Iterator[tuple[str, Cost]]:
        """Each step by name, and the median of what it cost."""
        contenders = Contenders(self._directory)
        for called, settings in (("", {}), (", flattened", FLAT)):
            messages = self._directory / f"messages{len(settings)}"
            # A target that activates versions deletes the rows of all other runs.
            command = contenders.tap_ory(self._url, emit_activate_version_messages=False, **settings)
            command += ["--catalog", self._catalog(command)]
            measured = partial(run, command, output=messages, environment=ENVIRONMENT)
            yield f"tap-ory{called}", self._median(measured)
            for name in ("jsonl", "duckdb", "postgres"):
                target = f"target-{name}{called}"
                yield target, self._median(partial(self._load, name, messages))
        python = venv("arrow") / "bin" / "python"
        for called, code, kind in (
            ("Arrow into DuckDB", INTO_DUCKDB, "json"),
            ("Arrow into DuckDB, typed traits", INTO_DUCKDB, "typed"),
            ("Arrow into a Parquet file", INTO_PARQUET, "json"),
        ):
            yield called, self._median(partial(self._arrow, python, code, kind))
        lines = self._directory / "lines.csv"
        run([sys.executable, "-c", CSV, self._directory / "messages0", lines])
        yield "COPY of id and JSON into PostgreSQL", self._median(partial(self._copy, lines))

    def _catalog(self, command: list[str]) -> str:
        """Identities without metadata: target-duckdb takes none that is a truth value, as some of the sandbox's is."""
        path = self._directory / "catalog.json"
        run([*command, "--discover"], output=path, environment=ENVIRONMENT)
        catalog = json.loads(path.read_bytes())
        for stream in catalog["streams"]:
            for entry in stream["metadata"]:
                if entry["breadcrumb"][1:] in (["metadata_public"], ["metadata_admin"]):
                    entry["metadata"]["selected"] = False
        path.write_text(json.dumps(catalog), encoding="utf-8")
        return str(path)

    def _median(self, measure: Callable[[], Cost]) -> Cost:
        costs = [measure() for _ in range(ROUNDS)]
        for cost in costs:
            print(f"  {cost.cpu:.1f} s CPU, {cost.wall:.1f} s", file=sys.stderr)
        return Cost(*(median(getattr(cost, name) for cost in costs) for name in ("cpu", "wall", "peak_mb")))

    def _load(self, name: str, messages: Path) -> Cost:
        self._number += 1
        place = self._directory / f"{name}{self._number}"
        place.mkdir()
        program = (bin_directory("jsonl") if name == "jsonl" else venv(f"target-{name}") / "bin") / f"target-{name}"
        login = {"host": "127.0.0.1", "port": self._postgres.port, "user": USER, "password": "-", "database": DATABASE}
        settings: dict[str, dict[str, Any]] = {
            "jsonl": {"destination_path": str(place)},
            "duckdb": {"path": str(place / "ory.duckdb"), "default_target_schema": "ory"},
            "postgres": {**login, "default_target_schema": f"run{self._number}"},
        }
        config = place / "config.json"
        config.write_text(json.dumps(settings[name]), encoding="utf-8")
        command = ["sh", "-c", 'exec "$0" --config "$1" < "$2"', program, config, messages]
        return run(command, environment=ENVIRONMENT, cpus=ALL_CPUS)

    def _arrow(self, python: Path, code: str, traits: str) -> Cost:
        self._number += 1
        to = self._directory / f"arrow{self._number}"
        environment = {**ENVIRONMENT, "PYTHONPATH": str(Path(__file__).parents[1])}
        return run([python, "-c", code, self._url, to, traits], environment=environment, cpus=ALL_CPUS)

    def _copy(self, lines: Path) -> Cost:
        self._postgres.execute("DROP TABLE IF EXISTS copied; CREATE TABLE copied (id text PRIMARY KEY, record jsonb)")
        statement = f"\\copy copied FROM '{lines}' CSV"
        return run([*self._postgres.psql, "-c", statement], environment=dict(os.environ), cpus=ALL_CPUS)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.targets", allow_abbrev=False)
    parser.add_argument("--people", type=int, default=PEOPLE, metavar="N", help=f"how many ({PEOPLE:,})")
    people = parser.parse_args().people
    print("| step | CPU of it | wall time | identities/s |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, Servers() as servers, Postgres() as postgres:
        for name, cost in Pipelines(people, servers.sandbox(people), postgres, Path(directory)).rows():
            print(f"| {name} | {cost.cpu:.3g} s | {cost.wall:.3g} s | {people / cost.wall:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
