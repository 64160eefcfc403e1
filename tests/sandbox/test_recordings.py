"""The sandbox with the recorded identities answers every recorded request as the real server did, to the byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ory_sandbox import Sandbox
from tests.sandbox import recordings
from tests.sandbox.client import fetch

if TYPE_CHECKING:
    from collections.abc import Iterator

# Ory Network has one host for both roles, so nothing to redirect between.
_OF_TWO_PORTS = {("network", "public-port"), ("network", "schemas-on-admin-port")}
_PUBLIC = {"public-port", "schemas"}


@pytest.fixture(scope="module", params=recordings.MANNERS)
def manner(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def sandbox(manner: str) -> Iterator[Sandbox]:
    with Sandbox(recordings.identities(manner), manner=manner, schemas=recordings.schemas(manner)) as running:
        yield running


def _check(sandbox: Sandbox, manner: str, name: str) -> None:
    recorded = recordings.load(manner, name, sandbox.url, sandbox.public_url)
    url = sandbox.public_url if name in _PUBLIC else sandbox.url
    answer = fetch(url, recorded.target, method=recorded.method, token="ory_pat_x")
    headers = [(key, value) for key, value in answer.headers if key != "Date" and not key.startswith("x-ratelimit-")]
    assert (answer.status, answer.reason) == (recorded.status, recorded.reason)
    assert headers == recorded.headers
    assert answer.body.rstrip(b"\n") == recorded.body.rstrip(b"\n")


@pytest.mark.parametrize(
    ("manner", "name"),
    [
        (manner, name)
        for manner in recordings.MANNERS
        for name in sorted({*recordings.names("v1.0")} - {"one-bad-row"})
        if (manner, name) not in _OF_TWO_PORTS
    ],
    indirect=["manner"],
)
def test_answers_as_recorded(sandbox: Sandbox, manner: str, name: str) -> None:
    _check(sandbox, manner, name)


def test_one_bad_row_makes_the_page_fail_as_recorded(manner: str) -> None:
    with Sandbox(recordings.identities(manner), manner=manner, schemas=recordings.schemas(manner)) as sandbox:
        sandbox.make_unreadable(sandbox.put({}))
        _check(sandbox, manner, "one-bad-row")


def test_every_recording_is_checked() -> None:
    assert {*recordings.names("v1.0")} == {*recordings.names("v1.3")} == {*recordings.names("network")}
