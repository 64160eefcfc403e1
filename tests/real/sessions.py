"""A real Kratos with sessions that only a database can hold: many, of chosen times, some within the same microseconds.

What is made here is written past the server; what tests expect is asked of the database.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sqlite3
import uuid
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

from tests.real.server import Kratos

NEWEST: Final = datetime(2026, 11, 20, 12, 0, 0, 123_456, tzinfo=timezone.utc)
#: How many are made within one and the same 10 microseconds.
TOGETHER: Final = 50
VERSION: Final = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
COLUMNS = (
    *("id", "issued_at", "expires_at", "authenticated_at", "identity_id", "created_at", "updated_at", "active"),
    *("nid", "aal", "authentication_methods", "token", "logout_token"),
)
#: Addresses as Kratos stores them, and as a record shows them.
ADDRESSES = {
    "203.0.113.7:33204": "203.0.113.7",
    "[2001:db8::7]:443": "2001:db8::7",
    "2001:db8::8": "2001:db8::8",
    "198.51.100.9": "198.51.100.9",
    "": "",
}


class KratosWithSessions(Kratos):
    """Kratos v1.3.1 with a number of sessions, of four fifths of its people. Made once, then kept."""

    def __init__(self, people: int, sessions: int) -> None:
        super().__init__("v1.3.1", people)
        self._sessions = sessions

    def _make_database(self) -> None:
        kept = self._binary.with_name(f"sessions-{VERSION}-{self._number}-{self._sessions}.sqlite")
        if kept.exists():
            shutil.copyfile(kept, self.database)
            return
        super()._make_database()
        with closing(sqlite3.connect(self.database)) as database, database:
            fill(database, self._sessions)
        self._keep_database(kept)


def fill(database: sqlite3.Connection, number: int) -> None:
    """Put sessions in, newest first, four minutes apart on an average: of 57 days, if they are 20,000."""
    rng = random.Random(17)
    (nid,) = database.execute("SELECT id FROM networks").fetchone()
    people = [row[0] for row in database.execute("SELECT id FROM identities ORDER BY id")]
    people = people[: len(people) * 4 // 5]
    sessions, devices, made = [], [], NEWEST
    for each in range(number):
        if not number // 2 <= each < number // 2 + TOGETHER:
            made -= timedelta(microseconds=rng.choice([1, 3, 7, 11, 999_999, 31_234_567, 1_700_000_000]))
        elif each == number // 2:
            made = made.replace(microsecond=123_459)
        elif rng.random() < 0.2:
            made -= timedelta(microseconds=made.microsecond > 123_450)
        # Made in the database a little after it was issued; some were refreshed since.
        issued = made - timedelta(microseconds=250)
        signed_in = issued + timedelta(seconds=rng.choice([0, 0, 0, 86_400 * rng.random() * 20]))
        session_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        method = [{"method": "password", "aal": "aal1", "completed_at": "2026-01-01T00:00:00Z"}]
        sessions.append(
            (
                *(session_id, stored(issued), stored(signed_in + timedelta(days=30)), stored(signed_in)),
                *(rng.choice(people), stored(made), stored(made), rng.random() < 0.8),
                *(nid, rng.choice(["aal1", "aal1", "aal2"]), json.dumps(method)),
                *(f"ory_st_planted-{each}", f"ory_lo_planted-{each}"),
            )
        )
        if each % 50 == 0:
            address = rng.choice([*ADDRESSES])
            device = str(uuid.UUID(int=rng.getrandbits(128), version=4))
            devices.append((device, address, "Browser/1", "Berlin, DE", nid, session_id, stored(made), stored(made)))
    marks = ", ".join("?" * len(COLUMNS))
    database.executemany(f"INSERT INTO sessions ({', '.join(COLUMNS)}) VALUES ({marks})", sessions)
    columns = "id, ip_address, user_agent, location, nid, session_id, created_at, updated_at"
    database.executemany(f"INSERT INTO session_devices ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", devices)


def stored(moment: datetime) -> str:
    """A time as Kratos writes it into SQLite: without zeros at the end."""
    text = moment.strftime("%Y-%m-%d %H:%M:%S")
    return text + (f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else "") + "+00:00"


def told(text: str) -> str:
    """A stored time as the server tells it."""
    return text.replace(" ", "T").replace("+00:00", "Z")


def truth(kratos: Kratos) -> dict[str, dict[str, Any]]:
    """What records of all sessions must say, by their ids, as the database has it."""
    now = stored(datetime.now(timezone.utc))
    rows = kratos.rows(
        "SELECT s.id, s.identity_id, s.active AND s.expires_at > ? AND i.state = 'active', s.issued_at, "
        "s.authenticated_at, s.expires_at, s.aal, s.authentication_methods FROM sessions s "
        "JOIN identities i ON i.id = s.identity_id",
        now,
    )
    return {
        row[0]: {
            "id": row[0],
            "identity_id": row[1],
            "active": bool(row[2]),
            "issued_at": told(row[3]),
            "authenticated_at": told(row[4]),
            "expires_at": told(row[5]),
            "authenticator_assurance_level": row[6],
            "authentication_methods": json.loads(row[7]),
        }
        for row in rows
    }
