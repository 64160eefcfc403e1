from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from typing import Any

import jsonschema
import pytest

from ory_sandbox import Sandbox
from ory_sandbox.render import render

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?Z")
MANNERS = ["v1.0", "v1.3", "network"]


@cache
def people(manner: str) -> list[dict[str, Any]]:
    with Sandbox(3000, manner=manner) as sandbox:
        return sandbox.identities_with_credentials()


def _text(manner: str, count: int = 3000, seed: int = 1) -> bytes:
    with Sandbox(count, manner=manner, seed=seed) as sandbox:
        return bytes(sandbox._store.page(range(count))).replace(sandbox.public_url.encode(), b"")


def test_the_same_seed_makes_the_same_people() -> None:
    assert _text("network", 50) == _text("network", 50)
    assert _text("network", 50) != _text("network", 50, seed=2)


def test_all_manners_have_the_same_people() -> None:
    def of(manner: str) -> dict[str, tuple[Any, str]]:
        return {each["id"]: (each["traits"], each["state"]) for each in people(manner)}

    assert of("v1.0") == of("v1.3") == of("network")


@pytest.mark.parametrize("manner", MANNERS)
def test_rows_are_of_a_usual_size(manner: str) -> None:
    assert 700 <= len(_text(manner)) / 3000 <= 1100


@pytest.mark.parametrize("manner", MANNERS)
def test_ids_are_random_uuids_spread_evenly(manner: str) -> None:
    ids = [each["id"] for each in people(manner)]
    pattern = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    assert all(map(pattern.fullmatch, ids))
    assert len(set(ids)) == 3000
    assert all(120 <= count <= 260 for count in Counter(each[0] for each in ids).values())


@pytest.mark.parametrize("manner", MANNERS)
def test_keys_are_in_the_servers_order(manner: str) -> None:
    order = [
        "id",
        "external_id",
        "credentials",
        "schema_id",
        "schema_url",
        "state",
        "state_changed_at",
        "traits",
        "verifiable_addresses",
        "recovery_addresses",
        "metadata_public",
        "metadata_admin",
        "created_at",
        "updated_at",
        "organization_id",
    ]
    seen: Counter[str] = Counter()
    for each in people(manner):
        assert list(each) == [key for key in order if key in each]
        seen.update(each.keys())
    always = {*order} - {"external_id", "state_changed_at", "verifiable_addresses", "recovery_addresses"}
    missing = {"v1.0": {"external_id", "organization_id"}, "v1.3": {"external_id"}, "network": set()}[manner]
    assert {key for key in order if seen[key] == 3000} == always - missing
    assert {key for key in order if not seen[key]} == missing


@pytest.mark.parametrize("manner", MANNERS)
def test_rows_are_what_the_renderer_would_have_written(manner: str) -> None:
    with Sandbox(3000, manner=manner) as sandbox:
        rows = [sandbox._store.row(index) for index in range(3000)]
    # Amounts such as 9.50 and unescaped names don't survive being read and written again.
    plain = [row for row in rows if row.isascii() and b'"balance"' not in row]
    assert len(plain) > 1000
    assert [render(json.loads(row))[0] for row in plain] == plain


@pytest.mark.parametrize("manner", MANNERS)
def test_times_have_mixed_precision_and_an_order(manner: str) -> None:
    digits: dict[str, set[int]] = {"created_at": set(), "state_changed_at": set(), "verified_at": set()}
    for each in people(manner):
        created, changed = each["created_at"][:19], each.get("state_changed_at", "9999")[:19]
        assert created <= each["updated_at"][:19]
        # Somebody was made inactive after they were created, if ever.
        assert changed == created if changed != "9999" and each["state"] == "active" else changed > created
        addresses = each.get("verifiable_addresses", [])
        for key, values in (
            ("created_at", [each["created_at"]]),
            ("state_changed_at", [each["state_changed_at"]] if "state_changed_at" in each else []),
            ("verified_at", [address["verified_at"] for address in addresses if address["verified"]]),
        ):
            for value in values:
                match = _TIME.fullmatch(value)
                assert match
                assert not (match[1] or "").endswith("0")
                digits[key].add(len(match[1] or ""))
    assert max(digits["created_at"]) == 6
    assert min(digits["created_at"]) == 0
    assert max(digits["state_changed_at"]) == max(digits["verified_at"]) == 9
    moved = [each for each in people(manner) if each["updated_at"] != each["created_at"]]
    assert bool(moved) == (manner == "network")


@pytest.mark.parametrize("manner", MANNERS)
def test_metadata_is_any_json_that_the_servers_database_gives_back(manner: str) -> None:
    for key in ("metadata_public", "metadata_admin"):
        types = Counter(type(each[key]).__name__ for each in people(manner))
        assert types["NoneType"] > 1500
        expected = {"NoneType", "dict", "list", "str", "bool"}
        assert {*types} == expected | ({"int", "float"} if manner == "network" else set())


def _marked(schema: dict[str, Any], value: Any, found: list[tuple[dict[str, Any], str]]) -> None:
    """The values of all traits that Ory's extension keyword says something of."""
    if "ory.sh/kratos" in schema:
        found.append((schema["ory.sh/kratos"], value.lower()))
    for key, each in schema.get("properties", {}).items():
        if isinstance(value, dict) and key in value:
            _marked(each, value[key], found)
    if isinstance(value, list):
        for item in value:
            _marked(schema["items"], item, found)


@pytest.mark.parametrize("manner", MANNERS)
def test_people_are_what_their_schema_makes_of_their_traits(manner: str) -> None:
    with Sandbox(0, manner=manner) as sandbox:
        schemas = dict(sandbox._schemas)
    for schema in schemas.values():
        jsonschema.Draft7Validator.check_schema(schema)
    validators = {name: jsonschema.Draft7Validator(schema) for name, schema in schemas.items()}
    for each in people(manner):
        validators[each["schema_id"]].validate({"traits": each["traits"]})
        found: list[tuple[dict[str, Any], str]] = []
        _marked(schemas[each["schema_id"]]["properties"]["traits"], each["traits"], found)
        reached = {(mark["verification"]["via"], value) for mark, value in found if "verification" in mark}
        verifiable = each.get("verifiable_addresses", [])
        assert {(address["via"], address["value"]) for address in verifiable} == reached
        assert [address["id"] for address in verifiable] == sorted(address["id"] for address in verifiable)
        recovery = {address["value"] for address in each.get("recovery_addresses", [])}
        assert recovery == {value for mark, value in found if "recovery" in mark}
        credentials = each["credentials"]
        assert list(credentials) == sorted(credentials)
        for kind in ("password", "webauthn", "code"):
            marks = [value for mark, value in found if mark.get("credentials", {}).get(kind, {}).get("identifier")]
            identifiers = credentials.get(kind, {"identifiers": []})["identifiers"]
            assert identifiers == sorted(marks)


def test_there_is_some_of_everything() -> None:
    rows = people("network")
    schemas = Counter(each["schema_id"] for each in rows)
    assert {*schemas} == {"person", "staff", "customer", "preset://basic"}
    assert min(schemas.values()) > 200
    assert 100 < sum(each["state"] == "inactive" for each in rows) < 400
    identifiers = [each["credentials"]["password"]["identifiers"][-1] for each in rows]
    assert len(set(identifiers)) == 3000
    assert any(not identifier.isascii() for identifier in identifiers)
    statuses = Counter(address["status"] for each in rows for address in each.get("verifiable_addresses", []))
    assert {*statuses} == {"completed", "sent", "pending"}
    assert 0 < sum(each["organization_id"] is not None for each in rows) < 600
    text = _text("network")
    for piece in (b"\\u00eb \\ud83d\\ude00", "Zoë 😀".encode(), b"\\u003c", b"\\u0026", b'\\"Kid\\"', b"\\nChelsea"):
        assert piece in text
    assert not re.search(rb"[<>&\x00-\x1f]", text)


def test_names_are_ascii_for_everybody_or_nobody() -> None:
    def of(names: str) -> list[str]:
        with Sandbox(500, names=names) as sandbox:
            assert bytes(sandbox._store.page(range(500))).isascii() is (names == "ascii")
            return [name for each in sandbox.identities for name in each["traits"].get("name", {}).values()]

    assert all(map(str.isascii, of("ascii")))
    assert not any(map(str.isascii, of("unicode")))
    assert len(of("unicode")) > 600
