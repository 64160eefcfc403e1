"""Planted secrets of every kind in every list: none is in any output, whatever a catalog declares and selects."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from ory_reader.streams import STREAMS
from ory_sandbox import Sandbox
from ory_sandbox.console import PROJECT_ID
from ory_sandbox.holdings import Holdings, holdings_of
from target_c1.c1z import unpack_c1z
from tests.command import KEY, run_tap
from tests.source_ory.support import Files
from tests.source_ory.support import run as run_source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PERSON = "4b13af4d-dd22-4581-b50e-6014196ce19f"
WORKSPACE_KEY = "ory_wak_planted-workspace-key"
#: Of each member that a server could send beside what is wanted, a text that must never be seen again.
OF_CLIENTS = {
    "client_secret": "planted-client-secret",
    "registration_access_token": "ory_at_planted-registration-token",
    "registration_client_uri": "https://planted-registration-uri.example.com",
    "jwks": {"keys": [{"kty": "RSA", "d": "planted-private-key", "n": "planted-public-key"}]},
    "metadata": {"planted": "planted-client-metadata"},
    "unknown_to_us": "planted-unknown-member",
}
OF_CONSENTS = {
    "session": {"id_token": {"claim": "planted-claim"}},
    "context": {"what": "planted-context"},
    "code": "ory_ac_planted-code",
    "access_token": "ory_at_planted-access-token",
}
OF_REQUESTS = {
    "challenge": "planted-challenge",
    "login_challenge": "planted-login-challenge",
    "login_session_id": "planted-login-session",
    "request_url": "https://a.example/?state=planted-state&nonce=planted-nonce",
    "oidc_context": {"login_hint": "planted-login-hint"},
}
OF_SESSIONS = {"token": "ory_st_planted-session-token", "tokenized": "planted-tokenized-session"}


def planted(value: Any) -> Iterator[str]:
    """All texts in a value that were planted."""
    if isinstance(value, dict):
        for each in value.values():
            yield from planted(each)
    elif isinstance(value, list):
        for each in value:
            yield from planted(each)
    elif isinstance(value, str) and "planted" in value:
        yield value


SECRETS = [*planted([OF_CLIENTS, OF_CONSENTS, OF_REQUESTS, OF_SESSIONS]), KEY, WORKSPACE_KEY]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture(scope="module", params=["v1.3", "network"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    made_up = holdings_of([PERSON], 3)
    (consent,), client = made_up.consents, {**made_up.clients[0], **OF_CLIENTS}
    asked = {**consent["consent_request"], **OF_REQUESTS, "client": client}
    key = {"set": "s", "kid": "k", "d": "planted-issuer-key"}
    held = Holdings(
        clients=[client],
        issuers=[{**made_up.issuers[0], "public_key": key, **OF_CONSENTS}],
        consents=[{**consent, **OF_CONSENTS, "consent_request": asked}],
        tuples=made_up.tuples,
        organizations=[{**made_up.organizations[0], "secret": "planted-unknown-member"}],
        sessions=[{**each, **OF_SESSIONS} for each in made_up.sessions],
    )
    with Sandbox(
        [{"id": PERSON, "traits": {"email": "a@example.com"}}], manner=request.param, holdings=held
    ) as running:
        yield running


def environment(sandbox: Sandbox) -> dict[str, str]:
    variables = {
        "BASE_URL": sandbox.url,
        "API_TOKEN": KEY,
        "OAUTH2_URL": sandbox.oauth2_url,
        "PERMISSIONS_URL": sandbox.permissions_url,
        "CONSENT_SUBJECTS": json.dumps([PERSON]),
        "ACCESS": "true",
        "LOGLEVEL": "debug",
    }
    if sandbox.oauth2_url == sandbox.url:
        variables |= {"CONSOLE_URL": sandbox.url, "CONSOLE_TOKEN": WORKSPACE_KEY, "PROJECT_ID": PROJECT_ID}
    return {f"TAP_ORY_{name}": value for name, value in variables.items()}


@pytest.mark.parametrize("arguments", [["--discover"], ["--check"], ["--select", ",".join(STREAMS)]])
def test_none_is_in_any_output(sandbox: Sandbox, arguments: list[str]) -> None:
    run = run_tap(*arguments, environment=environment(sandbox))
    assert run.code == 0, run.stderr
    assert [secret for secret in [*SECRETS, "planted"] if secret in run.stdout + run.stderr] == []
    if arguments[0] == "--select":
        streams = {message["stream"] for message in run.messages if message["type"] == "RECORD"}
        assert {"oauth2_clients", "trust_issuers", "consents", "relation_tuples", "organizations"} - streams <= {
            # Self-hosted there are none.
            "organizations"
        }


def test_a_catalog_that_declares_and_selects_them_gets_none(sandbox: Sandbox, tmp_path: Path) -> None:
    """But metadata, which a setting lets out, and what nobody has declared withheld."""
    catalog = json.loads(run_tap("--discover", environment=environment(sandbox)).stdout)
    for stream in catalog["streams"]:
        for name in (*OF_CLIENTS, *OF_CONSENTS, *OF_REQUESTS, *OF_SESSIONS, "consent_request"):
            if name == "unknown_to_us":
                continue
            stream["schema"]["properties"].setdefault(name, {})
            crumb = {"breadcrumb": ["properties", name], "metadata": {"selected": True}}
            stream["metadata"].append(crumb)
        for each in stream["metadata"]:
            each["metadata"]["selected"] = True
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(catalog))
    run = run_tap("--catalog", str(path), environment=environment(sandbox))
    assert run.code == 0, run.stderr
    lines = [line for line in run.stdout.splitlines() if '"planted' not in line or '"SCHEMA"' not in line]
    assert [secret for secret in SECRETS if any(secret in line for line in lines) or secret in run.stderr] == []


def test_airbytes_source_tells_none(sandbox: Sandbox, files: Files) -> None:
    settings = {name.removeprefix("TAP_ORY_").lower(): text for name, text in environment(sandbox).items()}
    config = files.write({name: text for name, text in settings.items() if name != "loglevel"})
    streams = files.discovered(config)
    told = run_source("read", "--config", config, "--catalog", files.catalog(streams))
    assert told.code == 0, told.output
    assert {"oauth2_clients", "trust_issuers", "consents", "relation_tuples", "sessions"} <= told.records.keys()
    assert [secret for secret in [*SECRETS, "planted"] if secret.encode() in told.output] == []


def test_a_file_for_c1_holds_none(sandbox: Sandbox, tmp_path: Path) -> None:
    path, database = tmp_path / "users.c1z", tmp_path / "database"
    variables = {**environment(sandbox), "TAP_ORY_LAST_LOGIN": "true"}
    command = (sys.executable, "-m", "c1_connector", "--file", str(path))
    run = run_tap(environment=variables, command=command)
    assert run.code == 0, run.stderr
    unpack_c1z(path, database)
    told = database.read_bytes() + run.stdout.encode() + run.stderr.encode()
    assert PERSON.encode() in told
    assert [secret for secret in [*SECRETS, "planted"] if secret.encode() in told] == []


def test_metadata_comes_with_its_setting_alone(sandbox: Sandbox) -> None:
    variables = {**environment(sandbox), "TAP_ORY_CLIENT_METADATA": "true"}
    run = run_tap("--select", "oauth2_clients", environment=variables)
    (record,) = [message["record"] for message in run.messages if message["type"] == "RECORD"]
    assert record["metadata"] == OF_CLIENTS["metadata"]
    others = [secret for secret in SECRETS if secret != "planted-client-metadata"]
    assert [secret for secret in others if secret in run.stdout + run.stderr] == []
