"""Catalogs of the command line: one that selects nothing is refused in a line, and others are read as ever."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ory_sandbox import Sandbox
from tap_ory.tap import TapOry
from tests.command import Finished, run_tap
from tests.interrupted import both

PEOPLE = 20
Catalog = dict[str, Any]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(PEOPLE) as running:
        yield running


def run(sandbox: Sandbox, tmp_path: Path, catalog: Any) -> Finished:
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps(catalog))
    return run_tap("--catalog", str(file), environment={"TAP_ORY_BASE_URL": sandbox.url})


def named(name: str) -> Catalog:
    """A catalog of one stream, selected, of this name."""
    (stream,) = (each for each in both("identities")["streams"] if each["stream"] == "identities")
    return {"streams": [{**stream, "tap_stream_id": name, "stream": name}]}


def without(member: str, name: str = "identities") -> Catalog:
    catalog = both(name)
    (stream,) = (each for each in catalog["streams"] if each["stream"] == name)
    del stream[member]
    return catalog


def airbyte() -> Catalog:
    stream = {"name": "identities", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    return {"streams": [{"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}]}


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: {"bookmarks": {"identities": {}}}, "is no catalog: it looks like a state"),
        (lambda: {"type": "STATE", "value": {}}, "is no catalog: it has no list of 'streams'"),
        (dict, "is no catalog: it has no list of 'streams'"),
        (lambda: {"streams": {}}, "is no catalog: it has no list of 'streams'"),
        (lambda: {"streams": []}, "selects no stream"),
        (both, "selects no stream"),
        (lambda: named("persons"), "selects none but 'persons'"),
        (lambda: {"streams": ["identities"]}, "is no catalog"),
        (lambda: {"streams": [None]}, "is no catalog"),
        (lambda: without("tap_stream_id"), "is no catalog"),
        (airbyte, "is no catalog"),
    ],
)
def test_one_that_selects_nothing_is_refused(
    sandbox: Sandbox, tmp_path: Path, made: Callable[[], Catalog], says: str
) -> None:
    before = sandbox.requests.count
    done = run(sandbox, tmp_path, made())
    (line,) = done.logged("ERROR")
    assert (done.code, done.stdout) == (1, "")
    assert f"The file '{tmp_path / 'catalog.json'}' given to --catalog {says}" in line
    assert "Traceback" not in done.stderr
    assert sandbox.requests.count == before


def test_a_stream_that_there_is_not_is_told_of_beside_one_that_there_is(sandbox: Sandbox, tmp_path: Path) -> None:
    catalog = {"streams": [*named("persons")["streams"], *both("identities")["streams"]]}
    done = run(sandbox, tmp_path, catalog)
    assert done.code == 0
    assert sum(message["type"] == "RECORD" for message in done.messages) == PEOPLE
    assert [line for line in done.logged("WARNING") if "'persons'" in line]


@pytest.mark.parametrize(
    ("member", "name"), [("metadata", "identities"), ("schema", "identities"), ("schema", "users")]
)
def test_one_with_less_in_it_is_read_as_ever(sandbox: Sandbox, tmp_path: Path, member: str, name: str) -> None:
    """Whatever the SDK takes for selected is."""
    done = run(sandbox, tmp_path, without(member, name))
    assert (done.code, sum(message["type"] == "RECORD" for message in done.messages)) == (0, PEOPLE)


def test_every_stream_has_its_key() -> None:
    """Without one a target appends where it should replace."""
    catalog = TapOry(validate_config=False).catalog_dict
    assert {stream["tap_stream_id"]: list(stream["key_properties"]) for stream in catalog["streams"]} == {
        "identities": ["id"],
        "users": ["id"],
    }
