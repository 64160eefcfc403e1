"""A real Ory Kratos: a process on free ports of 127.0.0.1, with SQLite in a directory that goes with it.

Knows how to start, stop and fill the server and how to ask its database for the truth; knows nothing of the
tap nor of what the tests make of the answers.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

import requests

from tests.ports import free_ports
from tests.real.build import kratos_binary
from tests.real.people import Json, identity_schemas, people

if TYPE_CHECKING:
    from typing_extensions import Self

Release = Literal["v1.0.0", "v1.3.1"]

START_SECONDS: Final = 30
BATCH: Final = 200
# Other people than before are other databases to keep.
PEOPLE_VERSION: Final = hashlib.sha256(Path(__file__).with_name("people.py").read_bytes()).hexdigest()[:12]


class Kratos:
    """One server, from `with` to the end of the block, with a number of people in it from the start.

    Its first people are made through the Admin API, once for each number and build; from then on it starts with
    a copy of that database. So they have the same ids each time.

    Attributes:
        version: the release, "v1.0.0" or "v1.3.1".
        family: how it pages: "offset" (ids descending) or "keyset" (ids ascending).
        admin_url: base URL of the Admin API, ending in a slash.
        public_url: base URL of the public port, likewise.
        database: the SQLite file.
    """

    def __init__(self, version: Release, number: int = 0, schemas: Mapping[str, Json] | None = None) -> None:
        """`schemas` are identity schemas by id, for a server without people; None those of `people`."""
        self.version = version
        self._number = number
        self._schemas = schemas
        self.family: Literal["offset", "keyset"] = "offset" if version == "v1.0.0" else "keyset"
        self._binary = kratos_binary(version)
        self._home = tempfile.TemporaryDirectory(prefix="kratos-")
        self.database = Path(self._home.name) / "kratos.sqlite"
        self._config = Path(self._home.name) / "kratos.json"
        self._log = Path(self._home.name) / "kratos.log"
        admin_port, public_port = free_ports(2)
        self.admin_url = f"http://127.0.0.1:{admin_port}/"
        self.public_url = f"http://127.0.0.1:{public_port}/"
        self._config.write_text(json.dumps(self._configuration(admin_port, public_port)))
        self._http = requests.Session()
        self._process: subprocess.Popen[bytes] | None = None

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

    def start(self) -> None:
        """Serve, and return once both ports answer."""
        # Kratos reports to Ory's telemetry unless told not to.
        self._process = self._run("serve", "--sqa-opt-out", "-c", str(self._config))
        deadline = time.monotonic() + START_SECONDS
        waiting = [f"{self.admin_url}admin/health/ready", f"{self.public_url}health/ready"]
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

    def create(self, body: Json) -> Json:
        """Create one identity and return it as the server gives it back."""
        response = self._http.post(f"{self.admin_url}admin/identities", json=body)
        response.raise_for_status()
        created: Json = response.json()
        return created

    def change_schema(self, schema_id: str, schema: Json) -> None:
        """Restart with another identity schema under the same id, over the same people."""
        if self._schemas is None:
            self._fail("has schemas of its own")
        self._schema_file(list(self._schemas).index(schema_id)).write_text(json.dumps(schema))
        self.restart()

    def delete(self, identity_id: str) -> None:
        """Delete one identity."""
        self._http.delete(f"{self.admin_url}admin/identities/{identity_id}").raise_for_status()

    def deactivate(self, identity_id: str) -> None:
        """Make one identity inactive."""
        patch = [{"op": "replace", "path": "/state", "value": "inactive"}]
        self._http.patch(f"{self.admin_url}admin/identities/{identity_id}", json=patch).raise_for_status()

    def fill(self, count: int, seed: int = 1) -> None:
        """Create `count` people through the Admin API; those who are there from the start are of seed 1.

        About 1 ms an identity: most of it is Kratos compiling the identity schema for each one.
        """
        before = self.count()
        with ThreadPoolExecutor(2) as writers:
            for _ in writers.map(self._create_batch, _batches(people(count, seed))):
                pass
        if (added := self.count() - before) != count:
            self._fail(f"took {added} of {count} people")

    def execute(self, sql: str, *parameters: Any) -> None:
        """Change the database behind the server's back, for rows that no API would write."""
        with closing(sqlite3.connect(self.database, timeout=10)) as database, database:
            database.execute(sql, parameters)

    def count(self) -> int:
        """How many identities there are, as the database says."""
        return len(self.all_ids())

    def all_ids(self) -> list[str]:
        """The ids of all identities in the order in which the server lists them, as the database says."""
        order = "DESC" if self.family == "offset" else "ASC"
        with closing(sqlite3.connect(self.database, timeout=10)) as database:
            return [row[0] for row in database.execute(f"SELECT id FROM identities ORDER BY id {order}")]

    def all_rows(self) -> list[Json]:
        """All identities as the list endpoint gives them, in its order.

        Raises:
            RuntimeError: if they are not exactly the database's.
        """
        ids = self.all_ids()
        rows: list[Json] = []
        # Without page tokens, since walks by token are checked against this: the newer release sets no
        # maximum, the older one counts pages.
        size = 1000 if self.family == "offset" else len(ids)
        for page in range(-(-len(ids) // size) if ids else 0):
            query = {"page": page, "per_page": size} if self.family == "offset" else {"page_size": size}
            response = self._http.get(f"{self.admin_url}admin/identities", params=query)
            response.raise_for_status()
            rows += response.json()
        if [row["id"] for row in rows] != ids:
            self._fail("does not list what is in its database")
        return rows

    def _configuration(self, admin_port: int, public_port: int) -> Json:
        schemas = self._schemas or identity_schemas("phone" if self.family == "offset" else "sms")
        for number, schema in enumerate(schemas.values()):
            self._schema_file(number).write_text(json.dumps(schema))
        return {
            # Nothing here outlives the test, so the disk need not keep up.
            "dsn": f"sqlite://{self.database}?_fk=true&_journal=WAL&_sync=OFF&_busy_timeout=20000",
            "serve": {
                "admin": {"host": "127.0.0.1", "port": admin_port, "base_url": self.admin_url},
                "public": {"host": "127.0.0.1", "port": public_port, "base_url": self.public_url},
            },
            "identity": {
                "default_schema_id": next(iter(schemas)),
                "schemas": [
                    {"id": schema_id, "url": f"file://{self._schema_file(number)}"}
                    for number, schema_id in enumerate(schemas)
                ],
            },
            "selfservice": {"default_browser_return_url": self.public_url, "methods": {"totp": {"enabled": True}}},
            "courier": {"smtp": {"connection_uri": "smtp://127.0.0.1:1/"}},
            "secrets": {"cookie": ["0123456789abcdef"], "cipher": ["0123456789abcdef0123456789abcdef"]},
            "hashers": {"algorithm": "bcrypt"},
            "log": {"level": "error"},
        }

    def _make_database(self) -> None:
        kept = self._binary.with_name(f"people-{PEOPLE_VERSION}-{self._number}.sqlite")
        if kept.exists():
            shutil.copyfile(kept, self.database)
            return
        if self._run("migrate", "sql", "-e", "--yes", "-c", str(self._config)).wait(START_SECONDS):
            self._fail("could not make its database")
        if self._number:
            self.start()
            self.fill(self._number)
            self.stop()
        # Another process may be at the same: whole files replace each other.
        whole = kept.with_name(f"{os.getpid()}.sqlite")
        whole.unlink(missing_ok=True)
        with closing(sqlite3.connect(self.database)) as database:
            database.execute("VACUUM INTO ?", (str(whole),))
        whole.replace(kept)

    def _schema_file(self, number: int) -> Path:
        return self._config.with_name(f"schema-{number}.json")

    def _run(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            # Kratos reads settings from its environment too: it gets none of ours.
            return subprocess.Popen([self._binary, *arguments], env={"HOME": self._home.name}, stdout=log, stderr=log)

    def _answers(self, url: str) -> bool:
        try:
            return self._http.get(url, timeout=START_SECONDS).ok
        except requests.ConnectionError:
            time.sleep(0.02)
            return False

    def _create_batch(self, bodies: list[Json]) -> None:
        patch = {"identities": [{"create": body} for body in bodies]}
        response = requests.patch(f"{self.admin_url}admin/identities", json=patch, timeout=120)
        response.raise_for_status()
        for entry in response.json()["identities"]:
            if entry["action"] != "create":
                self._fail(f"refused a person: {entry}")

    def _fail(self, what: str) -> NoReturn:
        msg = f"Ory Kratos {self.version} {what}. Its log ends: {self._log.read_text()[-2000:]}"
        raise RuntimeError(msg)

    def _clean_up(self) -> None:
        self.stop()
        self._http.close()
        self._home.cleanup()


def _batches(bodies: Iterable[Json]) -> Iterator[list[Json]]:
    bodies = iter(bodies)
    while batch := list(islice(bodies, BATCH)):
        yield batch
