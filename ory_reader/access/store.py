"""What was read, in a SQLite file that goes with the run: people, organizations, clients and relation tuples.

All of it together would be too much for memory; what is asked of it is asked in SQL. Knows no HTTP.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: KiB that SQLite keeps in memory.
CACHE_KIB = 64_000
_TABLES = """
create table person(id text primary key, external_id text, organization text) without rowid;
create table called(name text, id text, primary key(name, id)) without rowid;
create table organization(id text primary key, label text, domains text, created_at text) without rowid;
create table client(id text primary key, name text, profile text, created_at text) without rowid;
create table tuple(
    namespace text, object text, relation text, subject_id text, s_namespace text, s_object text, s_relation text,
    primary key(namespace, object, relation, subject_id, s_namespace, s_object, s_relation)
) without rowid;
"""


class Person(NamedTuple):
    """An identity. `names` are what else may name it: e-mail addresses and usernames."""

    id: str
    external_id: str | None = None
    organization: str | None = None
    names: tuple[str, ...] = ()


class Organization(NamedTuple):
    """An organization; `domains` as JSON text, `created_at` as Ory writes it."""

    id: str
    label: str | None = None
    domains: str | None = None
    created_at: str | None = None


class Client(NamedTuple):
    """An OAuth2 client; `profile` is a JSON object of what C1 shows of it."""

    id: str
    name: str | None = None
    profile: str | None = None
    created_at: str | None = None


class Tuple(NamedTuple):
    """A relation tuple; what it does not have is empty."""

    namespace: str
    object: str
    relation: str
    subject_id: str = ""
    s_namespace: str = ""
    s_object: str = ""
    s_relation: str = ""


class Store:
    """Rows as they were read, each once, however often it came."""

    def __init__(self, path: Path) -> None:
        """Create the file, which must not exist."""
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = off", "synchronous = off", f"cache_size = -{CACHE_KIB}", "temp_store = file"):
            self.connection.execute(f"pragma {pragma}")
        self.connection.executescript(_TABLES)

    def close(self) -> None:
        """Give back the file's descriptor; the file is its directory's."""
        self.connection.close()

    def add_people(self, people: Iterable[Person]) -> None:
        """Take identities."""
        people = list(people)
        self._insert("person", [each[:3] for each in people])
        self._insert("called", [(name.casefold(), each.id) for each in people for name in each.names])

    def add_organizations(self, organizations: Iterable[Organization]) -> None:
        """Take organizations."""
        self._insert("organization", list(organizations))

    def add_clients(self, clients: Iterable[Client]) -> None:
        """Take OAuth2 clients."""
        self._insert("client", list(clients))

    def add_tuples(self, tuples: Iterable[Tuple]) -> None:
        """Take relation tuples."""
        self._insert("tuple", list(tuples))

    def _insert(self, table: str, rows: list[tuple[str | None, ...]]) -> None:
        if rows:
            values = ", ".join("?" * len(rows[0]))
            with self.connection:
                self.connection.execute("begin")
                self.connection.executemany(f"insert or replace into {table} values ({values})", rows)
