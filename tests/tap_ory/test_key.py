"""The API key goes to base_url and nowhere else: not to another host, a file, a terminal, a log."""

import base64
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest

from ory_reader.config.settings import Settings
from ory_reader.errors import TapOryError
from ory_reader.http.client import OryClient
from ory_reader.resources.identities import IDENTITIES
from ory_sandbox import Sandbox
from tap_ory.tap import TapOry
from tests.command import KEY, run_tap, sync, unchanged_signals
from tests.scripted import LAST_PAGE, Asked, Pieces, ScriptedServer, always, head, reply

FORMS = {KEY, KEY[8:], quote(KEY), quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode(), repr(KEY.encode())}


def assert_unseen(text: str) -> None:
    for form in FORMS:
        assert form not in text


def api(url: str, **config: str) -> OryClient:
    return OryClient(Settings.from_config({"base_url": url, **config}, "1"))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A project that lets only this key in."""
    with Sandbox(30, manner="network", api_token=KEY) as running:
        yield running


@pytest.fixture
def elsewhere() -> Iterator[ScriptedServer]:
    """Another host, which would answer if it were asked."""
    with ScriptedServer(lambda asked, number: reply(200, b'[{"id":"stolen"}]')) as server:
        yield server


# What the command leaves behind


def test_nothing_that_a_run_leaves_holds_the_key_or_in_its_log_a_person(sandbox: Sandbox, tmp_path: Path) -> None:
    config = {"base_url": sandbox.url, "api_token": KEY, "credential_metadata": True}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "state.json").write_text("{}")
    given = ("--config", str(tmp_path / "config.json"))
    debugging = {"TAP_ORY_LOGLEVEL": "debug"}
    commands = [
        given,
        (*given, "--state", str(tmp_path / "state.json")),
        (*given, "--discover"),
        (*given, "--check"),
        (*given, "--test"),
        ("--about",),
        ("--about", "--format=json"),
    ]
    with ThreadPoolExecutor(3) as pool:
        environment = {**debugging, "BATON_API_TOKEN": KEY, "TAP_ORY_BASE_URL": sandbox.url}
        runs = list(pool.map(lambda arguments: run_tap(*arguments, environment=environment), commands))
    values = {address["value"] for row in sandbox.identities for address in row.get("verifiable_addresses", [])}
    assert len(values) > 10
    for run, arguments in zip(runs, commands, strict=True):
        assert run.code == 0, arguments
        assert_unseen(run.stdout + run.stderr)
        assert not [value for value in values if value in run.stderr], arguments
    assert {seen.headers["authorization"] for seen in sandbox.requests.log} == {f"Bearer {KEY}"}


def test_no_repr_holds_the_key() -> None:
    config = {"base_url": "http://127.0.0.1:1", "api_token": KEY}
    with unchanged_signals():
        tap = TapOry(config=config)
    assert_unseen(
        f"{tap!r} {tap!s} {tap.settings!r} {tap.project.client!r} {tap.project.client.__dict__!r} {tap.catalog_dict!r}"
    )


# What an answer echoes


def echo(asked: Asked) -> bytes:
    """The request in an error's words, as a proxy for debugging gives it back."""
    said = " ".join(f"{name}: {value}" for name, value in asked.headers.items())
    return json.dumps({"error": {"message": said, "reason": said, "debug": said}}).encode()


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 418, 429, 500, 502, 503])
def test_an_error_that_echoes_the_request_is_told_without_the_key(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("ory_reader.http.client._jitter", lambda seconds: 0)
    with ScriptedServer(lambda asked, number: reply(status, echo(asked), Retry_After="1000")) as server:
        with pytest.raises(TapOryError) as told:
            sync({"base_url": server.url, "api_token": KEY})
        assert KEY in "".join(server.asked[-1].headers.values())
    assert_unseen(caplog.text + str(told.value))


@pytest.mark.parametrize("name", ["Location", "Content-Type", "X-Ratelimit-Limit", "Retry-After", "Server"])
@pytest.mark.parametrize("status", [200, 302, 429])
def test_a_header_that_echoes_the_key_is_not_told(caplog: pytest.LogCaptureFixture, name: str, status: int) -> None:
    caplog.set_level(logging.DEBUG)
    answer = [head(status, **{name: f"/{KEY}/x", "Content-Length": "6"}), b"<html>"]
    with always(*answer) as server, pytest.raises(TapOryError) as told:
        api(server.url, api_token=KEY).get(IDENTITIES.path, retry=False)
    assert_unseen(caplog.text + str(told.value))


# Where it goes


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_leads_a_request_elsewhere(elsewhere: ScriptedServer, status: int) -> None:
    target = f"{elsewhere.url}admin/identities"
    with ScriptedServer(lambda asked, number: reply(status, b"", Location=target)) as server:
        with pytest.raises(TapOryError, match="which was not followed"):
            api(server.url, api_token=KEY).get(IDENTITIES.path)
        assert len(server.asked) == 1
    assert elsewhere.asked == []


def test_no_link_leads_a_request_elsewhere(elsewhere: ScriptedServer) -> None:
    ids = [f"{digit}0000000-0000-4000-8000-000000000000" for digit in "123"]

    def page(asked: Asked, number: int) -> Pieces:
        if "page_size" not in asked.target:
            return reply(404, b"{}")
        last = next((each for each in ids if f"page_token={each}" in asked.target), "")
        following = min(each for each in ids if each > last)
        link = (
            f'<{elsewhere.url}admin/identities?page_token={following}>; rel="next"'
            if following < ids[-1]
            else LAST_PAGE
        )
        return reply(200, b'[{"id":"%b"}]' % following.encode(), Link=link)

    with ScriptedServer(page) as server:
        output = sync({"base_url": server.url, "api_token": KEY, "concurrency": 1})
    assert output.count(b'"RECORD"') == 3
    assert elsewhere.asked == []


def test_the_list_of_schemas_is_asked_for_elsewhere_without_the_key() -> None:
    with Sandbox(1) as sandbox:
        sync({"base_url": sandbox.url, "api_token": KEY})
        asked = {
            role: [seen.headers for seen in sandbox.requests.log if seen.role == role] for role in ("admin", "public")
        }
    assert asked["public"]
    assert all("authorization" not in headers for headers in asked["public"])
    assert all(headers["authorization"] == f"Bearer {KEY}" for headers in asked["admin"])


@pytest.mark.parametrize("variable", ["HOME", "NETRC"])
def test_no_password_of_netrc_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login ada password lovelace\ndefault login ada password lovelace\n")
    netrc.chmod(0o600)
    monkeypatch.setenv(variable, str(netrc if variable == "NETRC" else tmp_path))
    with ScriptedServer(lambda asked, number: reply(Link=LAST_PAGE)) as server:
        api(server.url).get(IDENTITIES.path)
        api(server.url, api_token=KEY).get(IDENTITIES.path)
        sync({"base_url": server.url})
        sent = [asked.headers.get("authorization") for asked in server.asked]
    assert sent[:2] == [None, f"Bearer {KEY}"]
    assert set(sent[2:]) == {None}


def test_a_proxy_gets_no_key_on_the_way_to_https(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with ScriptedServer(lambda asked, number: reply(403, echo(asked))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(TapOryError, match=r"the proxy did not connect to slug\.projects\.oryapis\.com"):
            api("https://slug.projects.oryapis.com", api_token=KEY).get(IDENTITIES.path, retry=False)
        (asked,) = proxy.asked
    assert (asked.method, asked.target) == ("CONNECT", "slug.projects.oryapis.com:443")
    assert_unseen(str(asked))


def test_a_workspace_key_is_sent_nowhere(elsewhere: ScriptedServer) -> None:
    for option in ([], ["--check"], ["--discover"]):
        run_tap(*option, environment={"TAP_ORY_BASE_URL": elsewhere.url, "TAP_ORY_API_TOKEN": "ory_wak_secret"})
    assert elsewhere.asked == []
