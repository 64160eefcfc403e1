"""A real Ory Kratos: a process on free ports of 127.0.0.1, with SQLite in a directory that goes with it.

Knows how to start, stop and fill the server and how to ask its database for the truth; knows nothing of the
tap nor of what the tests make of the answers.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Final, Literal

import requests

from tests.ports import free_ports
from tests.real.people import Json, identity_schemas, people
from tests.real.process import OryServer

Release = Literal["v1.0.0", "v1.3.1"]

BATCH: Final = 200
# Other people than before are other databases to keep.
PEOPLE_VERSION: Final = hashlib.sha256(Path(__file__).with_name("people.py").read_bytes()).hexdigest()[:12]


class Kratos(OryServer):
    """One server, from `with` to the end of the block, with a number of people in it from the start.

    Its first people are made through the Admin API, once for each number and build; from then on it starts with
    a copy of that database. So they have the same ids each time.

    Attributes:
        family: how it pages: "offset" (ids descending) or "keyset" (ids ascending).
        admin_url: base URL of the Admin API, ending in a slash.
        public_url: base URL of the public port, likewise.
    """

    name, title = "kratos", "Ory Kratos"

    def __init__(self, version: Release, number: int = 0, schemas: Mapping[str, Json] | None = None) -> None:
        """`schemas` are identity schemas by id, for a server without people; None those of `people`."""
        super().__init__(version)
        self._number = number
        self._schemas = schemas
        self.family: Literal["offset", "keyset"] = "offset" if version == "v1.0.0" else "keyset"
        admin_port, public_port = free_ports(2)
        self.admin_url = f"http://127.0.0.1:{admin_port}/"
        self.public_url = f"http://127.0.0.1:{public_port}/"
        self._config.write_text(json.dumps(self._configuration(admin_port, public_port)))

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

    def count(self) -> int:
        """How many identities there are, as the database says."""
        return len(self.all_ids())

    def all_ids(self) -> list[str]:
        """The ids of all identities in the order in which the server lists them, as the database says."""
        order = "DESC" if self.family == "offset" else "ASC"
        return [row[0] for row in self.rows(f"SELECT id FROM identities ORDER BY id {order}")]

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
            "dsn": self.dsn,
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

    def _migration(self) -> list[str]:
        return ["migrate", "sql", "-e", "--yes", "-c", str(self._config)]

    def _serving(self) -> list[str]:
        # Kratos reports to Ory's telemetry unless told not to.
        return ["serve", "--sqa-opt-out", "-c", str(self._config)]

    def _ready_urls(self) -> list[str]:
        return [f"{self.admin_url}admin/health/ready", f"{self.public_url}health/ready"]

    def _make_database(self) -> None:
        kept = self._binary.with_name(f"people-{PEOPLE_VERSION}-{self._number}.sqlite")
        if kept.exists():
            shutil.copyfile(kept, self.database)
            return
        super()._make_database()
        if self._number:
            self.start()
            self.fill(self._number)
            self.stop()
        self._keep_database(kept)

    def _schema_file(self, number: int) -> Path:
        return self._config.with_name(f"schema-{number}.json")

    def _create_batch(self, bodies: list[Json]) -> None:
        patch = {"identities": [{"create": body} for body in bodies]}
        response = requests.patch(f"{self.admin_url}admin/identities", json=patch, timeout=120)
        response.raise_for_status()
        for entry in response.json()["identities"]:
            if entry["action"] != "create":
                self._fail(f"refused a person: {entry}")


def _batches(bodies: Iterable[Json]) -> Iterator[list[Json]]:
    bodies = iter(bodies)
    while batch := list(islice(bodies, BATCH)):
        yield batch
