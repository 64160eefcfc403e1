"""A user of PyAirbyte: check, discover and read into its DuckDB cache. Runs in PyAirbyte's own environment.

Usage: pyairbyte_client.py CONFIG CACHE_DIRECTORY. For each line on stdin, a source's executable, it reads once and
prints what it saw as one line of JSON; whatever PyAirbyte itself prints are other lines.
"""

import json
import sys
from pathlib import Path
from typing import Any

import airbyte as ab  # type: ignore[import-not-found]
from airbyte.caches import DuckDBCache  # type: ignore[import-not-found]


def read(executable: str, config: dict[str, Any], directory: Path) -> dict[str, Any]:
    source = ab.get_source("source-ory", config=config, local_executable=executable)
    source.check()
    seen: dict[str, Any] = {"streams": source.get_available_streams(), "ids": []}
    source.select_streams(["identities"])
    cache = DuckDBCache(db_path=directory / "cache.duckdb", cache_dir=directory)
    try:
        seen["processed"] = source.read(cache=cache).processed_records
    except ab.exceptions.AirbyteConnectorFailedError as error:
        seen["error"] = type(error).__name__
    else:
        seen["ids"] = [row["id"] for row in cache["identities"]]
    states = cache.get_state_provider(source_name="source-ory").to_state_input_file_text()
    return {**seen, "states": json.loads(states)}


config = json.loads(Path(sys.argv[1]).read_text())
for line in sys.stdin:
    sys.stdout.write(json.dumps(read(line.strip(), config, Path(sys.argv[2]))) + "\n")
    sys.stdout.flush()
