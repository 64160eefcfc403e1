"""What goes wrong with a page, for each family of pages that is followed one by one: every row once, or a line."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import pytest

import ory_reader
from ory_reader.errors import TapOryError
from ory_reader.http import client
from ory_sandbox import Sandbox
from ory_sandbox.answers import plain_not_found
from ory_sandbox.console import PROJECT_ID
from ory_sandbox.holdings import Holdings, holdings_of
from tests.command import KEY, run_tap
from tests.faults.sandbox import FaultySandbox

if TYPE_CHECKING:
    from ory_sandbox.http import Request, Response

CLIENT, ISSUER = holdings_of([], 1).clients[0], holdings_of([], 1).issuers[0]
PEOPLE = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(40)]
HELD = Holdings(
    clients=[{**CLIENT, "client_id": each, "client_name": "Ünïcode <name>"} for each in PEOPLE],
    issuers=[{**ISSUER, "id": each} for each in PEOPLE],
    tuples=holdings_of(PEOPLE, 1, tuples=40).tuples,
    organizations=[{"id": each, "label": each, "domains": [], "created_at": "2026-01-01T00:00:00Z"} for each in PEOPLE],
)


@dataclass(frozen=True)
class Family:
    """One family: a server that has it, and a list there."""

    stream: str
    manner: str
    on: str

    def __str__(self) -> str:
        return f"{self.stream}-{self.manner}"

    def settings(self, sandbox: Sandbox) -> dict[str, Any]:
        console = {"console_url": sandbox.url, "console_token": "ory_wak_x", "project_id": PROJECT_ID}
        return {
            "base_url": "http://127.0.0.1:1",
            "oauth2_url": sandbox.oauth2_url,
            "oauth2_token": KEY,
            "permissions_url": sandbox.permissions_url,
            "permissions_token": KEY,
            "page_size": 7,
            **(console if self.on == "organizations" else {}),
        }


FAMILIES = [
    Family("oauth2_clients", "v1.3", "clients"),
    Family("oauth2_clients", "network", "clients"),
    Family("trust_issuers", "network", "issuers"),
    Family("relation_tuples", "v1.3", "tuples"),
    Family("relation_tuples", "network", "tuples"),
    Family("organizations", "network", "organizations"),
]
#: What a read gets over.
PASSING: dict[str, dict[str, Any]] = {
    "the connection is reset": {"do": "reset"},
    "the answer is cut": {"do": "cut"},
    "two answers are cut": {"do": "cut", "times": 2},
    "503 twice": {"do": "status", "status": 503, "times": 2},
    "500 once": {"do": "status", "status": 500},
    "429 with a wait of nothing": {"do": "status", "status": 429, "retry_after": 0},
    "half of a gzip": {"do": "zipped", "keep": 0.5},
    "a gzip": {"do": "zipped"},
    "printed prettily": {"do": "pretty"},
    "a byte order mark": {"do": "byte-order-mark"},
    "another type of content": {"do": "content-type", "value": "text/plain"},
}
#: What ends it, with a line.
LASTING: dict[str, dict[str, Any]] = {
    "the server disappears": {"do": "outage"},
    "the list disappears": {"do": "status", "status": 404, "times": None},
    "the key is refused": {"do": "status", "status": 401, "times": None},
    "it is always 500": {"do": "status", "status": 500, "times": None},
    "a page of a proxy": {"do": "body", "text": "<html>Sign in</html>", "times": None},
    "another object": {"do": "body", "text": '{"error":{}}', "times": None},
    "rows that are none": {"do": "body", "text": "[1,2]", "times": None},
}


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_jitter", lambda _: 0.0)


@pytest.fixture(params=FAMILIES, ids=str)
def family(request: pytest.FixtureRequest) -> Family:
    each: Family = request.param
    return each


def faulty_sandbox(family: Family, fault: dict[str, Any]) -> FaultySandbox:
    return FaultySandbox([], manner=family.manner, holdings=HELD, faults=[{**fault, "on": family.on}])


def read(family: Family, sandbox: Sandbox, between: Any = None) -> tuple[list[str], bool]:
    """The rows that came, by what tells them apart, and whether the read says that these are all.

    Raises:
        TapOryError: what ended it, with the rows before in its notes.
    """
    project = ory_reader.settings(**family.settings(sandbox))
    records = ory_reader.decoder(family.stream, project)
    found: list[str] = []
    with ory_reader.open_read(project, stream=family.stream) as reading:
        try:
            for page in reading.pages():
                found += map(told, records(page))
                if between:
                    between()
        except TapOryError:
            assert not reading.whole
            assert {*found} <= wanted(family)
            assert len(found) == len({*found})
            raise
        return found, reading.whole


def told(record: dict[str, Any]) -> str:
    key = record.get("client_id") or record.get("id")
    return key or json.dumps([record[name] for name in ("namespace", "object", "relation", "subject")])


def wanted(family: Family) -> set[str]:
    with Sandbox([], manner=family.manner, holdings=HELD) as sandbox:
        found, whole = read_plainly(family, sandbox)
    assert whole
    return {*found}


def read_plainly(family: Family, sandbox: Sandbox) -> tuple[list[str], bool]:
    project = ory_reader.settings(**{**family.settings(sandbox), "page_size": 500})
    records = ory_reader.decoder(family.stream, project)
    with ory_reader.open_read(project, stream=family.stream) as reading:
        return [told(record) for page in reading.pages() for record in records(page)], reading.whole


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("at", [1, 3])
def test_what_passes_costs_no_row(family: Family, fault: str, at: int) -> None:
    with FaultySandbox(
        [], manner=family.manner, holdings=HELD, faults=[{**PASSING[fault], "on": family.on, "at": at}]
    ) as faulty:
        found, whole = read(family, faulty)
    assert whole
    assert len(found) == len({*found})
    assert {*found} == wanted(family)
    assert len(found) >= 38


@pytest.mark.parametrize("fault", LASTING)
@pytest.mark.parametrize("at", [1, 3])
def test_what_lasts_ends_the_read_with_a_line(family: Family, fault: str, at: int) -> None:
    with (
        FaultySandbox(
            [], manner=family.manner, holdings=HELD, faults=[{**LASTING[fault], "on": family.on, "at": at}]
        ) as faulty,
        pytest.raises(TapOryError),
    ):
        read(family, faulty)


class Forgetful(Sandbox):
    """A server that ignores page tokens, or a proxy before it that takes the query away."""

    def _answer(self, role: str, request: Request) -> Response:
        if self.requests.count > 20:
            return plain_not_found()
        path, _, query = request.target.partition("?")
        kept = [(name, value) for name, value in parse_qsl(query) if name != "page_token"]
        return super()._answer(role, replace(request, target=f"{path}?{urlencode(kept)}"))


def test_a_server_that_ignores_tokens_does_not_loop(family: Family) -> None:
    with Forgetful([], manner=family.manner, holdings=HELD) as sandbox:
        with pytest.raises(TapOryError, match="leads back to a page already read"):
            read(family, sandbox)
        assert sandbox.requests.count < 6


@pytest.mark.parametrize("family", [each for each in FAMILIES if each.manner == "network"], ids=str)
def test_a_token_that_expires_in_mid_read_ends_it_with_a_line(family: Family) -> None:
    with Sandbox([], manner=family.manner, holdings=HELD) as sandbox:
        with pytest.raises(TapOryError) as ended:
            read(family, sandbox, between=sandbox.expire_page_tokens)
        count = sandbox.requests.count
    # It is not tried again and again.
    assert count < 10
    assert "answered 400 Bad Request" in str(ended.value)
    assert "Run it again: it begins anew." in str(ended.value)


@pytest.mark.parametrize("family", [FAMILIES[0], FAMILIES[3]], ids=str)
def test_the_command_activates_nothing_and_the_state_says_whether_a_run_goes_on(family: Family) -> None:
    with faulty_sandbox(family, {"do": "status", "status": 404, "at": 4, "times": None}) as faulty:
        environment = {f"TAP_ORY_{name.upper()}": str(value) for name, value in family.settings(faulty).items()}
        run = run_tap("--select", family.stream, environment=environment)
    assert run.code == 1
    assert len([message for message in run.messages if message["type"] == "RECORD"]) == 21
    assert not [message for message in run.messages if message["type"] == "ACTIVATE_VERSION"]
    state = [message["value"] for message in run.messages if message["type"] == "STATE"][-1]["bookmarks"][family.stream]
    # Plain tokens last, numbers of rows shift.
    assert ("snapshot" in state) is (family.stream == "relation_tuples")
