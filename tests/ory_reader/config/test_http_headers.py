"""The setting http_headers: what is sent, to whom, what is refused, and that none of it is ever told."""

import base64
import json
import logging

import pytest

from ory_reader.config.settings import Settings
from ory_reader.errors import SettingsError, TapOryError
from ory_reader.http.client import OryClient
from ory_reader.resources.identities import IDENTITIES
from ory_sandbox import Sandbox
from tap_ory.tap import TapOry
from tests.command import KEY, run_tap, sync, unchanged_signals
from tests.scripted import LAST_PAGE, Asked, ScriptedServer, head, reply

PASSWORD = "lovelace-must-never-be-seen"
BASIC = base64.b64encode(f"ada:{PASSWORD}".encode()).decode()
GATEWAY_KEY = "gw-Zk3y/Must+Never=BeSeen"
HEADERS = {"Authorization": f"Basic {BASIC}", "X-Api-Key": GATEWAY_KEY}
SECRETS = (
    PASSWORD,
    BASIC,
    GATEWAY_KEY,
    GATEWAY_KEY.lower(),
    "gw-Zk3y%2FMust%2BNever%3DBeSeen",
    "gw-Zk3y/Must%2BNever%3DBeSeen",
)


def settings(url: str = "http://127.0.0.1:1", **config: object) -> Settings:
    return Settings.from_config({"base_url": url, **config}, "1")


def assert_unseen(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text


def test_they_are_sent_with_every_request() -> None:
    with ScriptedServer(lambda asked, number: reply(200, b"[]", Link=LAST_PAGE)) as server:
        OryClient(settings(server.url, http_headers=HEADERS)).get(IDENTITIES.path)
        OryClient(settings(server.url, http_headers={"X-Api-Key": GATEWAY_KEY}, api_token=KEY)).get(IDENTITIES.path)
    first, second = (asked.headers for asked in server.asked)
    assert (first["authorization"], first["x-api-key"]) == (f"Basic {BASIC}", GATEWAY_KEY)
    assert (second["authorization"], second["x-api-key"]) == (f"Bearer {KEY}", GATEWAY_KEY)


def test_they_go_to_base_urls_host_alone() -> None:
    with Sandbox(3) as sandbox:
        sync({"base_url": sandbox.url, "http_headers": HEADERS})
        sent: dict[str, list[set[str]]] = {"admin": [], "public": []}
        for seen in sandbox.requests.log:
            sent[seen.role].append({"authorization", "x-api-key"} & set(seen.headers))
    assert sent["public"]
    assert all(names == set() for names in sent["public"])
    assert all(names == {"authorization", "x-api-key"} for names in sent["admin"])


def test_neither_public_url_nor_a_redirect_gets_them() -> None:
    with (
        ScriptedServer(lambda asked, number: reply(200, b"[]", X_Total_Count="0")) as public,
        ScriptedServer(lambda asked, number: reply(307, b"", Location=f"{public.url}{asked.target[1:]}")) as server,
    ):
        config = {"base_url": server.url, "http_headers": HEADERS}
        for given in (config, {**config, "public_url": public.url}):
            with pytest.raises(TapOryError):
                sync(given)
        assert all("authorization" in asked.headers for asked in server.asked)
        assert all({"authorization", "x-api-key"}.isdisjoint(asked.headers) for asked in public.asked)
        assert public.asked


@pytest.mark.parametrize(
    ("headers", "what"),
    [
        ({"X Key": "secret"}, "a name that no header may have"),
        ({"": "secret"}, "a name that no header may have"),
        ({"X-Key\r\nHost": "secret"}, "a name that no header may have"),
        ({"X-Key": "sec\nret"}, "gives X-Key a line break"),
        ({"X-Key": "sécret"}, "gives X-Key a line break or a character beyond ASCII"),
        ({"X-Key": "secret", "x-key": "secret"}, "names x-key twice"),
        ({"Content-Length": "5"}, "names Content-Length, which is the tap's own to set"),
        ({"accept-encoding": "secret"}, "names accept-encoding, which is the tap's own to set"),
        ({"User-Agent": "secret"}, "names User-Agent: set user_agent instead"),
    ],
)
def test_what_cannot_be_sent_is_refused_without_its_value(headers: dict[str, str], what: str) -> None:
    with pytest.raises(SettingsError, match=r"^Setting http_headers ") as refused:
        settings(http_headers=headers)
    assert what in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "ret" not in str(refused.value)


def test_a_key_and_an_authorization_are_one_too_many() -> None:
    with pytest.raises(SettingsError, match="names Authorization, and api_token is sent in it"):
        settings(http_headers=HEADERS, api_token=KEY)
    # What compose leaves empty is not sent.
    kept = settings(http_headers={"Authorization": "", "X-Key": " "}, api_token=KEY)
    assert kept.http_headers == {}


def test_an_authorization_may_stand_for_the_key_of_ory_network() -> None:
    url = "https://slug.projects.oryapis.com"
    assert settings(url, http_headers={"authorization": "Bearer x"}).api_token is None
    with pytest.raises(SettingsError, match="api_token is missing"):
        settings(url, http_headers={"X-Key": "x"})


def test_values_of_another_type_are_one_line_without_them() -> None:
    run = run_tap(
        "--check", environment={"TAP_ORY_BASE_URL": "http://127.0.0.1:1", "TAP_ORY_HTTP_HEADERS": '{"X": ["s3cret"]}'}
    )
    assert run.logged("ERROR") == ["Setting http_headers.X must be of type string, not list."]
    assert "s3cret" not in run.stderr


# What is told


def echo(asked: Asked) -> bytes:
    said = " ".join(f"{name}: {value}" for name, value in asked.headers.items())
    return json.dumps({"error": {"message": said, "reason": f"{PASSWORD} {asked.target}", "debug": said}}).encode()


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 418, 429, 500, 503])
def test_an_error_that_echoes_the_request_is_told_without_them(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("ory_reader.http.client._jitter", lambda seconds: 0)
    with ScriptedServer(lambda asked, number: reply(status, echo(asked), Retry_After="1000")) as server:
        with pytest.raises(TapOryError) as told:
            sync({"base_url": server.url, "http_headers": HEADERS})
        assert GATEWAY_KEY in "".join(server.asked[-1].headers.values())
    assert_unseen(caplog.text + str(told.value))


@pytest.mark.parametrize("name", ["Location", "Content-Type", "X-Ratelimit-Limit", "WWW-Authenticate", "Set-Cookie"])
@pytest.mark.parametrize("status", [200, 302, 401, 429])
def test_a_header_that_echoes_them_is_not_told(caplog: pytest.LogCaptureFixture, name: str, status: int) -> None:
    caplog.set_level(logging.DEBUG)
    answer = [head(status, **{name: f"/{GATEWAY_KEY}/x", "Content-Length": "6"}), b"<html>"]
    with ScriptedServer(lambda asked, number: answer) as server, pytest.raises(TapOryError) as told:
        OryClient(settings(server.url, http_headers=HEADERS)).get(IDENTITIES.path, retry=False)
    assert_unseen(caplog.text + str(told.value))


def test_nothing_that_a_run_leaves_and_no_repr_holds_them() -> None:
    with Sandbox(5) as sandbox:
        given = {
            "TAP_ORY_BASE_URL": sandbox.url,
            "TAP_ORY_HTTP_HEADERS": json.dumps(HEADERS),
            "TAP_ORY_LOGLEVEL": "debug",
        }
        for arguments in ((), ("--discover",), ("--check",), ("--test",)):
            run = run_tap(*arguments, environment=given)
            assert run.code == 0
            assert_unseen(run.stdout + run.stderr)
    with unchanged_signals():
        tap = TapOry(config={"base_url": "http://127.0.0.1:1", "http_headers": HEADERS})
    assert_unseen(
        f"{tap!r} {tap!s} {tap.settings!r} {tap.project.client!r} {tap.project.client.__dict__!r} {tap.catalog_dict!r}"
    )


@pytest.mark.parametrize(
    ("host", "warned"),
    [
        ("127.0.0.1", False),
        ("127.8.9.1", False),
        ("localhost", False),
        ("ory.localhost", False),
        ("[::1]", False),
        ("127.0.0.1.example.com", True),
        ("127.example.com", True),
        ("localhost.example.com", True),
        ("10.0.0.1", True),
        ("[::2]", True),
    ],
)
@pytest.mark.parametrize("secret", [{"api_token": KEY}, {"http_headers": HEADERS}], ids=["api_token", "http_headers"])
def test_a_secret_that_leaves_the_machine_unencrypted_is_warned_of(
    caplog: pytest.LogCaptureFixture, host: str, secret: dict[str, object], *, warned: bool
) -> None:
    OryClient(settings(f"http://{host}:4434", **secret))
    assert ("unencrypted" in caplog.text) is warned
    assert (next(iter(secret)) in caplog.text) is warned
    assert_unseen(caplog.text)
