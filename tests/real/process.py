"""A real server of Ory's: a process on ports of 127.0.0.1, with SQLite in a directory that goes with it.

Knows how to start and stop one and how to ask its database; each server's own file says how it is configured.
"""

import os
import sqlite3
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NoReturn

import requests

from tests.real.build import server_binary

if TYPE_CHECKING:
    from typing_extensions import Self

START_SECONDS: Final = 30


class OryServer(ABC):
    """One server, from `with` to the end of the block.

    Attributes:
        version: the release.
        database: the SQLite file.
    """

    #: What it is called, and what it is named to people.
    name: str
    title: str

    def __init__(self, version: str) -> None:
        self.version = version
        self._binary = server_binary(self.name, version)
        self._directory = tempfile.TemporaryDirectory(prefix=f"{self.name}-")
        self._home = Path(self._directory.name)
        self.database = self._home / f"{self.name}.sqlite"
        self._config = self._home / f"{self.name}.json"
        self._log = self._home / f"{self.name}.log"
        self._http = requests.Session()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """Where its database is; nothing there outlives the test, so the disk need not keep up."""
        return f"sqlite://{self.database}?_fk=true&_journal=WAL&_sync=OFF&_busy_timeout=20000"

    def __enter__(self) -> "Self":
        try:
            self._make_database()
            self.start()
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._clean_up()

    @abstractmethod
    def _migration(self) -> Sequence[str]:
        """The arguments that make its database."""

    @abstractmethod
    def _serving(self) -> Sequence[str]:
        """The arguments that make it serve."""

    @abstractmethod
    def _ready_urls(self) -> list[str]:
        """What answers once it serves."""

    def start(self) -> None:
        """Serve, and return once all ports answer."""
        self._process = self._run(*self._serving())
        deadline = time.monotonic() + START_SECONDS
        waiting = self._ready_urls()
        while waiting:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._fail("did not start")
            waiting = [url for url in waiting if not self._answers(url)]

    def stop(self) -> None:
        """End the server and wait until it is gone; its ports and its data are kept."""
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
            self._process = None

    def restart(self) -> None:
        """Stop and start again on the same ports with the same data."""
        self.stop()
        self.start()

    def execute(self, sql: str, *parameters: Any) -> None:
        """Change the database behind the server's back, for rows that no API would write."""
        with closing(sqlite3.connect(self.database, timeout=10)) as database, database:
            database.execute(sql, parameters)

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with closing(sqlite3.connect(self.database, timeout=10)) as database:
            return database.execute(sql, parameters).fetchall()

    def _make_database(self) -> None:
        if self._run(*self._migration()).wait(START_SECONDS):
            self._fail("could not make its database")

    def _keep_database(self, kept: Path) -> None:
        """Keep the database for later servers. Others may be at the same: whole files replace each other."""
        whole = kept.with_name(f"{os.getpid()}.sqlite")
        whole.unlink(missing_ok=True)
        with closing(sqlite3.connect(self.database)) as database:
            database.execute("VACUUM INTO ?", (str(whole),))
        whole.replace(kept)

    def _run(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            # Ory's servers read settings from their environment too: they get none of ours, and report to nobody.
            environment = {"HOME": str(self._home), "DSN": self.dsn, "SQA_OPT_OUT": "true"}
            return subprocess.Popen([self._binary, *arguments], env=environment, stdout=log, stderr=log)

    def _answers(self, url: str) -> bool:
        try:
            return self._http.get(url, timeout=START_SECONDS).ok
        except requests.ConnectionError:
            time.sleep(0.02)
            return False

    def _fail(self, what: str) -> NoReturn:
        msg = f"{self.title} {self.version} {what}. Its log ends: {self._log.read_text()[-2000:]}"
        raise RuntimeError(msg)

    def _clean_up(self) -> None:
        self.stop()
        self._http.close()
        self._directory.cleanup()
