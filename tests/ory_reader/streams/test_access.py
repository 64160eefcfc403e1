"""Access as streams: made of whole lists or not at all, by what is set, through the library's door and the command."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import ory_reader
from ory_reader.resources.access import KEYS
from ory_reader.streams import STREAMS
from ory_sandbox import Sandbox
from ory_sandbox.holdings import Holdings
from tests.command import run_tap

ADA, BOB, CY = (f"{number:08x}-0000-4000-8000-000000000000" for number in (1, 2, 3))
ACME = "0b7a4f6e-1111-4c2d-9a3b-000000000001"
TUPLES: list[dict[str, Any]] = [
    {"namespace": "Team", "object": "a", "relation": "members", "subject_id": ADA},
    {"namespace": "Team", "object": "b", "relation": "members", "subject_id": "employee-2"},
    {
        "namespace": "Team",
        "object": "a",
        "relation": "members",
        "subject_set": {"namespace": "Team", "object": "b", "relation": "members"},
    },
    {
        "namespace": "Document",
        "object": "x:1",
        "relation": "viewers",
        "subject_set": {"namespace": "Team", "object": "a", "relation": "members"},
    },
    {
        "namespace": "Document",
        "object": "x:1",
        "relation": "owners",
        "subject_set": {"namespace": "User", "object": "cy@example.com", "relation": ""},
    },
]


def person(identity: str, email: str, **more: Any) -> dict[str, Any]:
    return {"id": identity, "schema_id": "customer", "traits": {"email": email}, **more}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    people = [
        person(ADA, "ada@example.com", organization_id=ACME),
        person(BOB, "bob@example.com", external_id="employee-2"),
        person(CY, "cy@example.com"),
    ]
    with Sandbox(people, manner="v1.3", holdings=Holdings(tuples=TUPLES)) as serving:
        yield serving


def settings(sandbox: Sandbox, **given: Any) -> dict[str, Any]:
    urls = {"permissions_url": sandbox.permissions_url, "oauth2_url": sandbox.oauth2_url}
    return {"base_url": sandbox.url, "access": True, **urls, **given}


def records(sandbox: Sandbox, **given: Any) -> dict[str, list[dict[str, Any]]]:
    """The records of all three, through the library."""
    project = ory_reader.settings(**settings(sandbox, **given))
    decoders = {name: ory_reader.decoder(name, project) for name in KEYS}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in KEYS}
    with ory_reader.open_read(project, stream="access_grants") as read:
        for page in read.pages():
            for name, decode in decoders.items():
                found[name] += decode(page)
    assert read.whole
    return found


def users_of(found: dict[str, list[dict[str, Any]]]) -> set[tuple[str, str]]:
    return {
        (row["entitlement_id"], row["principal_id"])
        for row in found["access_grants"]
        if row["principal_type"] == "user"
    }


def test_each_record_fits_its_schema_and_who_may_do_what_is_known(sandbox: Sandbox) -> None:
    found = records(sandbox)
    for name, rows in found.items():
        validator = Draft202012Validator(STREAMS[name].schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)
        assert rows
        assert not [error.message for row in rows for error in validator.iter_errors(row)]
        assert len({tuple(row[key] for key in KEYS[name]) for row in rows}) == len(rows)
    assert users_of(found) == {
        ("keto-Team:a:members", ADA),
        ("keto-Team:a:members", BOB),
        ("keto-Team:b:members", BOB),
        ("keto-Document:x:1:viewers", ADA),
        ("keto-Document:x:1:viewers", BOB),
        (f"organization:{ACME}:member", ADA),
    }
    (through,) = [row for row in found["access_grants"] if row["id"] == f"keto-Document:x:1:viewers:user:{BOB}"]
    assert (through["is_direct"], through["sources"]) == (False, {"keto-Team:a:members": False})


def test_names_find_users_where_that_is_set(sandbox: Sandbox) -> None:
    owners = ("keto-Document:x:1:owners", CY)
    assert owners not in users_of(records(sandbox))
    assert owners in users_of(records(sandbox, access_match_names=True))


def test_unexpanded_is_what_was_granted(sandbox: Sandbox) -> None:
    found = records(sandbox, access_expand=False)
    assert all(row["is_direct"] and not row["sources"] for row in found["access_grants"])
    assert [row["expandable"] for row in found["access_grants"] if row["resource_id"] == "x:1"] == [
        ["keto-Team:a:members"]
    ]


def test_what_is_not_configured_is_left_out(sandbox: Sandbox) -> None:
    found = records(sandbox, permissions_url=None, oauth2_url=None)
    assert users_of(found) == {(f"organization:{ACME}:member", ADA)}


def run(sandbox: Sandbox, *arguments: str, **given: Any) -> Any:
    values = settings(sandbox, **given)
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    return run_tap(*arguments, environment={f"TAP_ORY_{name.upper()}": text for name, text in texts.items()})


def test_the_command_activates_all_three_together_and_later_runs_begin_anew(sandbox: Sandbox) -> None:
    done = run(sandbox, "--select", ",".join(KEYS))
    assert done.code == 0, done.stderr
    versions = {each["stream"]: each["version"] for each in done.messages if each["type"] == "ACTIVATE_VERSION"}
    assert {*versions} == {*KEYS}
    assert len({*versions.values()}) == 1
    state = done.messages[-1]["value"]["bookmarks"]
    assert all("snapshot" not in state[name] for name in KEYS)


@pytest.mark.parametrize("gone", ["permissions_url", "oauth2_url"])
def test_there_is_nothing_where_one_list_fails(sandbox: Sandbox, gone: str) -> None:
    from tests.ports import refusing_port  # noqa: PLC0415 - of one test

    with ExitStack() as stack:
        nowhere = {gone: f"http://127.0.0.1:{refusing_port(stack)}/"}
        done = run(sandbox, "--select", ",".join(KEYS), **nowhere)
    assert done.code == 1
    assert {each["type"] for each in done.messages} <= {"SCHEMA", "STATE"}
    (line,) = done.logged("ERROR")
    assert gone in line


def test_off_is_off(sandbox: Sandbox) -> None:
    listed = run(sandbox, "--discover", access=False)
    assert not {*KEYS} & {each["stream"] for each in json.loads(listed.stdout)["streams"]}
    assert {*KEYS} <= {each["stream"] for each in json.loads(run(sandbox, "--discover").stdout)["streams"]}
    refused = run(sandbox, "--select", "access_grants", access=False)
    assert (refused.code, refused.stdout) == (1, "")
    assert refused.logged("ERROR") == [
        "Setting access is off, which the stream access_grants needs: set it to true, or do not select that."
    ]


@pytest.mark.parametrize("narrowed", [{"organization_id": ACME}, {"namespaces": ["Document"]}])
@pytest.mark.parametrize("arguments", [["--select", ",".join(KEYS)], ["--explain-access"]])
def test_what_leaves_people_or_tuples_out_is_refused(
    sandbox: Sandbox, narrowed: dict[str, Any], arguments: list[str]
) -> None:
    done = run(sandbox, *arguments, **narrowed)
    assert done.code == 1
    assert not [line for line in done.stdout.splitlines() if '"RECORD"' in line or '"ACTIVATE_VERSION"' in line]
    (name,) = narrowed
    (line,) = done.logged("ERROR")
    assert line == f"Setting {name} leaves out what access is made of: unset it where access is read."


def test_more_objects_than_allowed_end_the_run(sandbox: Sandbox) -> None:
    done = run(sandbox, "--select", ",".join(KEYS), access_max_objects=2)
    assert done.code == 1
    assert not [each for each in done.messages if each["type"] == "RECORD"]
    (line,) = done.logged("ERROR")
    assert line.startswith("Relation tuples name 3 objects (Team 2, Document 1), more than access_max_objects (2)")


def test_explained_before_anything_is_written(sandbox: Sandbox) -> None:
    done = run(sandbox, "--explain-access")
    assert done.code == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["objects", "of", "Document", "keto-Document", "1", "owners", "1", "0", "0"] in lines
    # Both teams and both of their members.
    assert ["viewers", "1", "1", "4"] in [line[-4:] for line in lines]
    assert "permits" in done.stdout
    assert "cy@example.com" in done.stdout
