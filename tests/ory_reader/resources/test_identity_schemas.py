"""/schemas: where it is asked for, what goes with the request, where it ends, and what its absence means."""

import gzip
import json
import logging
import time
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import backoff._sync
import pytest

from ory_reader.config.settings import Settings
from ory_reader.errors import AccessError, AnswerError, TapOryError, UnavailableError
from ory_reader.http.client import TRIES, TRIES_500, TRIES_FIRST_CONTACT, OryClient
from ory_reader.resources import identity_schemas
from ory_reader.resources.identity_schemas import IdentitySchemas, NoSchemasError, read_identity_schemas
from ory_sandbox import Sandbox
from tests.scripted import Asked, Pieces, ScriptedServer, always, head, reply

KEY = "ory_pat_of-these-tests"
ONE = b'[{"id":"a","schema":{"title":"a"}}]'


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff._sync, "time", SimpleNamespace(sleep=lambda _: None))


def api(base_url: str, **config: Any) -> OryClient:
    return OryClient(Settings.from_config({"base_url": base_url, "api_token": KEY, **config}, "1"))


def read(base_url: str, **config: Any) -> IdentitySchemas:
    return read_identity_schemas(api(base_url, **config))


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
        found = read(sandbox.url)
        assert set(found) == {"person", "staff", "customer", "preset://basic"}
        assert found["person"]["properties"]["traits"]["type"] == "object"
        told = [seen.headers.get("authorization") for seen in sandbox.requests.log if seen.role == "public"]
        asked = [seen.target for seen in sandbox.requests.log if seen.role == "admin"]
    assert asked == ["/admin/schemas?page=0&per_page=250"]
    # In the network's manner there is one host for both; elsewhere the key stays at the admin port.
    assert manner == "network" or told == [None]


def test_ory_network_is_asked_at_its_documented_address_alone() -> None:
    settings = api("https://slug.projects.oryapis.com/").settings
    assert identity_schemas._places(settings) == ["https://slug.projects.oryapis.com/schemas"]


def test_a_redirect_is_followed_without_the_key() -> None:
    with always(*reply(body=ONE, X_Total_Count="1")) as public:
        redirect = reply(307, b"", Location=f"{public.url}kratos/schemas?token=x#y")
        with always(*redirect) as admin:
            assert read(f"{admin.url}prefix") == {"a": {"title": "a"}}
    assert [request.target for request in admin.asked] == ["/prefix/admin/schemas?page=0&per_page=250"]
    assert keys(admin) == [f"Bearer {KEY}"]
    assert keys(public) == [None]
    assert [request.target for request in public.asked] == ["/kratos/schemas?page=0&per_page=250"]


def test_a_redirect_within_the_host_keeps_the_key() -> None:
    def replies(request: Asked, _: int) -> Pieces:
        if request.target.startswith("/elsewhere/schemas?"):
            return reply(body=ONE, X_Total_Count="1")
        return reply(301, b"", Location="/elsewhere/schemas/")

    with ScriptedServer(replies) as server:
        assert read(f"{server.url}prefix") == {"a": {"title": "a"}}
    assert keys(server) == [f"Bearer {KEY}"] * 2


def test_another_scheme_or_port_of_the_host_gets_no_key() -> None:
    origin = identity_schemas._origin
    assert origin("http://h/x") == ("http", "h", 80)
    assert origin("https://h/x") != origin("http://h/x")
    assert origin("https://h/x") == origin("https://h:443/y")
    assert origin("http://h:99999999/") is origin("http:///x") is None


def test_public_url_overrides_and_gets_no_key() -> None:
    with always(*reply(body=ONE, X_Total_Count="1")) as public, always(*reply(500)) as admin:
        found = read(admin.url, public_url=f"{public.url}kratos/")
    assert found == {"a": {"title": "a"}}
    assert admin.asked == []
    assert keys(public) == [None]
    assert public.asked[0].target.startswith("/kratos/schemas?")


def test_no_password_of_a_netrc_is_sent(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password x-secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with always(*reply(body=ONE, X_Total_Count="1")) as server:
        read(server.url, api_token=None)
    assert keys(server) == [None]


# Pages


def test_pages_end_at_an_empty_one_at_null_or_where_nothing_is_new() -> None:
    pages = {0: listed("a", "b"), 1: listed("b", "c")}
    for end in (b"[]", b"null", listed("a", "c")):

        def replies(request: Asked, _: int, end: bytes = end) -> Pieces:
            return reply(body=pages.get(asked_page(request), end))

        with ScriptedServer(replies) as server:
            assert set(read(server.url)) == {"a", "b", "c"}
        assert [asked_page(request) for request in server.asked] == [0, 1, 2]


def test_a_total_saves_the_request_for_the_empty_page() -> None:
    with always(*reply(body=listed("a", "b"), X_Total_Count="2")) as server:
        assert len(read(server.url)) == 2
    with always(*reply(body=listed("a", "a"), X_Total_Count="2")) as doubled:
        assert len(read(doubled.url)) == 1
    assert len(server.asked) == len(doubled.asked) == 1


@pytest.mark.parametrize("end", [b"[]", b"null", None])
def test_a_list_with_fewer_than_its_total_is_no_list(end: bytes | None) -> None:
    """What lacks a schema would read its people by well-known names."""
    first = listed("a", "b")

    def replies(request: Asked, _: int) -> Pieces:
        return reply(body=first if end is None or not asked_page(request) else end, X_Total_Count="3")

    with ScriptedServer(replies) as server, pytest.raises(AnswerError, match="gave 2 of 3 identity schemas"):
        read(server.url)


def test_pages_without_end_are_no_list() -> None:
    with ScriptedServer(lambda request, number: reply(body=listed(str(number)))) as server:
        with pytest.raises(AnswerError, match="goes on after 20 pages"):
            read(server.url)
        # At both places where the list may be.
        assert len(server.asked) == 2 * identity_schemas.MAX_PAGES


@pytest.mark.parametrize("failure", [reply(404, b""), reply(403, b"{}"), reply(200, b"<p>", "text/html")])
def test_a_second_page_that_fails_is_no_end(failure: list[bytes]) -> None:
    def replies(request: Asked, _: int) -> Pieces:
        return failure if asked_page(request) else reply(body=listed("a"))

    with ScriptedServer(replies) as server, pytest.raises(TapOryError) as told:
        read(server.url)
    assert not isinstance(told.value, NoSchemasError)


def test_a_second_page_is_tried_again() -> None:
    def replies(request: Asked, number: int) -> Pieces:
        if not asked_page(request):
            return reply(body=listed("a"))
        return reply(503, b"{}") if number < 3 else reply(body=listed("b") if asked_page(request) == 1 else b"null")

    with ScriptedServer(replies) as server:
        assert set(read(server.url)) == {"a", "b"}


@pytest.mark.parametrize(
    "odd", ["7", "null", '{"id":7,"schema":{}}', '{"id":"b"}', '{"id":"b","schema":null}', '{"id":"b","schema":"x"}']
)
def test_a_list_with_an_odd_entry_is_no_list(odd: str) -> None:
    body = f'[{{"id":"a","schema":{{}}}},{odd}]'.encode()
    with (
        always(*reply(body=body, X_Total_Count="2")) as server,
        pytest.raises(AnswerError, match="something else than"),
    ):
        read(server.url)


# What goes wrong

NONE: dict[str, tuple[list[bytes], str]] = {
    "not found": (reply(404, b"404 page not found"), "answered 404"),
    "a loop": (reply(307, b"", Location="/schemas"), "redirects without end"),
    "no address": (reply(307, b"", Location="ftp://x/schemas"), "redirects to no web address"),
    "no address at all": (reply(307, b"", Location="http://["), "redirects to no web address"),
    "a bad port": (reply(307, b"", Location="http://x:99999999/schemas"), "redirects to no web address"),
    "nobody there": (reply(307, b"", Location="http://127.0.0.1:9/schemas"), "connection refused"),
    "an empty list": (reply(body=b"[]"), "lists none"),
    "null": (reply(body=b"null", X_Total_Count="0"), "lists none"),
}


@pytest.mark.parametrize("case", NONE)
def test_only_a_definite_answer_means_that_there_are_none(case: str) -> None:
    pieces, reason = NONE[case]
    with always(*pieces) as server, pytest.raises(NoSchemasError, match=reason) as told:
        read(server.url)
    assert KEY not in str(told.value)
    assert len(server.asked) <= 2 * (identity_schemas.MAX_REDIRECTS + 1)


#: What comes back, what is said of it, and how often it is asked for: at one place of two where that is no answer.
UNKNOWN: dict[str, tuple[list[bytes], type[TapOryError], str, int]] = {
    "refused": (reply(401, b"{}"), AccessError, "answered 401", 2),
    "forbidden": (reply(403, b"{}"), AccessError, "answered 403", 2),
    "gone": (reply(410, b"{}"), AccessError, "answered 410", 2),
    "html": (reply(body=b"<html>", content_type="text/html"), AnswerError, "an HTML page instead of JSON", 2),
    "an object": (reply(body=b'{"error":{}}'), AnswerError, "something else than a list", 2),
    "an empty object": (reply(body=b"{}"), AnswerError, "something else than a list", 2),
    "no json": (reply(body=b"[{]"), AnswerError, "something else than a list", 2),
    "no utf-8": (reply(body=b'["\xff"]'), AnswerError, "something else than a list", 2),
    "nested": (reply(body=b"[" * 100_000 + b"]" * 100_000), AnswerError, "something else than a list", 2),
    "a login page": (reply(302, b"", Location="/login"), AccessError, "to /login", 2),
    "broken": (reply(500, b"{}"), UnavailableError, "answered 500", TRIES_500),
    "unavailable": (reply(503, b"{}"), UnavailableError, "answered 503", TRIES),
    "a rate limit": (reply(429, b"{}", Retry_After="0"), UnavailableError, "answered 429", TRIES),
    "a long one": (reply(429, b"{}", Retry_After="1000"), UnavailableError, "asked to wait 1000 s", 1),
    "cut short": ([head(200, Content_Length="100"), b'[{"id":'], UnavailableError, "cut short", TRIES),
    "half": (reply(body=b"[{"), UnavailableError, "cut short", TRIES),
    "no http": ([b"nonsense\r\n\r\n"], UnavailableError, "connection broke", TRIES_FIRST_CONTACT),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_all_else_is_tried_again_as_a_page_is_and_means_nothing(case: str) -> None:
    pieces, kind, reason, tries = UNKNOWN[case]
    with always(*pieces) as server, pytest.raises(kind, match=reason) as told:
        read(server.url)
    assert not isinstance(told.value, NoSchemasError)
    assert KEY not in str(told.value)
    assert len(server.asked) == tries


def test_what_goes_away_is_waited_for() -> None:
    def replies(_: Asked, number: int) -> Pieces:
        failures = [reply(429, b"{}", Retry_After="0"), reply(503, b"{}"), reply(body=b"[{"), reply(500, b"{}")]
        return failures[number] if number < len(failures) else reply(body=ONE, X_Total_Count="1")

    with ScriptedServer(replies) as server:
        assert read(server.url) == {"a": {"title": "a"}}


def test_a_place_that_refuses_hides_no_other() -> None:
    def replies(request: Asked, _: int) -> Pieces:
        return reply(403, b"{}") if request.target.startswith("/admin") else reply(body=ONE, X_Total_Count="1")

    with ScriptedServer(replies) as server:
        assert read(server.url) == {"a": {"title": "a"}}


@pytest.mark.parametrize("first", [403, 404])
def test_a_place_that_refuses_leaves_it_unknown_whether_there_are_any(first: int) -> None:
    def replies(request: Asked, _: int) -> Pieces:
        return reply(first if request.target.startswith("/admin") else {403: 404, 404: 403}[first], b"{}")

    with ScriptedServer(replies) as server, pytest.raises(AccessError, match="403") as told:
        read(server.url)
    assert not isinstance(told.value, NoSchemasError)


def test_nobody_at_the_api_itself_or_at_public_url_is_no_answer() -> None:
    for config in ({}, {"public_url": "http://127.0.0.1:9"}):
        with pytest.raises(UnavailableError, match="connection refused"):
            read("http://127.0.0.1:9", **config)


def test_a_server_that_stalls_behind_a_redirect_is_no_answer() -> None:
    with ScriptedServer(lambda _request, _number: public.stall()) as public:
        with (
            always(*reply(307, b"", Location=f"{public.url}schemas")) as admin,
            pytest.raises(UnavailableError) as told,
        ):
            read(admin.url, request_timeout=0.1)
        assert "no answer within 0.1 s" in str(told.value)
        assert len(public.asked) == TRIES_FIRST_CONTACT


def test_advice_is_of_the_address_that_failed() -> None:
    with (
        always(*reply(401, b"{}")) as public,
        always(*reply(307, b"", Location=f"{public.url}schemas")) as admin,
        pytest.raises(AccessError) as told,
    ):
        read(admin.url)
    assert str(told.value) == f"GET {public.url}schemas answered 401 Unauthorized."


def test_a_packed_answer_is_unpacked_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ory_reader.http.client.MAX_BODY_BYTES", 4 << 20)
    with always(*reply(body=gzip.compress(ONE), X_Total_Count="1", Content_Encoding="gzip")) as server:
        assert read(server.url) == {"a": {"title": "a"}}
    assert {asked.headers["accept-encoding"] for asked in server.asked} == {"gzip"}
    bomb = gzip.compress(b"[") + gzip.compress(b" " * (1 << 20)) * 2000
    with always(*reply(body=bomb, Content_Encoding="gzip")) as server, pytest.raises(AnswerError, match="4 MiB"):
        read(server.url)


@pytest.mark.parametrize(
    "target", ["{url}x-secret/?x-secret", "{url}{key}/schemas", "{url}%6Fry_pat_of-these-tests/schemas"]
)
def test_what_a_redirect_may_tell_is_neither_followed_nor_repeated(
    target: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with always(*reply(body=ONE)) as public:
        location = target.format(url=public.url, key=KEY)
        with always(*reply(307, b"", Location=location)) as server, pytest.raises(AccessError) as told:
            read(server.url)
        assert public.asked == []
    for secret in ("x-secret", "of-these-tests"):
        assert secret not in caplog.text + str(told.value)


def test_what_is_asked_of_the_api_itself_counts_against_its_rate_limit() -> None:
    with Sandbox(1, manner="network", rate_limit="5;w=1,300;w=60") as sandbox:
        asking = api(sandbox.url)
        assert read_identity_schemas(asking)
        assert sandbox.requests.count == 1
    windows = asking.rate_limiter._windows
    assert [len(window.frees(asking.rate_limiter._history, time.monotonic())) for window in windows] == [1, 1]
