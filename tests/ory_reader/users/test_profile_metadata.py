"""metadata_public in a user's profile, with its setting: beside the traits, and in the way of none of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import ory_reader
from ory_reader.library import view
from ory_sandbox import Sandbox
from tests.command import run_tap

PEOPLE: list[dict[str, Any]] = [
    {"traits": {"email": "a@example.com"}, "metadata_public": {"plan": "pro", "seats": 10**30, "odd": 'a "b" \\ {}'}},
    {"traits": {"email": "b@example.com"}, "metadata_public": None},
    {"traits": {}, "metadata_public": {"plan": "free"}},
    {"traits": {"email": "d@example.com"}, "metadata_public": ["a"]},
    {"traits": {"email": "e@example.com", "metadata_public": "mine"}, "metadata_public": {"plan": "pro"}},
    {"traits": {"email": "f@example.com", "nested": {"metadata_public": 1}}, "metadata_public": {"n": {"deep": [1]}}},
]
EXPECTED = [
    {"email": "a@example.com", "metadata_public": PEOPLE[0]["metadata_public"]},
    {"email": "b@example.com"},
    {"metadata_public": {"plan": "free"}},
    {"email": "d@example.com"},
    {"email": "e@example.com", "metadata_public": "mine"},
    {"email": "f@example.com", "nested": {"metadata_public": 1}, "metadata_public": {"n": {"deep": [1]}}},
]


def profiles(**given: Any) -> list[Any]:
    ids = [f"{number}0000000-0000-4000-8000-000000000000" for number in range(len(PEOPLE))]
    people = [{**each, "id": identity_id} for each, identity_id in zip(PEOPLE, ids, strict=True)]
    with Sandbox(people, manner="network") as sandbox:
        project = ory_reader.settings(base_url=sandbox.url, api_token="ory_pat_x", **given)
        records = ory_reader.decoder("users", project)
        with ory_reader.open_read(project, stream="users") as reading:
            found = {record["id"]: record for page in reading.pages() for record in records(page)}
        validator = Draft202012Validator(view("users", project).schema)
        assert not [error.message for record in found.values() for error in validator.iter_errors(record)]
    return [found[identity_id]["profile"] for identity_id in ids]


def test_it_is_beside_the_traits_where_it_is_an_object() -> None:
    assert profiles(profile_metadata=True) == EXPECTED


def test_without_the_setting_the_profile_is_the_traits() -> None:
    assert profiles() == [each["traits"] for each in PEOPLE]


@pytest.mark.parametrize("setting", ["true", "false"])
def test_the_command_declares_and_writes_it(setting: str) -> None:
    with Sandbox(60) as sandbox:
        variables = {"BASE_URL": sandbox.url, "PUBLIC_URL": sandbox.public_url, "PROFILE_METADATA": setting}
        run = run_tap("--select", "users", environment={f"TAP_ORY_{name}": value for name, value in variables.items()})
        wanted = {each["id"]: each["metadata_public"] for each in sandbox.identities}
    assert run.code == 0, run.stderr
    (schema,) = [message["schema"] for message in run.messages if message["type"] == "SCHEMA"]
    assert ("metadata_public" in schema["properties"]["profile"]["properties"]) is (setting == "true")
    for message in run.messages:
        if message["type"] == "RECORD":
            record = message["record"]
            is_there = setting == "true" and isinstance(wanted[record["id"]], dict)
            assert record["profile"].get("metadata_public") == (wanted[record["id"]] if is_there else None)


def test_a_field_may_be_made_of_it_as_well() -> None:
    found = profiles(profile_metadata=True, user_fields={"employee_id": "/metadata_public/plan"})
    assert json.dumps(found) == json.dumps(EXPECTED)
