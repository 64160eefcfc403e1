"""When each identity last signed in, by one read of all sessions: the newest authenticated_at, and its level.

Kept in a temporary file of SQLite's, of which a few megabytes are in memory: five million people take no more than a
hundred do. Facts on sessions are those of `ory_reader.resources.sessions`.
"""

from __future__ import annotations

import logging
import sqlite3
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from ory_reader.errors import AnswerError, IncompleteError, SettingsError, refuse
from ory_reader.pagination.page import not_a_page
from ory_reader.records.changes import canonical
from ory_reader.resources.sessions import SESSIONS, SessionsRead
from ory_reader.sync import snapshot
from ory_reader.sync.progress import Progress

if TYPE_CHECKING:
    from ory_reader.http.client import OryClient

logger = logging.getLogger("tap-ory")

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
#: So many identities are collected before they are written: in order, that is much quicker.
CHUNK = 50_000
#: Clocks differ, and a row is made a little after it was issued.
SLACK = DAY


class _Identity(msgspec.Struct, gc=False):
    id: str


class _Session(msgspec.Struct, gc=False):
    id: str
    issued_at: str
    authenticated_at: str
    authenticator_assurance_level: str | None = None
    identity: _Identity | None = None


_sessions = msgspec.json.Decoder(list[_Session])


class LastLogins:
    """The last sign-in of each identity that has a session."""

    def __init__(self, since: int = 0) -> None:
        """Know nobody's. What is before `since`, in nanoseconds since 1970, will not be told."""
        self.since = since
        # No name: a file of its own that is gone with the connection. Reads may be asked by another thread.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -16000"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute("CREATE TABLE logins (id BLOB PRIMARY KEY, at INTEGER, aal INTEGER) WITHOUT ROWID")
        self._newest: dict[bytes, tuple[int, int]] = {}
        self._levels: list[str | None] = []

    def add(self, identity_id: str, at: int, level: str | None) -> None:
        """Take in a session; `at` is when it was authenticated, in nanoseconds since 1970."""
        key = _packed(identity_id)
        known = self._newest.get(key)
        if known is None or at > known[0]:
            self._newest[key] = at, self._number_of(level)

    def flush(self, *, least: int = 0) -> None:
        """Write what was collected, if it is so much."""
        if len(self._newest) < least:
            return
        rows = [(key, *value) for key, value in sorted(self._newest.items())]
        self._newest.clear()
        try:
            self._database.execute("BEGIN")
            self._database.executemany(
                "INSERT INTO logins VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at, "
                "aal = excluded.aal WHERE excluded.at > at",
                rows,
            )
            self._database.execute("COMMIT")
        except sqlite3.OperationalError as error:
            msg = (
                f"Setting last_login needs a temporary file, which cannot be written ({error}): set SQLITE_TMPDIR or "
                "TMPDIR to a directory with room for 40 MB a million people."
            )
            raise SettingsError(msg) from error

    def of(self, ids: list[str]) -> list[tuple[str, str | None] | None]:
        """Return time and level of the last sign-ins of identities, None where none is known."""
        keys = [_packed(each) for each in ids]
        marks = ",".join("?" * len(keys))
        found = self._database.execute(f"SELECT id, at, aal FROM logins WHERE id IN ({marks})", keys)  # noqa: S608 - marks
        known = {key: (_text(at), self._levels[aal]) for key, at, aal in found if at >= self.since}
        return [known.get(key) for key in keys]

    def _number_of(self, level: str | None) -> int:
        if level not in self._levels:
            self._levels.append(level)
        return self._levels.index(level)


def read_last_logins(api: OryClient) -> LastLogins:
    """Read all sessions, or those that can tell of the last days as `last_login` says, and return what they tell.

    Raises:
        IncompleteError: if some could not be read: who seems not to have signed in may have.
        TapOryError: if the read had to end before, or a session is older than `session_lifetime` says.
    """
    settings = api.settings
    now = int(snapshot.now().timestamp()) * SECOND
    bounded = settings.last_login is not True
    logins = LastLogins(now - int(settings.last_login) * DAY if bounded else 0)
    lifetime = settings.session_lifetime * DAY
    oldest = logins.since - lifetime - SLACK if bounded else 0

    def goes_on(body: bytes) -> bool:
        return not bounded or any(nanoseconds(each.issued_at) >= oldest for each in _decode(body))

    read = SessionsRead(api, goes_on, devices=False)
    progress = Progress(api.settings.label, read.count, logger, SESSIONS.rows)
    for page in read.pages():
        sessions = [each for each in _decode(page.body) if each.id not in page.seen]
        for each in sessions:
            at = nanoseconds(each.authenticated_at)
            if bounded and at - nanoseconds(each.issued_at) > lifetime:
                refuse("session_lifetime", "is too small", f"the session {each.id} was refreshed later than that")
            if each.identity is None:
                msg = "The server does not tell whose the sessions are, so last_login cannot be read."
                raise AnswerError(msg)
            logins.add(each.identity.id, at, each.authenticator_assurance_level)
        logins.flush(least=CHUNK)
        progress.add(len(sessions))
    progress.close()
    logins.flush()
    if not read.whole:
        named = ", ".join(read.undelivered[:10])
        msg = (
            f"The server cannot read all sessions ({named}), so nobody's last_login is certain and the run was ended. "
            "Mend those rows in Ory (its log says why), or set last_login to off."
        )
        raise IncompleteError(msg)
    return logins


def _decode(body: bytes) -> list[_Session]:
    try:
        return _sessions.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise not_a_page() from None


def _packed(identity_id: str) -> bytes:
    """A UUID in its 16 bytes, any other id as it is."""
    try:
        return bytes.fromhex(identity_id.replace("-", ""))
    except ValueError:
        return identity_id.encode()


def nanoseconds(time: str) -> int:
    """An RFC 3339 time in nanoseconds since 1970; quickly, where it is in UTC as Go writes it.

    Raises:
        AnswerError: if it is none.
    """
    try:
        fraction = time[20:-1]
        seconds = int(time[11:13]) * 3600 + int(time[14:16]) * 60 + int(time[17:19])
        if time[-1] == "Z":
            return _midnight(time[:10]) + seconds * SECOND + (int(f"{fraction:0<9}"[:9]) if fraction else 0)
    except (ValueError, IndexError):
        pass
    if (text := canonical(time)) is None or text == time:
        msg = "The server answered a session with a time that is none."
        raise AnswerError(msg)
    return nanoseconds(text)


@lru_cache(maxsize=10_000)
def _midnight(date: str) -> int:
    return (datetime.fromisoformat(date).toordinal() - EPOCH.toordinal()) * DAY


def _text(at: int) -> str:
    """A time as Go writes it."""
    seconds, rest = divmod(at, SECOND)
    fraction = f".{rest:09}".rstrip("0").rstrip(".")
    return f"{(EPOCH + timedelta(seconds=seconds)).isoformat()[:19]}{fraction}Z"
