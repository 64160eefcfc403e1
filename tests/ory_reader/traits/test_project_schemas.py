"""When a run must not go on without the project's identity schemas, and when it may."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import backoff._sync
import pytest

from ory_reader.errors import AccessError, SettingsError, TapOryError, UnavailableError
from ory_sandbox import Sandbox
from tap_ory.tap import TapOry
from tests.command import records, run_tap, sync, unchanged_signals
from tests.faults.sandbox import FaultySandbox

Json = dict[str, Any]
GONE = {"do": "status", "on": "schemas", "status": 404, "times": None}
REFUSED = {"do": "status", "on": "schemas", "status": 403, "times": None}
UNAVAILABLE = {"do": "status", "on": "schemas", "status": 503, "times": None}
#: People who are somebody else by well-known names: the address of the keyword is the other one.
WORK = {
    "type": "object",
    "properties": {
        "traits": {
            "type": "object",
            "properties": {
                "email": {"type": "string"},
                "work": {
                    "type": "string",
                    "ory.sh/kratos": {
                        "credentials": {"password": {"identifier": True}},
                        "verification": {"via": "email"},
                    },
                },
            },
        }
    },
}
PERSON = {
    "id": "5473449e-79d9-4fbb-8f06-9a4f9d697860",
    "traits": {"email": "ada@home.example", "work": "ada@work.example"},
}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff._sync, "time", SimpleNamespace(sleep=lambda _: None))


def project(*faults: Json) -> Sandbox:
    return FaultySandbox([PERSON], schemas=[("default", WORK)], faults=faults)


def select(tap: TapOry, *names: str) -> None:
    for stream in tap.streams.values():
        stream.selected = stream.name in names


def catalog(*names: str, sandbox: Sandbox | None = None) -> Json:
    """A catalog with these streams selected; typed if it is discovered."""
    with unchanged_signals():
        tap = TapOry(config={"base_url": sandbox.url}, setup_mapper=False) if sandbox else TapOry(validate_config=False)
        made: Json = json.loads(tap.catalog_json_text)
    for stream in made["streams"]:
        (own,) = (entry for entry in stream["metadata"] if not entry["breadcrumb"])
        own["metadata"]["selected"] = stream["stream"] in names
    return made


def state_of(output: bytes) -> Json:
    state: Json = json.loads(output.splitlines()[-1])["value"]
    return state


def users(sandbox: Sandbox, **config: Any) -> list[Json]:
    return records(sync({"base_url": sandbox.url, **config}, prepare=lambda tap: select(tap, "users")))


def asked_for_pages(sandbox: Sandbox) -> bool:
    return any(seen.target.startswith("/admin/identities") for seen in sandbox.requests.log)


@pytest.mark.parametrize(
    "fault", [UNAVAILABLE, REFUSED, {"do": "status", "on": "schemas", "status": 200, "html": True}]
)
def test_users_are_not_read_without_the_schemas_if_there_may_be_some(fault: Json) -> None:
    with project({**fault, "times": None}) as sandbox:
        with pytest.raises(TapOryError, match=r"Set public_url to .*, or identity_schemas to off"):
            users(sandbox)
        assert not asked_for_pages(sandbox)


@pytest.mark.parametrize(
    "fault", [{**UNAVAILABLE, "times": 3}, {"do": "reset", "on": "schemas"}, {"do": "cut", "on": "schemas"}]
)
def test_what_goes_away_changes_nobody(fault: Json) -> None:
    with project(fault) as sandbox:
        (user,) = users(sandbox)
    assert user["email"] == "ada@work.example"


def test_a_definite_answer_means_well_known_names(caplog: pytest.LogCaptureFixture) -> None:
    with project(GONE) as sandbox:
        (user,) = users(sandbox)
    assert user["email"] == "ada@home.example"
    (warning,) = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    assert "answered 404" in warning
    assert "set public_url" in warning.lower()


@pytest.mark.parametrize("off", ["off", False])
def test_the_setting_says_for_good_that_there_are_none(off: object, caplog: pytest.LogCaptureFixture) -> None:
    with project(UNAVAILABLE) as sandbox:
        (user,) = users(sandbox, identity_schemas=off)
        assert not any("schemas" in seen.target for seen in sandbox.requests.log)
        with project() as elsewhere:
            discovered = catalog("users", sandbox=elsewhere)
        output = sync({"base_url": sandbox.url, "identity_schemas": off}, catalog=discovered)
    assert user["email"] == "ada@home.example"
    assert records(output)[0]["email"] == "ada@home.example"
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_identities_that_never_had_types_go_on_without(caplog: pytest.LogCaptureFixture) -> None:
    with project(REFUSED) as sandbox:
        output = sync({"base_url": sandbox.url})
    assert records(output)[0]["traits"] == PERSON["traits"]
    assert "answered 403" in caplog.text
    assert "typed_traits" not in state_of(output)["bookmarks"]["identities"]


@pytest.mark.parametrize("fault", [UNAVAILABLE, REFUSED, GONE])
def test_identities_that_had_types_do_not_lose_them(fault: Json) -> None:
    with project() as sandbox:
        state = state_of(sync({"base_url": sandbox.url}))
    with project(fault) as sandbox:
        with pytest.raises(TapOryError, match="identity_schemas to off"):
            sync({"base_url": sandbox.url}, state=state)
        assert not asked_for_pages(sandbox)
        # Said for good, and forgotten by that.
        output = sync({"base_url": sandbox.url, "identity_schemas": "off"}, state=state)
        assert state_of(output)["bookmarks"]["identities"]["typed_traits"] is False
        sync({"base_url": sandbox.url}, state=state_of(output))


@pytest.mark.parametrize("given", [True, False])
def test_users_that_were_made_of_schemas_are_not_made_without(given: bool) -> None:  # noqa: FBT001
    """Also by a catalog that has no types of its own, and by a typed one without a state."""
    with project() as sandbox:
        typed = catalog("users", sandbox=sandbox)
        state = state_of(sync({"base_url": sandbox.url}, catalog=catalog("users")))
    with project(GONE) as sandbox, pytest.raises(AccessError, match="identity_schemas to off"):
        sync({"base_url": sandbox.url}, catalog=typed if given else catalog("users"), state=None if given else state)


def test_a_typed_catalog_of_identities_needs_no_schemas() -> None:
    with project() as sandbox:
        typed = catalog("identities", sandbox=sandbox)
        state = state_of(sync({"base_url": sandbox.url}, catalog=typed))
    with project(UNAVAILABLE) as sandbox:
        output = sync({"base_url": sandbox.url}, catalog=typed, state=state)
        assert not any("schemas" in seen.target for seen in sandbox.requests.log)
    assert b'"work":{"type":["string","null"]}' in output.splitlines()[1].replace(b" ", b"")


def test_a_catalog_that_lacks_the_types_that_were_there_is_refused() -> None:
    """It was discovered when the schemas could not be read, say."""
    with project() as sandbox:
        state = state_of(sync({"base_url": sandbox.url}))
        with pytest.raises(SettingsError, match=r"identities\.traits, which earlier runs had: discover it again"):
            sync({"base_url": sandbox.url}, catalog=catalog("identities"), state=state)
    with Sandbox([PERSON], schemas=[("default", {})]) as sandbox:
        # The schemas themselves say nothing any more.
        assert records(sync({"base_url": sandbox.url}, catalog=catalog("identities"), state=state))


@pytest.fixture(scope="module")
def refusing() -> Iterator[Sandbox]:
    with project(REFUSED) as sandbox:
        yield sandbox


@pytest.mark.parametrize("arguments", [["--discover", "--select", "users"], ["--explain-users"]])
def test_commands_that_tell_of_users_end_likewise(refusing: Sandbox, arguments: list[str]) -> None:
    environment = {"TAP_ORY_BASE_URL": refusing.url}
    run = run_tap(*arguments, environment=environment)
    (line,) = run.logged("ERROR")
    assert (run.code, run.stdout) == (1, "")
    assert "The identity schemas could not be read: GET" in line
    assert "answered 403" in line
    assert "identity_schemas to off" in line
    off = run_tap(*arguments, environment={**environment, "TAP_ORY_IDENTITY_SCHEMAS": "off"})
    assert off.code == 0
    assert off.logged("ERROR") == off.logged("WARNING") == []


@pytest.mark.parametrize("arguments", [["--discover", "--select", "users"], ["--explain-users"]])
def test_commands_warn_where_there_are_none(arguments: list[str]) -> None:
    with project(GONE) as sandbox:
        run = run_tap(*arguments, environment={"TAP_ORY_BASE_URL": sandbox.url})
    assert run.code == 0
    (line,) = run.logged("WARNING")
    assert "answered 404" in line


def test_a_discovery_goes_on_with_a_warning(refusing: Sandbox) -> None:
    """Whoever reads users by its catalog asks for the schemas again; who had types does not lose them by it."""
    run = run_tap("--discover", environment={"TAP_ORY_BASE_URL": refusing.url})
    assert run.code == 0
    (line,) = run.logged("WARNING")
    assert "answered 403" in line


def test_a_test_run_of_users_ends_likewise(refusing: Sandbox) -> None:
    with unchanged_signals():
        tap = TapOry(config={"base_url": refusing.url})
        select(tap, "users")
        with pytest.raises(AccessError, match="identity_schemas to off"):
            tap.run_connection_test()


def test_a_long_rate_limit_is_one_sentence() -> None:
    limited = {"do": "status", "on": "schemas", "status": 429, "retry_after": 1000, "times": None}
    with project(limited) as sandbox, pytest.raises(UnavailableError, match="asked to wait 1000 s"):
        sync({"base_url": sandbox.url})
