"""When users of a real Kratos last signed in, as its own database has it: by all sessions, and by some days'."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

import ory_reader
from ory_reader.errors import SettingsError
from ory_reader.http.client import OryClient
from tests.command import run_tap
from tests.real.running import running
from tests.real.sessions import NEWEST, KratosWithSessions, stored, told

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE, SESSIONS, PAGE_SIZE = 5_000, 20_000, 100
Logins = dict[str, tuple[Any, Any]]


@pytest.fixture(scope="module")
def kratos() -> Iterator[KratosWithSessions]:
    with running(lambda: KratosWithSessions(PEOPLE, SESSIONS)) as server:
        yield server


def logins(kratos: KratosWithSessions, **config: Any) -> tuple[Logins, int]:
    """Of each user the two fields; and how many pages of sessions that took."""
    project = ory_reader.settings(base_url=kratos.admin_url, public_url=kratos.public_url, **config)
    asked: list[str] = []
    get = OryClient.get

    def noting(self: OryClient, path: str, *arguments: Any, **named: Any) -> Any:
        asked.append(path)
        return get(self, path, *arguments, **named)

    with mock.patch.object(OryClient, "get", noting), ory_reader.open_read(project) as read:
        records = ory_reader.decoder("users", project, fields=["last_login", "last_aal"])
        users = [record for page in read.pages() for record in records(page)]
    found = {user["id"]: (user["last_login"], user["last_aal"]) for user in users}
    assert len(found) == len(users)
    return found, asked.count("/admin/sessions")


def expected(kratos: KratosWithSessions, since: str = "") -> Logins:
    """What the database says, of sign-ins that are not before a time."""
    newest = kratos.rows(
        "SELECT identity_id, max(authenticated_at), aal FROM sessions WHERE authenticated_at >= ? GROUP BY 1", since
    )
    known = {who: (told(when), level) for who, when, level in newest}
    return {who: known.get(who, (None, None)) for who in kratos.all_ids()}


def test_all_sessions_tell_when_each_last_signed_in(kratos: KratosWithSessions) -> None:
    found, _ = logins(kratos, last_login=True, page_size=PAGE_SIZE)
    truth = expected(kratos)
    assert found == truth
    assert len(found) == PEOPLE
    assert {each[1] for each in truth.values()} == {None, "aal1", "aal2"}


def test_those_of_some_days_tell_of_these_days_in_fewer_pages(kratos: KratosWithSessions) -> None:
    now, days = NEWEST + timedelta(days=1), 10
    with mock.patch("ory_reader.sync.snapshot.now", return_value=now):
        found, pages = logins(kratos, last_login=days, session_lifetime=20, page_size=PAGE_SIZE)
        truth = expected(kratos, stored((now - timedelta(days=days)).replace(microsecond=0)))
        assert found == truth
        # Some signed in within the time by sessions that were issued long before.
        assert sum(each[0] is not None for each in truth.values()) > PEOPLE // 4
        assert pages < SESSIONS / PAGE_SIZE * 2 / 3
        with pytest.raises(
            SettingsError, match=r"session_lifetime is too small: the session [0-9a-f-]{36} was refreshed"
        ):
            logins(kratos, last_login=days, session_lifetime=5, page_size=PAGE_SIZE)


def test_a_read_of_sessions_that_is_not_whole_makes_nobody_dormant() -> None:
    with running(lambda: KratosWithSessions(50, 150)) as kratos:
        ((bad,),) = kratos.rows("SELECT identity_id FROM sessions LIMIT 1")
        kratos.execute("UPDATE identities SET schema_id = 'gone' WHERE id = ?", bad)
        environment = {"TAP_ORY_BASE_URL": kratos.admin_url, "TAP_ORY_LAST_LOGIN": "true"}
        done = run_tap("--select", "users", environment=environment)
    assert done.code == 1
    assert {message["type"] for message in done.messages} <= {"SCHEMA", "STATE"}
    (error,) = done.logged("ERROR")
    assert "nobody's last_login is certain" in error
