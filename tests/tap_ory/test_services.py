"""Streams of servers beside Kratos, through the command: found, left out, refused, checked, each with its key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ory_reader.config.services import HYDRA, KETO, KRATOS
from ory_reader.config.settings import Settings
from ory_reader.streams import STREAMS
from ory_sandbox import Sandbox
from tests.command import KEY, Finished, run_tap
from tests.ory_reader.streams.recorded import server_of
from tests.scripted import always, reply

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER_KEY = "ory_pat_Another+Key/NeverSeen=2"
ISSUERS = "hydra-v2.3.0/trust-grants"
CLIENTS = "hydra-v2.3.0/clients"
NAMESPACES = "keto-v0.13.0/namespaces"
NOWHERE = Settings.from_config({"base_url": "http://127.0.0.1:1"}, "1")
OF_OTHERS = [name for name, stream in STREAMS.items() if stream.listed(NOWHERE).service is not KRATOS]
OF_KRATOS = ["identities", "users", "sessions", "identity_schemas", "organizations"]


@pytest.fixture(scope="module")
def kratos() -> Iterator[Sandbox]:
    with Sandbox(20) as sandbox:
        yield sandbox


def run(kratos: Sandbox, *arguments: str, **settings: str) -> Finished:
    variables = {f"TAP_ORY_{name.upper()}": value for name, value in {"base_url": kratos.url, **settings}.items()}
    return run_tap(*arguments, environment=variables)


def streams_in(run: Finished) -> list[str]:
    assert run.code == 0, run.stderr
    return [stream["tap_stream_id"] for stream in json.loads(run.stdout)["streams"]]


def test_a_discovery_lists_what_is_there_and_says_what_is_not(kratos: Sandbox) -> None:
    with server_of(ISSUERS) as hydra, server_of() as no_keto:
        found = run(kratos, "--discover", oauth2_url=hydra.url, permissions_url=no_keto.url)
        assert set(streams_in(found)) == {*OF_KRATOS, "trust_issuers"}
        (line,) = [line for line in found.logged("INFO") if "permission_namespaces" in line]
        assert line.startswith(
            f"The stream permission_namespaces is left out: GET {no_keto.url}namespaces answered 404"
        )
        assert "Check permissions_url: it must be Ory Keto" in line
    without = run(kratos, "--discover")
    assert set(streams_in(without)) == set(OF_KRATOS)
    told = [line for line in without.logged("INFO") if "left out" in line]
    assert [line.split(":")[0] for line in told] == [f"The stream {name} is left out" for name in OF_OTHERS]
    assert [setting for setting in ("oauth2_url", "permissions_url") if setting in told[-1]] == ["oauth2_url"]


def test_a_server_that_does_not_answer_is_not_one_without_the_list(kratos: Sandbox) -> None:
    found = run(kratos, "--discover", oauth2_url="http://127.0.0.1:1")
    assert "trust_issuers" in streams_in(found)
    warnings = found.logged("WARNING")
    assert all("connection refused. Check oauth2_url" in each for each in warnings)
    assert len(warnings) == sum(stream.resource.service is HYDRA for stream in STREAMS.values())


def test_what_kratos_answers_is_no_list_of_others(kratos: Sandbox) -> None:
    found = run(kratos, "--discover", oauth2_url=kratos.url, permissions_url=kratos.url)
    assert set(streams_in(found)) == set(OF_KRATOS)


def test_a_stream_by_name_whose_server_is_nowhere_is_an_error(kratos: Sandbox) -> None:
    refused = run(kratos, "--select", "identities,trust_issuers")
    assert (refused.code, refused.stdout) == (1, "")
    (error,) = refused.logged("ERROR")
    assert error.startswith("Setting oauth2_url is missing: the stream trust_issuers is read from Ory Hydra: set it to")


def test_a_stream_by_name_that_its_server_lacks_is_an_error(kratos: Sandbox) -> None:
    with server_of() as nothing:
        refused = run(kratos, "--select", "trust_issuers", oauth2_url=nothing.url)
        (error,) = refused.logged("ERROR")
        assert refused.code == 1
        assert error.endswith(
            "answered 404 Not Found. Check oauth2_url: it must be Ory Hydra with its path prefix, if any."
        )


def test_each_list_has_a_version_and_a_state_of_its_own(kratos: Sandbox) -> None:
    with server_of(ISSUERS) as hydra:
        done = run(kratos, "--select", "identities,users,trust_issuers", oauth2_url=hydra.url)
    assert done.code == 0, done.stderr
    activated = {each["stream"]: each["version"] for each in done.messages if each["type"] == "ACTIVATE_VERSION"}
    assert activated["identities"] == activated["users"] != activated["trust_issuers"]
    state = [each["value"] for each in done.messages if each["type"] == "STATE"][-1]["bookmarks"]
    for name, version in activated.items():
        assert list(state[name]["finished"].values()) == [version]
        assert "snapshot" not in state[name]


def test_lists_that_were_finished_stay_so_when_a_later_one_fails(kratos: Sandbox) -> None:
    with always(*reply(401, b'{"error":{"code":401}}')) as hydra:
        failed = run(kratos, "--select", "identities,trust_issuers", oauth2_url=hydra.url)
    assert failed.code == 1
    assert [each["stream"] for each in failed.messages if each["type"] == "ACTIVATE_VERSION"] == ["identities"]
    state = [each["value"] for each in failed.messages if each["type"] == "STATE"][-1]["bookmarks"]
    assert state["identities"]["finished"]
    assert "finished" not in state["trust_issuers"]
    (error,) = failed.logged("ERROR")
    assert "Set oauth2_token" in error


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ({}, None),
        ({"oauth2_token": OTHER_KEY}, f"Bearer {OTHER_KEY}"),
    ],
)
def test_no_key_goes_to_another_host_than_its_own(kratos: Sandbox, settings: dict[str, str], sent: str | None) -> None:
    with server_of(ISSUERS) as hydra:
        secrets = {"api_token": KEY, "http_headers": '{"X-Gateway": "gateway-secret"}'}
        done = run(kratos, "--select", "trust_issuers", oauth2_url=hydra.url, **secrets, **settings)
        assert done.code == 0, done.stderr
        assert [(each.headers.get("authorization"), each.headers.get("x-gateway")) for each in hydra.asked] == [
            (sent, None)
        ]
    assert all(secret not in done.stdout + done.stderr for secret in (KEY, OTHER_KEY, "gateway-secret"))


def test_a_key_that_comes_back_is_shown_in_no_error(kratos: Sandbox) -> None:
    body = json.dumps({"error": {"message": f"what is {OTHER_KEY}?"}}).encode()
    with always(*reply(403, body)) as hydra:
        failed = run(kratos, "--select", "trust_issuers", oauth2_url=hydra.url, oauth2_token=OTHER_KEY)
        told = failed.stdout + failed.stderr
    assert "what is [oauth2_token]?" in told
    assert OTHER_KEY not in told


def test_a_check_tells_each_server_by_itself(kratos: Sandbox) -> None:
    with server_of(CLIENTS) as hydra, always(*reply(401, b'{"error":{"code":401}}')) as keto:
        done = run(kratos, "--check", oauth2_url=hydra.url, permissions_url=keto.url)
        first, second, third = done.stdout.splitlines()
        assert first.startswith(f"Connected to {kratos.url.rstrip('/')}, ")
        assert second == f"Connected to Ory Hydra at {hydra.url.rstrip('/')}, 5 oauth2 clients, no rate limits seen"
        assert third.startswith("Ory Keto: GET ")
        assert "401 Unauthorized. Set permissions_token" in third
        assert done.code == 1
    fine = run(kratos, "--check")
    assert (fine.code, len(fine.stdout.splitlines())) == (0, 1)


def test_one_host_and_one_key_serve_all_on_ory_network() -> None:
    network = {"base_url": "https://slug.projects.oryapis.com", "api_token": KEY}
    settings = Settings.from_config(network, "1")
    assert settings.at(HYDRA) == settings.at(KETO) == settings
    assert settings.terms(HYDRA) == {}
