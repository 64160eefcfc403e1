"""When people last signed in: what is kept of sessions, how their times are read, what a bounded read leaves out."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from typing import Any

import pytest

import ory_reader
from ory_reader.config.settings import Settings
from ory_reader.errors import AnswerError, SettingsError
from ory_reader.project import Project
from ory_reader.streams import STREAMS
from ory_reader.users.last_logins import LastLogins, nanoseconds
from ory_sandbox import Sandbox
from tests.scripted import LAST_PAGE, always, reply

SECOND = 1_000_000_000
A, B = "0189a6e0-0000-4000-8000-00000000000a", "0189a6e0-0000-4000-8000-00000000000b"


def test_the_newest_wins_in_whatever_order_they_come() -> None:
    for first, second in ((1, 2), (2, 1)):
        logins = LastLogins()
        logins.add(A, first * SECOND, f"aal{first}")
        logins.flush()
        logins.add(A, second * SECOND, f"aal{second}")
        logins.add("no-uuid", 5, None)
        logins.flush()
        assert logins.of([B, A, "no-uuid"]) == [
            None,
            ("1970-01-01T00:00:02Z", "aal2"),
            ("1970-01-01T00:00:00.000000005Z", None),
        ]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-11-25T13:42:08.69885825Z", "2026-11-25 13:42:08.698858250+00:00"),
        ("2026-11-25T13:42:08Z", "2026-11-25T14:42:08+01:00"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T18:59:59.500-05:00"),
    ],
)
def test_times_of_any_zone_are_the_same_moment(text: str, same: str) -> None:
    seconds = datetime.fromisoformat(text[:19] + "+00:00").timestamp()
    fraction = int(f"{text[20:-1]:0<9}" or 0)
    assert nanoseconds(text) == nanoseconds(same) == int(seconds) * SECOND + fraction


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "2026-11-25T13:42:08"])
def test_what_is_no_time_ends_the_read(text: str) -> None:
    with pytest.raises(AnswerError, match="a time that is none"):
        nanoseconds(text)


def test_a_server_that_does_not_tell_whose_sessions_are_ends_the_read() -> None:
    row = {"id": A, "issued_at": "2026-11-25T13:42:08Z", "authenticated_at": "2026-11-25T13:42:08Z", "identity": None}
    with always(*reply(200, json.dumps([row]).encode(), Link=LAST_PAGE)) as server:
        project = ory_reader.settings(base_url=server.url, identity_schemas=False, last_login=True)
        with pytest.raises(AnswerError, match="does not tell whose the sessions are"):
            ory_reader.decoder("users", project)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        *((each, True) for each in (True, "true", " YES ", "on")),
        *((each, False) for each in (False, None, "", "off", "false", 0, "0", "no")),
        *((each, 90) for each in (90, "90", " 090 ")),
        *((each, 1) for each in (1, "1")),
    ],
)
def test_the_setting_is_all_none_or_a_number_of_days(given: Any, meant: bool | int) -> None:  # noqa: FBT001
    found = ory_reader.settings(base_url="http://127.0.0.1:1", last_login=given).last_login
    assert found == meant
    assert type(found) is type(meant)


@pytest.mark.parametrize("given", ["banana", -1, "-1", "1.5", 36_501, "99999", "1e3"])
def test_anything_else_is_refused(given: Any) -> None:
    with pytest.raises(SettingsError, match="last_login is neither true nor false nor a number of days"):
        ory_reader.settings(base_url="http://127.0.0.1:1", last_login=given)


def test_without_the_setting_there_are_no_such_fields() -> None:
    with Sandbox(3) as sandbox:
        for value, there in ((False, False), (True, True), (30, True)):
            project = ory_reader.settings(base_url=sandbox.url, last_login=value)
            fields = ory_reader.plan(project).schema("users")["properties"]
            assert ("last_login" in fields) is ("last_aal" in fields) is there


def test_nobody_who_wants_no_last_login_asks_for_sessions() -> None:
    with Sandbox(3) as sandbox:
        project = ory_reader.settings(base_url=sandbox.url, last_login=True)
        ory_reader.decoder("users", project, fields=["email"])
        assert not [seen for seen in sandbox.requests.log if "sessions" in seen.target]


def test_a_sign_in_is_a_change_of_the_user() -> None:
    with Sandbox(30) as sandbox:
        newest = max(session["authenticated_at"] for session in sandbox.holdings.sessions)
        who = {each["identity_id"] for each in sandbox.holdings.sessions if each["authenticated_at"] >= newest}
        settings = Settings.from_config({"base_url": sandbox.url, "last_login": True, "lookback_seconds": 0}, "1")
        project = Project(settings)
        stream = STREAMS["users"]
        state = {"replication_key_value": newest}
        mask = defaultdict[tuple[str, ...], bool](lambda: True)
        schema = stream.schema({}, settings.adds)
        decoder = stream.decoder(project, schema, mask, state, changes_only=True)
        found = {
            user["id"]: user for page in stream.read(project).pages() for user in decoder.dicts(decoder.rows(page.body))
        }
    created = {identity for identity in found if found[identity]["updated_at"] >= newest}
    assert who <= set(found)
    assert set(found) == who | created
