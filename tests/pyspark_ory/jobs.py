"""One Spark session that does what it is asked, a line of JSON each: run in the environment of tests/real/spark.txt.

Every answer is a line of JSON, too: what was asked for, or `{"error": ...}` with Spark's whole text.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession


def frame(options: dict[str, str]) -> DataFrame:
    return SparkSession.active().read.format("ory").options(**options).load()


def ids(options: dict[str, str]) -> dict[str, Any]:
    read = frame(options)
    return {"ids": [row.id for row in read.select("id").collect()]}


def parquet(options: dict[str, str], path: str) -> dict[str, Any]:
    frame(options).write.parquet(path)
    return {}


def describe(options: dict[str, str]) -> dict[str, Any]:
    read = frame(options)
    plans = read._jdf.queryExecution()
    return {"schema": read.schema.simpleString(), "plan": plans.toString(), "partitions": read.rdd.getNumPartitions()}


def notebook(path: str, admin_api: str) -> dict[str, Any]:
    """Run the cells of a notebook one after another, as a reader does, on another server than its own."""
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            text = "".join(cell["source"]).replace("http://127.0.0.1:4434/", admin_api)
            exec(compile(text, cell["id"], "exec"), names)
    return {"cells": len(cells)}


def main() -> None:
    master, events = sys.argv[1:]
    spark = (
        SparkSession.builder.master(master)
        .config("spark.ui.enabled", "false")
        .config("spark.eventLog.enabled", "true")
        .config("spark.eventLog.compress", "false")
        .config("spark.eventLog.dir", f"file://{events}")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        .getOrCreate()
    )
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(json.dumps({"version": spark.version}), file=answers, flush=True)
    asked: dict[str, Any] = {"ids": ids, "parquet": parquet, "describe": describe, "notebook": notebook}
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = asked[question.pop("do")](**question)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)
    spark.stop()


if __name__ == "__main__":
    main()
