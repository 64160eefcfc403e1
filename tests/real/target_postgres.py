"""target-postgres, as a user of Meltano runs it: Singer messages into a schema of a real PostgreSQL.

Knows nothing of where the messages come from.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.forking import Forkers
from tests.real.postgres import DATABASE, USER, Postgres
from tests.real.targets import venv

FUNCTION = "target_postgres.target:TargetPostgres.cli"


def forked_targets(number: int) -> Forkers:
    """Processes that run the target, as many at once.

    Raises:
        NotInstalledError: if the target cannot be had.
    """
    return Forkers(number, FUNCTION, venv("target-postgres") / "bin" / "python")


class LoadError(Exception):
    """The target refused a stream; the message is what it said."""


class TargetPostgres:
    """The target with a schema of its own, that deletes rows for good when a version is activated.

    `settings` is its configuration, for whoever runs it in another way.
    """

    def __init__(self, postgres: Postgres, processes: Forkers, schema: str, **settings: Any) -> None:
        """Write into `schema` of a running server; `processes` are of `forked_targets`."""
        self._postgres = postgres
        self._processes = processes
        self.schema = schema
        self.settings = {
            "host": "127.0.0.1",
            "port": postgres.port,
            "user": USER,
            "password": "trusted",
            "database": DATABASE,
            "default_target_schema": schema,
            "add_record_metadata": True,
            "activate_version": True,
            "hard_delete": True,
            **settings,
        }

    def load(self, messages: bytes) -> list[Any]:
        """Load messages and return the states that the target acknowledged.

        Raises:
            LoadError: if it ended with another exit code than 0.
        """
        with tempfile.TemporaryDirectory() as home:
            config, stdin, stdout, stderr = (Path(home) / name for name in ("config.json", "stdin", "stdout", "stderr"))
            config.write_text(json.dumps(self.settings))
            stdin.write_bytes(messages)
            with self._processes.one() as process:
                command = ["target-postgres", "--config", str(config)]
                code = process.start(command, stdin=stdin, stdout=stdout, stderr=stderr).wait()
            if code:
                raise LoadError(_shortened(stderr.read_text(encoding="utf-8", errors="replace")))
            return [json.loads(line) for line in stdout.read_bytes().splitlines()]

    def rows(self, table: str = "identities", columns: str = "*") -> list[dict[str, Any]]:
        """Return what is in a table; no rows if there is none."""
        if self._postgres.execute(f"SELECT to_regclass('{self.schema}.{table}')").strip() == "":
            return []
        return self._postgres.rows(f"SELECT {columns} FROM {self.schema}.{table}")

    def copy_of(self, other: "TargetPostgres", table: str = "identities") -> None:
        """Begin with the rows, keys and columns of another schema's table."""
        self._postgres.execute(
            f"CREATE SCHEMA {self.schema};"
            f"CREATE TABLE {self.schema}.{table} (LIKE {other.schema}.{table} INCLUDING ALL);"
            f"INSERT INTO {self.schema}.{table} SELECT * FROM {other.schema}.{table};"
        )


def _shortened(text: str) -> str:
    """What the target said: a line of its own may hold all rows of a batch."""
    return "\n".join(line[:500] for line in text.splitlines()[-60:])
