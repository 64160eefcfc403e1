"""What a project costs as a table: CPU and memory of Arrow and Parquet against the tap, and of a Spark job.

`python -m benchmarks.lake URL [--spark]` prints the figures for the sandbox, or the server, at that address: medians of
runs in turns. With `--spark` also what a Spark job costs after its start-up, and Spark's own reader of JSON lines.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks import measure
from benchmarks.contenders import ENVIRONMENT
from tests.real.targets import venv

ROUNDS = 5
PARQUET = """
import sys, ory_reader, pyarrow, pyarrow.parquet
table = ory_reader.read(base_url=sys.argv[1], traits=sys.argv[2])
options = {"compression": "zstd", "use_dictionary": ["schema_id", "schema_url", "state"]}
if sys.argv[2] == "typed":
    del options["use_dictionary"]
with pyarrow.parquet.ParquetWriter(sys.argv[3], table.schema, **options) as file:
    waiting = []
    for batch in table.batches():
        waiting.append(batch)
        if sum(map(len, waiting)) >= 50_000:
            file.write_table(pyarrow.Table.from_batches(waiting))
            waiting = []
    if waiting:
        file.write_table(pyarrow.Table.from_batches(waiting))
"""
ARROW = "import sys, ory_reader\nfor _ in ory_reader.read(base_url=sys.argv[1], traits=sys.argv[2]).batches(): pass"
#: Both end with what the job cost: CPU seconds of the JVM and its Python workers from the session's first job on.
SPARK = """
import os, sys, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[4]").config("spark.ui.enabled", "false").getOrCreate()
spark.range(10).count()
spark.sparkContext.parallelize(range(4), 4).map(lambda each: each).count()
def spent():
    total = 0
    tick = os.sysconf("SC_CLK_TCK")
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                fields = open(f"/proc/{entry}/stat").read().rpartition(")")[2].split()
                group = int(fields[2])
            except OSError:
                continue
            if group == os.getpgrp():
                total += sum(map(int, fields[11:15]))
    return total / tick
before = spent()
url, how, out = sys.argv[1:4]
if how == "ory":
    options = dict(each.split("=") for each in sys.argv[4:])
    spark.read.format("ory").options(base_url=url, **options).load().write.parquet(out)
else:
    spark.read.json(how).select("record.*").where("record is not null").write.parquet(out)
print(spent() - before, spark.read.parquet(out).select("id").distinct().count(), spark.read.parquet(out).count())
"""


def spark_job(*arguments: str) -> tuple[float, int, int]:
    """CPU seconds of a Spark job after start-up, how many ids it found, and how many rows."""
    python = venv("spark") / "bin" / "python"
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "PYSPARK_PYTHON": str(python)}
    with tempfile.TemporaryDirectory() as home:
        out = [*arguments[:2], f"{home}/out", *arguments[2:]]
        done = subprocess.run(
            [python, "-c", SPARK, *out],
            env=environment,
            capture_output=True,
            check=True,
            text=True,
            start_new_session=True,
        )
    cpu, ids, rows = done.stdout.split()[-3:]
    return float(cpu), int(ids), int(rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lake", description=__doc__, allow_abbrev=False)
    parser.add_argument("url")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--spark", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        lines = Path(home, "lines")
        tap = [str(Path(sys.executable).with_name("tap-ory"))]
        commands = {
            "tap-ory > file.jsonl": tap,
            "Arrow, JSON traits": [sys.executable, "-c", ARROW, arguments.url, "json"],
            "Arrow and Parquet, JSON traits": [sys.executable, "-c", PARQUET, arguments.url, "json", f"{home}/a"],
            "Arrow, typed": [sys.executable, "-c", ARROW, arguments.url, "typed"],
            "Arrow and Parquet, typed": [sys.executable, "-c", PARQUET, arguments.url, "typed", f"{home}/b"],
        }
        environment = {**ENVIRONMENT, "TAP_ORY_BASE_URL": arguments.url}
        costs: dict[str, list[measure.Cost]] = {name: [] for name in commands}
        for _ in range(arguments.rounds):
            for name, command in commands.items():
                output = lines if command is tap else None
                costs[name].append(measure.run(command, output=output, environment=environment))
        (first, *_) = costs.values()
        for name, each in costs.items():
            ratio = median(ours.cpu / taps.cpu for ours, taps in zip(each, first, strict=True))
            peak = max(cost.peak_mb for cost in each)
            print(f"| {name} | {median(cost.cpu for cost in each):.2f} s | {ratio:.2f} | {peak:.0f} MB |", flush=True)
        if arguments.spark:
            for name, job in {
                "Spark, JSON lines of the tap": (str(lines),),
                "Spark, format ory": ("ory",),
                "Spark, format ory, 1 partition": ("ory", "partitions=1"),
                "Spark, format ory, 16 partitions": ("ory", "partitions=16"),
            }.items():
                print(f"| {name} | {json.dumps(spark_job(arguments.url, *job))} |", flush=True)


if __name__ == "__main__":
    main()
