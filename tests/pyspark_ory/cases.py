"""The data source without a JVM, in the environment of tests/real/spark.txt: plans and reads as Spark's workers do.

`cases.py` prints a line of JSON for each fault of the matrix: what it ended with, who was lost, who came twice, and at
last the modules that were loaded.
"""

from __future__ import annotations

import json
import sys
from typing import Any
from unittest import mock

from ory_reader.http import client
from pyspark_ory import DefaultSource
from tests.faults.sandbox import FaultySandbox
from tests.real.fault_cases import CASES, Case

PEOPLE, PAGE = 400, 20


def read(options: dict[str, str]) -> list[str]:
    source = DefaultSource(options)
    reader = source.reader(source.schema())
    batches = [batch for part in reader.partitions() for batch in reader.read(part)]
    return [each for batch in batches for each in batch.column("id").to_pylist()]


def line(case: Case) -> dict[str, Any]:
    with FaultySandbox(PEOPLE, faults=case.faults, manner=case.manner) as sandbox:
        before = {each["id"] for each in sandbox.identities}
        options = {"base_url": sandbox.url, "page_size": str(PAGE), "stream": case.stream}
        if case.manner == "network":
            options["project_slug"] = "sandbox"
        options["request_timeout"] = str(case.timeout)
        try:
            with mock.patch.object(client, "MAX_PAUSE", case.pause):
                found = read(options)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
            return {"name": case.name, "ended": f"{type(error).__name__}: {error}"}
        lost = before & {each["id"] for each in sandbox.identities} - {*found}
        return {"name": case.name, "lost": len(lost), "twice": len(found) - len({*found})}


def main() -> None:
    for case in CASES:
        sys.stdout.write(json.dumps(line(case)) + "\n")
    sys.stdout.write(json.dumps(sorted(sys.modules)) + "\n")


if __name__ == "__main__":
    main()
