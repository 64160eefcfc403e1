"""Every session of a real Kratos exactly once, whatever the page size, as its own database has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import ory_reader
from tests.command import run_tap
from tests.real.running import running
from tests.real.sessions import ADDRESSES, TOGETHER, KratosWithSessions, truth

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE, SESSIONS, FEW = 5_000, 20_000, 150


@pytest.fixture(scope="module")
def kratos() -> Iterator[KratosWithSessions]:
    with running(lambda: KratosWithSessions(PEOPLE, SESSIONS)) as server:
        yield server


@pytest.fixture(scope="module")
def small_kratos() -> Iterator[KratosWithSessions]:
    with running(lambda: KratosWithSessions(50, FEW)) as server:
        yield server


def read(kratos: KratosWithSessions, **config: Any) -> list[dict[str, Any]]:
    project = ory_reader.settings(base_url=kratos.admin_url, **config)
    records = ory_reader.decoder("sessions", project)
    with ory_reader.open_read(project, stream="sessions") as reading:
        found = [record for page in reading.pages() for record in records(page)]
    assert reading.whole
    return found


def test_many_were_made_within_the_same_microseconds(kratos: KratosWithSessions) -> None:
    most = "SELECT count(*) FROM sessions GROUP BY substr(created_at, 1, 25) ORDER BY 1 DESC LIMIT 1"
    assert kratos.rows(most)[0][0] >= TOGETHER


@pytest.mark.parametrize("size", [7, 100, 500, 1000])
def test_every_session_comes_once(kratos: KratosWithSessions, size: int) -> None:
    found, expected = read(kratos, page_size=size), truth(kratos)
    assert len(found) == len(expected) == SESSIONS
    assert {record["id"]: record for record in found} == expected


def test_every_session_comes_once_in_pages_of_one(small_kratos: KratosWithSessions) -> None:
    found = read(small_kratos, page_size=1)
    assert len(found) == FEW
    assert {record["id"]: record for record in found} == truth(small_kratos)


def test_devices_come_if_they_are_asked_for_and_without_their_ports(small_kratos: KratosWithSessions) -> None:
    stored = dict(small_kratos.rows("SELECT session_id, ip_address FROM session_devices"))
    found = {record["id"]: record["devices"] for record in read(small_kratos, session_devices=True)}
    shown = {each: [device["ip_address"] for device in devices] for each, devices in found.items() if devices}
    assert shown == {session: [ADDRESSES[address]] for session, address in stored.items()}
    assert shown
    assert all("devices" not in record for record in read(small_kratos))


@pytest.mark.parametrize("size", [3, 500])
def test_sessions_of_an_identity_that_cannot_be_read_are_stepped_over_and_named(size: int) -> None:
    with running(lambda: KratosWithSessions(50, FEW)) as kratos:
        # Of the newest session, and of one among those of the same microseconds.
        newest = [row[0] for row in kratos.rows("SELECT identity_id FROM sessions ORDER BY created_at DESC, id ASC")]
        bad = [newest[0], newest[FEW // 2 + 20]]
        for each in bad:
            kratos.execute("UPDATE identities SET schema_id = 'gone' WHERE id = ?", each)
        environment = {"TAP_ORY_BASE_URL": kratos.admin_url, "TAP_ORY_PAGE_SIZE": str(size)}
        done = run_tap("--select", "sessions", environment=environment)
        everything = truth(kratos)
    lost = {session["id"] for session in everything.values() if session["identity_id"] in bad}
    found = [message["record"] for message in done.messages if message["type"] == "RECORD"]
    assert len(found) == FEW - len(lost)
    assert {record["id"]: record for record in found} == {key: everything[key] for key in {*everything} - lost}
    assert done.code == 1
    assert not [message for message in done.messages if message["type"] == "ACTIVATE_VERSION"]
    named = [
        line.split()[3].rstrip(".") for line in done.logged("WARNING") if line.startswith("Not delivered: session")
    ]
    assert sorted(named) == sorted(lost)
    (error,) = done.logged("ERROR")
    assert f"The server cannot read {len(lost)} stretch(es) of sessions" in error
