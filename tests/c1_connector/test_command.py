"""The command outside service mode: a single sync, --check, settings; and the client secret and the token."""

import base64
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from c1_connector.credentials import Credentials, Key, TokenSource, split_client_id
from c1_connector.errors import ConnectorError
from c1_connector.logs import Secrets
from c1_connector.reading import explain, write_users
from c1_connector.settings import parse
from ory_reader.errors import TapOryError
from ory_sandbox import Sandbox
from target_c1.errors import TargetC1Error
from tests.c1_connector.connector import connector, ids_in, until
from tests.c1_connector.fake_c1 import FakeC1
from tests.c1_connector.test_faults import ONE_BY_ONE, ids_of, slow_project

ID = {"BATON_CLIENT_ID": "name@c1.example/suffix", "BATON_CLIENT_SECRET": "secret-token:conductorone.com:v1:e30"}


def test_without_credentials_it_syncs_once(ory: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "once.c1z"
    with connector({"BATON_FILE": str(file)}, tmp_path, "--base-url", ory.url) as running:
        assert running.wait() == 0, running.output
    assert ids_in(file.read_bytes(), tmp_path) == ids_of(ory)


def test_a_single_sync_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "once.c1z"
    file.write_bytes(b"as it was")
    with connector({"BATON_BASE_URL": "http://127.0.0.1:9"}, tmp_path, "--file", str(file)) as running:
        assert running.wait() == 1
    assert file.read_bytes() == b"as it was"
    assert "http://127.0.0.1:9" in running.output.splitlines()[-1]


def test_check_asks_both_sides(c1: FakeC1, ory: Sandbox, tmp_path: Path) -> None:
    with connector(c1.environment(BATON_BASE_URL=ory.url), tmp_path, "--check") as running:
        assert running.wait() == 0, running.output
    assert [event.method for event in c1.events] == ["token"]
    assert "accepts the client id and secret" in running.output
    assert f"Connected to {ory.url.rstrip('/')}" in running.output


def test_check_tells_what_is_wrong(c1: FakeC1, tmp_path: Path) -> None:
    with connector(c1.environment(BATON_BASE_URL="http://127.0.0.1:9"), tmp_path, "--check") as running:
        assert running.wait() == 1
    assert "http://127.0.0.1:9" in running.output.splitlines()[-1]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"BATON_CLIENT_ID": "name@c1.example/suffix"}, "set BATON_CLIENT_SECRET"),
        ({"BATON_CLIENT_SECRET": "secret"}, "set BATON_CLIENT_ID"),
        ({**ID, "BATON_CLIENT_ID": "name@c1.example"}, "NAME@HOST/SUFFIX"),
        ({**ID, "BATON_C1_API_HOST": "https://c1.example"}, "host or host:port"),
        ({**ID, "BATON_TASK_CONCURRENCY": "0"}, "1 to 100"),
        ({**ID, "BATON_TASK_CONCURRENCY": "101"}, "1 to 100"),
        ({**ID, "BATON_HOST_ID": "h" * 257}, "1 to 256"),
        ({**ID, "BATON_C1_CA_BUNDLE": "/nowhere"}, "which is no file"),
        ({**ID, "BATON_C1_CA_BUNDLE": __file__}, "no certificate in it"),
        ({**ID, "BATON_CLIENT_SECRET": " \n"}, "set BATON_CLIENT_SECRET"),
        ({**ID, "BATON_LOG_FORMAT": "xml"}, "console or json"),
    ],
)
def test_settings_that_cannot_be_right(variables: dict[str, str], words: str) -> None:
    with pytest.raises(ConnectorError, match=words):
        parse([], variables)


def test_flags_win_over_the_environment() -> None:
    settings = parse(["--client-id", "other@c1.example:8443/suffix", "--host-id", "here"], ID)
    assert settings.credentials
    assert settings.credentials.client_id == "other@c1.example:8443/suffix"
    assert (settings.api_host, settings.host_id) == ("c1.example:8443", "here")
    assert parse([], ID).api_host == "c1.example:443"


def test_a_line_break_behind_a_secret_is_none_of_it() -> None:
    settings = parse([], {name: f"{value}\n" for name, value in ID.items()})
    assert settings.credentials
    assert (settings.credentials.client_id, settings.credentials.client_secret) == tuple(ID.values())


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("TARGET_C1_MIN_USERS", "few", "TARGET_C1_MIN_USERS is no whole number"),
        ("TARGET_C1_MAX_DROP_PERCENT", "101", "Setting max_drop_percent must be at most 100"),
        ("TARGET_C1_MAPPING", '{"nothing": "/x"}', "has no field 'nothing'"),
        ("TARGET_C1_LOGLEVEL", "loud", "TARGET_C1_LOGLEVEL is no log level"),
        ("TAP_ORY_PAGE_SIZE", "many", "TAP_ORY_PAGE_SIZE is no whole number"),
        ("TAP_ORY_PAGE_SIZE", "0", "Setting page_size must be at least 1"),
        ("TAP_ORY_LOGLEVEL", "loud", "TAP_ORY_LOGLEVEL is no log level"),
        ("TAP_ORY_STREAM_MAPS", '{"users": {"x": "nope("}}', "Setting stream_maps: "),
        ("TAP_ORY_STREAM_MAPS", '{"u*": {"__filter__": "False"}}', "Setting stream_maps: "),
        ("TAP_ORY_STREAM_MAPS", '{"staff": {"__source__": "users"}}', "Setting stream_maps: "),
        ("TAP_ORY_STREAM_MAPS", '{"__else__": "__NULL__"}', "Setting stream_maps: "),
        ("TAP_ORY_FLATTENING_ENABLED", "yes", "Setting flattening_enabled: "),
    ],
)
def test_settings_of_the_read_that_cannot_be_right(tmp_path: Path, variable: str, value: str, words: str) -> None:
    settings = parse(["--base-url", "http://127.0.0.1:9"], {})
    environ = {**settings.reader_environment(tmp_path / "never.c1z"), variable: value}
    with pytest.raises((TapOryError, TargetC1Error)) as failed:
        write_users(environ, Secrets())
    assert words in explain(failed.value)
    assert not list(tmp_path.iterdir())


def test_maps_of_other_streams_are_none_of_the_connectors(ory: Sandbox, tmp_path: Path) -> None:
    settings = parse(["--base-url", ory.url], {})
    maps = {"identities": {"__filter__": "False"}, "users_of_others": None}
    environ = {**settings.reader_environment(tmp_path / "users.c1z"), "TAP_ORY_STREAM_MAPS": json.dumps(maps)}
    write_users(environ, Secrets())
    assert ids_in((tmp_path / "users.c1z").read_bytes(), tmp_path) == ids_of(ory)


def test_no_singer_sdk_and_no_command_line_of_others_is_loaded(ory: Sandbox, tmp_path: Path) -> None:
    loaded = "[n for n in ('singer_sdk', 'click') if n in sys.modules]"
    script = (
        f"import atexit, sys; from c1_connector.command import run; atexit.register(lambda: print({loaded})); run()"
    )
    command = (sys.executable, "-c", script)
    arguments = ("--base-url", ory.url, "--file", str(tmp_path / "users.c1z"))
    with connector({}, tmp_path, *arguments, command=command) as running:
        assert running.wait() == 0, running.output
    assert running.output.splitlines()[-1] == "[]"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_single_sync_that_is_stopped_leaves_the_file_as_it_was(number: signal.Signals, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    file = place / "once.c1z"
    file.write_bytes(b"as it was")
    with (
        slow_project(30) as ory,
        connector({"BATON_BASE_URL": ory.url, "BATON_FILE": str(file), **ONE_BY_ONE}, tmp_path) as running,
    ):
        until(lambda: ory.requests.count > 4, "the read")
        running.process.send_signal(number)
        assert running.wait() == 128 + number
    assert "Traceback" not in running.output
    assert file.read_bytes() == b"as it was"
    assert list(place.iterdir()) == [file]


def test_at_level_debug_a_failure_comes_with_its_traceback_in_one_line(tmp_path: Path) -> None:
    variables = {"BATON_BASE_URL": "https://127.0.0.1:9", "TAP_ORY_API_TOKEN": "ory_wak_x", "TAP_ORY_LOGLEVEL": "debug"}
    with connector(variables, tmp_path) as running:
        assert running.wait() == 1
    *_, traceback, sentence = running.output.splitlines()
    assert "Traceback" in traceback
    assert "workspace API key" in sentence


def test_the_reader_knows_no_secret_of_c1_and_cannot_be_told_to_take_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**ID, "TARGET_C1_REQUIRE_ACTIVATE_VERSION": "false", "TARGET_C1_PATH": "elsewhere"}.items():
        monkeypatch.setenv(name, value)
    settings = parse(["--api-token", "ory_pat_key"], os.environ)
    environment = settings.reader_environment("here.c1z")
    assert not {"BATON_CLIENT_ID", "BATON_CLIENT_SECRET"} & set(environment)
    assert environment["TARGET_C1_REQUIRE_ACTIVATE_VERSION"] == "true"
    assert environment["TAP_ORY_EMIT_ACTIVATE_VERSION_MESSAGES"] == "true"
    assert (environment["TARGET_C1_PATH"], environment["TAP_ORY_API_TOKEN"]) == ("here.c1z", "ory_pat_key")
    assert "ory_pat_key" not in repr(settings)
    assert ID["BATON_CLIENT_SECRET"] not in repr(settings)


def _secret(jwk: object) -> str:
    return "secret-token:conductorone.com:v1:" + base64.urlsafe_b64encode(json.dumps(jwk).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "secret-token:conductorone.com:v1:",
        "secret-token:conductorone.com",
        "secret-token:conductorone.com:v2:e30",
        "other:conductorone.com:v1:e30",
        "secret-token:conductorone.com:v1:***",
        _secret([]),
        _secret({"kty": "OKP", "crv": "Ed25519"}),
        _secret({"kty": "OKP", "crv": "Ed25519", "d": "c2hvcnQ"}),
        _secret({"kty": "OKP", "crv": "Ed25519", "d": "A" * 43, "kid": 17}),
        _secret({"kty": "EC", "crv": "P-256", "d": "A" * 43}),
    ],
)
def test_a_client_secret_that_is_none_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(ConnectorError, match="no client secret of C1") as refused:
        Key.parse(secret)
    data = secret.rpartition(":")[2]
    assert len(data) < 4 or data == "conductorone.com" or data not in str(refused.value)


def test_a_client_secret_is_an_ed25519_key() -> None:
    # RFC 8037, appendix A.1: the private key, and the public one that belongs to it.
    jwk = {"kty": "OKP", "crv": "Ed25519", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}
    key = Key.parse(_secret(jwk))
    public = base64.urlsafe_b64encode(key.private.public_key().public_bytes_raw()).decode()
    assert public == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    assert key.kid is None
    assert Key.parse(_secret({**jwk, "kid": "one"})).kid == "one"


@pytest.mark.parametrize("named", [{}, {"kid": "one"}])
def test_an_assertion_names_its_key_only_if_c1_did_and_no_type(named: dict[str, str]) -> None:
    secret = _secret({"kty": "OKP", "crv": "Ed25519", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", **named})
    tokens = TokenSource(Credentials("name@c1.example/suffix", "c1.example", secret), "c1.example", "", Secrets())
    header = json.loads(base64.urlsafe_b64decode(tokens.assertion().partition(".")[0] + "=="))
    assert len(header.pop("nonce")) == 32
    assert header == {"alg": "EdDSA", **named}


def test_a_client_id_names_its_host() -> None:
    assert split_client_id("strange-hydra-68836@acme.example/p/c@c") == "acme.example"


def test_secrets_are_hidden_the_lasting_ones_for_good() -> None:
    hidden = Secrets()
    hidden.add("for-good", lasting=True)
    for number in range(100):
        hidden.add(f"token-{number:03}")
    assert hidden.hide("for-good token-099") == "[hidden] [hidden]"
