"""`--select`: exactly these streams, with and without a catalog, for a run and for a discovery."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ory_reader.streams import STREAMS
from ory_sandbox import Sandbox
from tests.command import Finished, run_tap

PEOPLE = 60
THERE_ARE = ", ".join(STREAMS)


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with Sandbox(PEOPLE) as sandbox:
        yield {"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_PUBLIC_URL": sandbox.public_url or sandbox.url}


@pytest.fixture(scope="module")
def catalog(environment: dict[str, str]) -> dict[str, Any]:
    """What `--discover` prints without the option."""
    found: dict[str, Any] = json.loads(run_tap("--discover", environment=environment).stdout)
    return found


def records(run: Finished) -> Counter[str]:
    assert run.code == 0, run.stderr
    streams = {message["stream"] for message in run.messages if message["type"] == "SCHEMA"}
    found = Counter(message["stream"] for message in run.messages if message["type"] == "RECORD")
    assert streams == set(found)
    return found


def write(path: Path, catalog: dict[str, Any]) -> str:
    path.write_text(json.dumps(catalog))
    return str(path)


@pytest.mark.parametrize(
    ("options", "streams"),
    [
        (["--select", "users"], {"users"}),
        (["--select", "identities"], {"identities"}),
        (["--select=users,identities"], {"identities", "users"}),
        (["--select", "users", "--select", "identities"], {"identities", "users"}),
        (["--select", " users ,"], {"users"}),
    ],
)
@pytest.mark.parametrize("given", [False, True], ids=["without a catalog", "with a catalog"])
def test_exactly_these_streams_are_read(  # noqa: PLR0913 - two parameters, three fixtures
    *,
    options: list[str],
    streams: set[str],
    given: bool,
    environment: dict[str, str],
    catalog: dict[str, Any],
    tmp_path: Path,
) -> None:
    file = ["--catalog", write(tmp_path / "catalog.json", catalog)] if given else []
    assert records(run_tap(*options, *file, environment=environment)) == dict.fromkeys(streams, PEOPLE)


def test_without_it_the_catalog_decides(environment: dict[str, str]) -> None:
    assert records(run_tap(environment=environment)) == {"identities": PEOPLE}


def test_users_are_the_same_with_a_catalog_and_without(
    environment: dict[str, str], catalog: dict[str, Any], tmp_path: Path
) -> None:
    given = run_tap("--select", "users", "--catalog", write(tmp_path / "c.json", catalog), environment=environment)
    found = run_tap("--select", "users", environment=environment)
    users = [[each["record"] for each in run.messages if each["type"] == "RECORD"] for run in (given, found)]
    assert users[0] == users[1]
    assert {user["account_type"] for user in users[0]} > {"human"}


def test_what_a_catalog_deselects_of_a_stream_stays_out(
    environment: dict[str, str], catalog: dict[str, Any], tmp_path: Path
) -> None:
    (users,) = [each for each in catalog["streams"] if each["stream"] == "users"]
    metadata = [
        {**each, "metadata": {**each["metadata"], "selected": False}}
        if each["breadcrumb"] == ["properties", "profile"]
        else each
        for each in users["metadata"]
    ]
    file = write(tmp_path / "catalog.json", {"streams": [{**users, "metadata": metadata}]})
    run = run_tap("--select", "users", "--catalog", file, environment=environment)
    assert records(run) == {"users": PEOPLE}
    assert all(
        "profile" not in message["record"] and "email" in message["record"]
        for message in run.messages
        if message["type"] == "RECORD"
    )


def test_a_discovery_selects_them(environment: dict[str, str], tmp_path: Path) -> None:
    for options in (["--select", "users", "--discover"], ["--discover", "--select", "users"]):
        found = json.loads(run_tap(*options, environment=environment).stdout)
        file = write(tmp_path / "catalog.json", found)
        assert records(run_tap("--catalog", file, environment=environment)) == {"users": PEOPLE}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("user", f"names a stream 'user': there are {THERE_ARE}."),
        ("users,Identities", f"names a stream 'Identities': there are {THERE_ARE}."),
        ("users.*", f"names a stream 'users.*': there are {THERE_ARE}."),
        ("", f"names no stream: there are {THERE_ARE}."),
        (",", f"names no stream: there are {THERE_ARE}."),
    ],
)
@pytest.mark.parametrize("command", [[], ["--discover"], ["--check"]], ids=["run", "discover", "check"])
def test_another_name_is_refused_in_one_line(
    name: str, says: str, command: list[str], environment: dict[str, str]
) -> None:
    run = run_tap(*command, "--select", name, environment=environment)
    assert run.code == 1
    assert run.stdout == ""
    assert run.logged("ERROR") == [f"The option --select {says}"]


def only(catalog: dict[str, Any], selected: str) -> dict[str, Any]:
    """A catalog as Meltano writes it for `select: [STREAM.*]`: every field says whether it is selected."""
    streams = []
    for stream in catalog["streams"]:
        is_wanted = stream["stream"] == selected
        metadata = [{**each, "metadata": {**each["metadata"], "selected": is_wanted}} for each in stream["metadata"]]
        streams.append({**stream, "metadata": metadata})
    return {"streams": streams}


def test_a_stream_without_its_fields_is_refused(
    environment: dict[str, str], catalog: dict[str, Any], tmp_path: Path
) -> None:
    others = [each for each in catalog["streams"] if each["stream"] != "users"]
    catalogs: list[dict[str, Any]] = [
        {"streams": others},
        only(catalog, "identities"),
        {"streams": []},
    ]
    for given in catalogs:
        run = run_tap("--select", "users", "--catalog", write(tmp_path / "c.json", given), environment=environment)
        assert run.code == 1
        assert run.stdout == ""
        (line,) = run.logged("ERROR")
        assert line.startswith("The option --select names the stream 'users', of which the file given to --catalog")


def test_what_is_no_catalog_is_called_so(environment: dict[str, str], tmp_path: Path) -> None:
    file = write(tmp_path / "state.json", {"bookmarks": {}})
    run = run_tap("--select", "users", "--catalog", file, environment=environment)
    assert run.code == 1
    (line,) = run.logged("ERROR")
    assert "looks like a state" in line


def test_catalogs_of_others_are_understood(
    environment: dict[str, str], catalog: dict[str, Any], tmp_path: Path
) -> None:
    bare = {"streams": [{name: each[name] for name in ("tap_stream_id", "schema")} for each in catalog["streams"]]}
    for given in (bare, only(catalog, "users")):
        file = write(tmp_path / "c.json", given)
        assert records(run_tap("--select", "users", "--catalog", file, environment=environment)) == {"users": PEOPLE}
