"""Organizations from the console, or without its key from identities; each key goes to its own server only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

import ory_reader
from ory_reader.config.settings import Settings
from ory_reader.errors import AccessError, SettingsError
from ory_reader.records.membership_decoder import MembershipDecoder
from ory_reader.records.projection import WHOLE, Projection
from ory_sandbox import Sandbox
from ory_sandbox.console import PROJECT_ID
from ory_sandbox.holdings import Holdings
from tests.command import KEY, run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKSPACE_KEY = "ory_wak_Never/Seen+1"
ORGANIZATIONS: list[dict[str, Any]] = [
    {"id": f"{number:08x}-0000-4000-8000-000000000000", "label": f"Customer {number}", "domains": ["a.example"]}
    for number in range(7)
]


@pytest.fixture(scope="module")
def network() -> Iterator[Sandbox]:
    with Sandbox(400, manner="network") as sandbox:
        yield sandbox


def read(stream: str = "organizations", **given: Any) -> list[dict[str, Any]]:
    project = ory_reader.settings(api_token=KEY, **given)
    records = ory_reader.decoder(stream, project)
    with ory_reader.open_read(project, stream=stream) as reading:
        found = [record for page in reading.pages() for record in records(page)]
    assert reading.whole
    return found


@pytest.mark.parametrize("size", [1, 3, 500])
def test_the_console_tells_all_there_is(size: int) -> None:
    with Sandbox([], manner="network", holdings=Holdings(organizations=ORGANIZATIONS)) as sandbox:
        console = {"console_url": sandbox.url, "console_token": WORKSPACE_KEY, "project_id": PROJECT_ID}
        assert read(base_url="http://127.0.0.1:1", page_size=size, **console) == ORGANIZATIONS
        assert {each.headers["authorization"] for each in sandbox.requests.log} == {f"Bearer {WORKSPACE_KEY}"}


def test_without_its_key_they_are_the_ids_on_identities(network: Sandbox) -> None:
    named = {each["organization_id"] for each in network.identities} - {None}
    for size in (7, 500):
        found = read(base_url=network.url, page_size=size)
        assert len(found) == len(named) == 2
        assert {record["id"] for record in found} == named
        assert all(set(record) == {"id"} for record in found)


def test_they_take_no_request_more_than_identities_alone(network: Sandbox) -> None:
    environment = {"TAP_ORY_BASE_URL": network.url, "TAP_ORY_API_TOKEN": KEY}
    asked = []
    for names in ("identities", "identities,users,organizations"):
        network.requests.log.clear()
        run = run_tap("--select", names, environment=environment)
        assert run.code == 0, run.stderr
        asked.append([each.target for each in network.requests.log if each.target.startswith("/admin/identities")])
    assert sorted(asked[0]) == sorted(asked[1])
    versions = {
        message["stream"]: message["version"] for message in run.messages if message["type"] == "ACTIVATE_VERSION"
    }
    assert len(versions) == 3
    assert len(set(versions.values())) == 1
    assert len([each for each in run.messages if each["type"] == "RECORD" and each["stream"] == "organizations"]) == 2


def test_a_refused_key_is_named(network: Sandbox) -> None:
    console = {"console_url": network.url, "console_token": KEY, "project_id": PROJECT_ID}
    with pytest.raises(AccessError, match="console_token") as refused:
        read(base_url=network.url, **console)
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"console_token": "ory_wak_x"}, "project_id"),
        ({"project_id": "a/../b"}, "project_id"),
        ({"console_url": "x"}, "console_url"),
    ],
)
def test_settings_that_cannot_be_right(given: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=f"^Setting {named}"):
        Settings.from_config({"base_url": "http://127.0.0.1:1", **given}, "1")


def test_ids_come_once_over_all_pages_whatever_else_an_identity_holds() -> None:
    decoder = MembershipDecoder(Projection(fields={"id": WHOLE}))
    pages = [
        b'[{"id":"1","organization_id":"b"},{"id":"2","organization_id":null},{"id":"3"},{"id":"4","organization_id":"a"}]',
        b'[{"id":"5","organization_id":"b","traits":{"name":"\\ud83d"}},{"id":"6","organization_id":"c"}]',
        b"[]",
    ]
    lines = [msgspec.json.Encoder().encode_lines(decoder.records(decoder.rows(page))) for page in pages]
    assert lines == [b'{"id":"a"}\n{"id":"b"}\n', b'{"id":"c"}\n', b""]
