"""A prepared request says the same as one that `requests` prepares for itself, and cookies are not lost by it."""

from typing import Any

import pytest
import requests

from ory_reader.config.settings import Settings
from ory_reader.http.session import Session
from tests.scripted import LAST_PAGE, ScriptedServer, reply

QUERIES: list[dict[str, Any]] = [
    {},
    {"page_size": 500},
    {"page_size": 500, "page_token": "a b+c/d=%&é~-_.\u2028"},
    {"include_credential": ["totp", "web authn"], "page_size": 1},
]


def settings(url: str, **config: object) -> Settings:
    return Settings.from_config({"base_url": url, **config}, "1")


@pytest.mark.parametrize("path", ["/admin/identities", "/a%20b c/admin/identities", "/ü/admin"])
def test_a_request_is_what_requests_itself_sends(path: str) -> None:
    with ScriptedServer(lambda asked, number: reply(200, b"[]", Link=LAST_PAGE)) as server:
        session = Session(settings(server.url, api_token="ory_pat_x", http_headers={"X-Api-Key": "k", "Cookie": "c=1"}))
        url = server.url.rstrip("/") + path
        for query in QUERIES:
            with session.ask(url, query) as ours:
                ours.content  # noqa: B018 - read to its end
            session.get(url, params=query, allow_redirects=False).close()
    pairs = list(zip(server.asked[::2], server.asked[1::2], strict=True))
    assert len(pairs) == len(QUERIES)
    assert all(ours == theirs for ours, theirs in pairs)


def test_a_cookie_that_a_gateway_sets_is_sent_back() -> None:
    def replies(asked: Any, number: int) -> Any:
        return reply(200, b"[]", Link=LAST_PAGE, **{"Set-Cookie": f"sticky={number}; Path=/"})

    with ScriptedServer(replies) as server:
        session = Session(settings(server.url))
        for _ in range(3):
            session.ask(server.url, {"page_size": 1}).close()
    assert [asked.headers.get("cookie") for asked in server.asked] == [None, "sticky=0", "sticky=1"]


def test_no_redirect_is_followed() -> None:
    with ScriptedServer(lambda asked, number: reply(302, b"", Location="http://[")) as server:
        with Session(settings(server.url)).ask(server.url, {}) as answer:
            assert answer.status_code == requests.codes.found
        assert len(server.asked) == 1
