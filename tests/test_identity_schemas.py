"""/schemas: where it is asked for, what goes with the request, where it ends, and that it never stops anything."""

import gzip
import json
import logging
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ory_sandbox import Sandbox
from tap_ory import identity_schemas
from tap_ory.identity_schemas import read_identity_schemas
from tap_ory.pacing import Governor
from tap_ory.settings import Settings
from tests.scripted import Asked, Pieces, ScriptedServer, always, head, reply

KEY = "ory_pat_of-these-tests"


def settings(base_url: str, **config: Any) -> Settings:
    return Settings.from_config({"base_url": base_url, "api_token": KEY, **config}, "1")


def listed(*names: str) -> bytes:
    return json.dumps([{"id": name, "schema": {"title": name}} for name in names]).encode()


def asked_page(request: Asked) -> int:
    return int(parse_qs(urlsplit(request.target).query)["page"][0])


def keys(server: ScriptedServer) -> list[str | None]:
    return [request.headers.get("authorization") for request in server.asked]


@pytest.mark.parametrize("manner", ["v1.0", "v1.3", "network"])
def test_schemas_of_each_manner_are_read(manner: str) -> None:
    key = KEY if manner == "network" else None
    with Sandbox(0, manner=manner, api_token=key) as sandbox:
        found = read_identity_schemas(settings(sandbox.url))
        assert found is not None
        assert set(found) == {"person", "staff", "customer", "preset://basic"}
        assert found["person"]["properties"]["traits"]["type"] == "object"
        told = [seen.headers.get("authorization") for seen in sandbox.requests.log if seen.role == "public"]
    # In the network's manner there is one host for both; elsewhere the key stays at the admin port.
    assert manner == "network" or told == [None]


def test_a_redirect_is_followed_without_the_key() -> None:
    with always(*reply(body=listed("a"), X_Total_Count="1")) as public:
        redirect = reply(307, b"", Location=f"{public.url}schemas?token=x#y")
        with always(*redirect) as admin:
            assert read_identity_schemas(settings(admin.url)) == {"a": {"title": "a"}}
    assert keys(admin) == [f"Bearer {KEY}"]
    assert keys(public) == [None]
    assert [request.target for request in public.asked] == ["/schemas?page=0&per_page=250"]


def test_a_redirect_to_another_scheme_or_port_of_the_host_gets_no_key() -> None:
    assert identity_schemas._origin("http://h/x") == ("http", "h", 80)
    assert identity_schemas._origin("https://h/x") != identity_schemas._origin("http://h/x")
    assert identity_schemas._origin("https://h/x") == identity_schemas._origin("https://h:443/y")


def test_public_url_overrides_and_gets_no_key() -> None:
    with always(*reply(body=listed("a"), X_Total_Count="1")) as public, always(*reply(500)) as admin:
        found = read_identity_schemas(settings(admin.url, public_url=f"{public.url}kratos/"))
    assert found == {"a": {"title": "a"}}
    assert admin.asked == []
    assert keys(public) == [None]
    assert public.asked[0].target.startswith("/kratos/schemas?")


def test_no_password_of_a_netrc_is_sent(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password x-secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with always(*reply(body=listed())) as server:
        read_identity_schemas(settings(server.url, api_token=None))
    assert keys(server) == [None]


def test_pages_end_at_an_empty_one_at_null_or_where_nothing_is_new() -> None:
    pages = {0: listed("a", "b"), 1: listed("b", "c")}
    for end in (b"[]", b"null", listed("a", "c")):

        def replies(request: Asked, _: int, end: bytes = end) -> Pieces:
            return reply(body=pages.get(asked_page(request), end))

        with ScriptedServer(replies) as server:
            assert set(read_identity_schemas(settings(server.url)) or ()) == {"a", "b", "c"}
        assert [asked_page(request) for request in server.asked] == [0, 1, 2]


def test_a_total_saves_the_request_for_the_empty_page() -> None:
    with always(*reply(body=listed("a", "b"), X_Total_Count="2")) as server:
        assert len(read_identity_schemas(settings(server.url)) or ()) == 2
    assert len(server.asked) == 1


def test_pages_without_end_are_bounded() -> None:
    with ScriptedServer(lambda request, number: reply(body=listed(str(number)))) as server:
        found = read_identity_schemas(settings(server.url))
    assert found is not None
    assert len(found) == len(server.asked) == identity_schemas.MAX_PAGES


def test_odd_entries_are_left_out() -> None:
    body = json.dumps(
        [7, None, {"id": 7, "schema": {}}, {"id": "a"}, {"id": "b", "schema": []}, {"id": "c", "schema": {}}]
    )
    with always(*reply(body=body.encode(), X_Total_Count="6")) as server:
        assert read_identity_schemas(settings(server.url)) == {"c": {}}


FAILURES: dict[str, tuple[list[bytes], str]] = {
    "not found": (reply(404, b"404 page not found"), "answered 404"),
    "refused": (reply(401, b"{}"), "answered 401"),
    "broken": (reply(500, b"{}"), "answered 500"),
    "html": (reply(body=b"<html>", content_type="text/html"), "answered something else than a list of schemas"),
    "an object": (reply(body=b'{"error":{}}'), "answered something else"),
    "no json": (reply(body=b"[{"), "answered something else"),
    "no utf-8": (reply(body=b'["\xff"]'), "answered something else"),
    "nested without end": (reply(body=b"[" * 100_000 + b"]" * 100_000), "answered something else"),
    "cut short": ([head(200, Content_Length="100"), b'[{"id":'], "answered something else"),
    "a loop": (reply(307, b"", Location="/schemas"), "answered 307"),
    "no address": (reply(307, b"", Location="ftp://x/"), "redirects to no web address"),
    "a bad port": (reply(307, b"", Location="http://x:99999999/"), "no answer"),
    "nowhere": (reply(307, b"", Location="http://127.0.0.1:9/"), "no answer (ConnectionError)"),
    "no http": ([b"nonsense\r\n\r\n"], "no answer"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_whatever_fails_is_one_warning(failure: str, caplog: pytest.LogCaptureFixture) -> None:
    pieces, reason = FAILURES[failure]
    with always(*pieces) as server:
        assert read_identity_schemas(settings(server.url)) is None
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert reason in record.getMessage()
    assert "set public_url" in record.getMessage()
    assert KEY not in caplog.text
    # One try each, but for a loop of redirects.
    assert len(server.asked) <= identity_schemas.MAX_REDIRECTS + 1


def test_a_rate_limit_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    def replies(_: Asked, number: int) -> Pieces:
        return reply(429, b"{}", Retry_After="0") if number < 2 else reply(body=listed("a"), X_Total_Count="1")

    with ScriptedServer(replies) as server:
        assert read_identity_schemas(settings(server.url)) == {"a": {"title": "a"}}
    assert len(server.asked) == 3
    assert not caplog.records


@pytest.mark.parametrize(("wait", "tries"), [("0", identity_schemas.MAX_REDIRECTS + 1), ("16", 1)])
def test_a_rate_limit_that_goes_on_is_not(wait: str, tries: int, caplog: pytest.LogCaptureFixture) -> None:
    with always(*reply(429, b"{}", Retry_After=wait)) as server:
        assert read_identity_schemas(settings(server.url)) is None
    assert len(server.asked) == tries
    assert "answered 429" in caplog.text


def test_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    assert read_identity_schemas(settings("http://127.0.0.1:9")) is None
    assert "no answer (ConnectionError)" in caplog.text


def test_a_server_that_stalls_is_left_soon(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity_schemas, "TIMEOUT", 0.1)
    with ScriptedServer(lambda _request, _number: server.stall()) as server:
        assert read_identity_schemas(settings(server.url)) is None
    assert "no answer (ReadTimeout)" in caplog.text


@pytest.mark.parametrize(("limit", "value"), [("MAX_BYTES", 1000), ("MAX_SECONDS", -1)])
def test_an_answer_without_end_is_left(
    limit: str, value: float, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity_schemas, limit, value)
    with always(*reply(body=listed(*map(str, range(100))))) as server:
        assert read_identity_schemas(settings(server.url)) is None
    assert "has no end" in caplog.text


def test_a_packed_answer_is_unpacked_within_bounds(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity_schemas, "MAX_BYTES", 4 << 20)
    with always(*reply(body=gzip.compress(listed("a")), X_Total_Count="1", Content_Encoding="gzip")) as server:
        assert read_identity_schemas(settings(server.url)) == {"a": {"title": "a"}}
    assert {asked.headers["accept-encoding"] for asked in server.asked} == {"gzip"}
    bomb = gzip.compress(b"[") + gzip.compress(b" " * (1 << 20)) * 2000
    with always(*reply(body=bomb, Content_Encoding="gzip")) as server:
        assert read_identity_schemas(settings(server.url)) is None
    assert "has no end" in caplog.text


def test_what_a_redirect_names_is_not_repeated(caplog: pytest.LogCaptureFixture) -> None:
    with always(*reply(307, b"", Location="http://127.0.0.1:9/x-secret/?x-secret")) as server:
        read_identity_schemas(settings(server.url))
    with always(*reply(404)) as public, always(*reply(307, b"", Location=f"{public.url}x-secret")) as server:
        read_identity_schemas(settings(server.url))
    assert "answered 404" in caplog.text
    assert "x-secret" not in caplog.text


def test_what_is_asked_of_the_api_itself_counts_against_its_rate_limit() -> None:
    governor = Governor()
    with Sandbox(1, manner="network", rate_limit="5;w=1,300;w=60") as sandbox:
        assert read_identity_schemas(settings(sandbox.url), governor)
        assert sandbox.requests.count == 1
    assert [len(window.finished) for window in governor._windows] == [1, 1]
