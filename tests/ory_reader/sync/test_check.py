"""`--check`: one line of what is there, by two cheap requests, or the sentence that says what is wrong."""

from typing import Any

import pytest

from ory_reader.config.settings import Settings
from ory_reader.errors import AccessError, AnswerError
from ory_reader.http.client import OryClient
from ory_reader.sync.check import check
from ory_sandbox import Sandbox
from tests.command import KEY
from tests.scripted import ScriptedServer, always, reply
from tests.servers import Server


def told(url: str, **config: Any) -> str:
    return check(OryClient(Settings.from_config({"base_url": url, "api_token": KEY, **config}, "1")))


def test_every_kind_of_server_tells_its_number_of_identities(server: Server) -> None:
    line = told(server.admin_url, api_token=server.api_token, project_slug="clever-hare")
    assert line.startswith(f"Connected to {server.admin_url.rstrip('/')}, project clever-hare, ")
    assert "1,050 identities" in line
    assert "\n" not in line
    assert ("rate limits" in line.replace("no rate limits", "")) is (server.kind.manner == "network")


def test_an_empty_project_is_connected_too(empty_server: Server) -> None:
    assert ", 0 identities, " in told(empty_server.admin_url, api_token=empty_server.api_token)


def test_two_cheap_requests() -> None:
    with Sandbox(2000, manner="network", rate_limit="5;w=1,300;w=60") as sandbox:
        line = told(sandbox.url)
        assert line.endswith("2,000 identities, rate limits 5, 5;w=1, 300;w=60")
        assert [seen.target for seen in sandbox.requests.log] == [
            "/admin/identities?page=0&per_page=1",
            "/admin/version",
        ]


def test_the_wrong_key_is_told() -> None:
    with Sandbox(1, manner="network", api_token="ory_pat_another") as sandbox:
        with pytest.raises(AccessError, match=r"401 Unauthorized \(Access credentials are invalid\). Check api_token"):
            told(sandbox.url)
        assert sandbox.requests.count == 1


def test_a_list_of_something_else_is_no_connection() -> None:
    with always(*reply(200, b'[{"name":"a"}]')) as server, pytest.raises(AnswerError, match="not a list of identities"):
        told(server.url)


@pytest.mark.parametrize(
    ("version", "shown"),
    [
        (reply(200, b'{"version":"v1.3.1"}'), ", server version v1.3.1, "),
        (reply(200, b'{"version":"v26.2.0+a-b"}'), ", server version v26.2.0+a-b, "),
        (reply(200, b'{"version":"two words"}'), ""),
        (reply(200, b'{"version":17}'), ""),
        (reply(200, b"[]"), ""),
        (reply(200, b"<html>", "text/html"), ""),
        (reply(404, b"404 page not found", "text/plain"), ""),
        (reply(500, b"{}"), ""),
        ([b""], ""),
    ],
)
def test_a_server_that_tells_no_version_is_connected(version: list[bytes], shown: str) -> None:
    page = reply(200, b'[{"id":"a"}]', X_Total_Count="1")
    with ScriptedServer(lambda asked, number: page if "identities" in asked.target else version) as server:
        line = told(server.url)
    assert shown in line
    assert ("version" in line) is bool(shown)
    assert line.endswith("1 identities, no rate limits seen")
    # The version is not worth a second try.
    assert len(server.asked) == 2


@pytest.mark.parametrize("total", ["", "many", "-1", "1" * 30])
def test_a_number_that_is_not_told(total: str) -> None:
    with always(*reply(200, b"[]", X_Total_Count=total)) as server:
        assert "number of identities not told" in told(server.url)


def test_what_is_shown_of_rate_limits_is_only_that() -> None:
    with always(*reply(200, b"[]", x_ratelimit_limit=f"5, 5;w=1;{KEY}\x1b[31m")) as server:
        line = told(server.url)
    assert KEY not in line
    assert "\x1b" not in line
