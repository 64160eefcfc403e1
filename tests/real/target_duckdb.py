"""target-duckdb, as a user of Meltano runs it: Singer messages into a DuckDB file.

Knows nothing of where the messages come from.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.real.targets import venv

SCHEMA = "ory"
QUERY = """
import duckdb, json, sys
found = duckdb.connect(sys.argv[1]).execute(sys.argv[2])
names = [column[0] for column in found.description]
print(json.dumps([dict(zip(names, row)) for row in found.fetchall()], default=str))
"""


class TargetDuckDB:
    """The target with a file of its own. It checks each record against the SCHEMA and refuses what does not fit."""

    def __init__(self, file: Path, **settings: Any) -> None:
        """Write into `file`, which need not be there yet.

        Raises:
            NotInstalledError: if the target cannot be had.
        """
        self._bin = venv("target-duckdb") / "bin"
        self._file = file
        self._settings = {"path": str(file), "default_target_schema": SCHEMA, "validate_records": True, **settings}

    def load(self, messages: bytes) -> None:
        """Load messages.

        Raises:
            RuntimeError: if it ended with another exit code than 0; the message is what it said.
        """
        config = self._file.with_suffix(".json")
        config.write_text(json.dumps(self._settings))
        command = [str(self._bin / "target-duckdb"), "--config", str(config)]
        done = subprocess.run(command, input=messages, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace")[-3000:])

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return what a SELECT finds, a dict a row.

        Raises:
            RuntimeError: if DuckDB refuses the query.
        """
        command = [str(self._bin / "python"), "-c", QUERY, str(self._file), query]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
        if done.returncode:
            raise RuntimeError(done.stderr[-3000:])
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def columns(self, table: str) -> dict[str, str]:
        """The columns of a table and their types."""
        found = self.rows(
            f"SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = '{SCHEMA}'"
            f" AND table_name = '{table}'"
        )
        return {each["column_name"]: each["data_type"] for each in found}
