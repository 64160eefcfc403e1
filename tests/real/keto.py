"""A real Ory Keto: relation tuples and namespaces.

Knows how to fill the server through its API and how to ask its database for the truth.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from tests.ports import free_ports
from tests.real.people import Json
from tests.real.process import OryServer

BATCH = 2500


class Keto(OryServer):
    """One server, from `with` to the end of the block.

    Attributes:
        read_url: base URL of the read port, ending in a slash.
        write_url: base URL of the write port, likewise.
    """

    name, title = "keto", "Ory Keto"

    def __init__(self) -> None:
        super().__init__("v0.13.0-alpha.0")
        ports = dict(zip(("read", "write", "metrics", "opl"), free_ports(4), strict=True))
        self.read_url, self.write_url = (f"http://127.0.0.1:{ports[role]}/" for role in ("read", "write"))
        configuration = {
            "dsn": self.dsn,
            "namespaces": {"location": f"file://{Path(__file__).with_name('namespaces.keto.ts')}"},
            "serve": {role: {"host": "127.0.0.1", "port": port} for role, port in ports.items()},
            "log": {"level": "error"},
        }
        self._config.write_text(json.dumps(configuration))

    def write(self, tuples: Iterable[Json]) -> None:
        """Insert tuples; one that is there already is there once more."""
        tuples = iter(tuples)
        while batch := list(islice(tuples, BATCH)):
            patch = [{"action": "insert", "relation_tuple": each} for each in batch]
            self._http.patch(f"{self.write_url}admin/relation-tuples", json=patch).raise_for_status()

    def multiply(self, number: int) -> None:
        """Add so many tuples, of the objects and the subjects (ids) that there are, behind the server's back.

        Each is another one, of a relation of their own. On SQLite the server would sort all of them for each page.
        """
        self.execute("CREATE INDEX in_order ON keto_relation_tuples (nid, shard_id)")
        self.execute(
            "INSERT INTO keto_relation_tuples (shard_id, nid, namespace, object, relation, subject_id, commit_time) "
            "SELECT lower(printf('%s-%s-4%s-8%s-%s', hex(randomblob(4)), hex(randomblob(2)), "
            "substr(hex(randomblob(2)), 2), substr(hex(randomblob(2)), 2), hex(randomblob(6)))), "
            "o.nid, o.namespace, o.object, 'copied', s.subject_id, o.commit_time FROM "
            "(SELECT DISTINCT nid, namespace, object, min(commit_time) AS commit_time FROM keto_relation_tuples "
            "GROUP BY nid, namespace, object) o, "
            "(SELECT DISTINCT subject_id FROM keto_relation_tuples WHERE subject_id IS NOT NULL) s LIMIT ?",
            number,
        )

    def all_tuples(self) -> Iterator[Json]:
        """Every stored row, as the database says; repeats among them."""
        names = dict(self.rows("SELECT id, string_representation FROM keto_uuid_mappings"))
        columns = "namespace, object, relation, subject_id, subject_set_namespace, subject_set_object"
        for row in self.rows(f"SELECT {columns}, subject_set_relation FROM keto_relation_tuples"):
            namespace, thing, relation, subject_id, *of_set = row
            subject = (
                {"subject_set": {"namespace": of_set[0], "object": names[of_set[1]], "relation": of_set[2]}}
                if subject_id is None
                else {"subject_id": names[subject_id]}
            )
            yield {"namespace": namespace, "object": names[thing], "relation": relation, **subject}

    def _migration(self) -> list[str]:
        return ["migrate", "up", "-y", "-c", str(self._config)]

    def _serving(self) -> list[str]:
        return ["serve", "--sqa-opt-out", "-c", str(self._config)]

    def _ready_urls(self) -> list[str]:
        return [f"{url}health/ready" for url in (self.read_url, self.write_url)]

    def _make_database(self) -> None:
        # Migrating takes seconds.
        kept = self._binary.with_name("empty.sqlite")
        if kept.exists():
            shutil.copyfile(kept, self.database)
        else:
            super()._make_database()
            self._keep_database(kept)
