"""Identities as they are written: keys and their order, types, times, escapes."""

import base64
import json
import re
from typing import Any
from uuid import UUID

import pytest

from tests.contract.families import Family
from tests.contract.walk import pages
from tests.servers import Server

FIRST = ("schema_id", "schema_url", "state", "state_changed_at", "traits")
ADDRESSES = ("verifiable_addresses", "recovery_addresses")
THEN = ("metadata_public", "metadata_admin", "created_at", "updated_at")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z")
MICROSECONDS = 6


Row = dict[str, Any]


@pytest.fixture(scope="session")
def bodies(server: Server) -> list[bytes]:
    """All identities, page by page, as they were written."""
    return [page.content for page in pages(server, page_size=500)]


@pytest.fixture(scope="session")
def rows(bodies: list[bytes]) -> list[Row]:
    """All identities."""
    return [row for body in bodies for row in json.loads(body)]


def addresses(rows: list[Row], which: str) -> list[Row]:
    return [address for row in rows for address in row.get(which, ())]


def test_keys_and_their_order(rows: list[Row], family: Family) -> None:
    order = ("id", *family.early_keys, *FIRST, *ADDRESSES, *THEN, *family.late_keys)
    optional = {*family.early_keys, *ADDRESSES, "state_changed_at"}
    for row in rows:
        assert list(row) == [key for key in order if key in row]
        assert set(order) - set(row) <= optional
    assert {key for row in rows for key in row} == set(order)


def test_keys_without_a_value_are_left_out_or_null(rows: list[Row], family: Family) -> None:
    assert all(row[key] for row in rows for key in (*family.early_keys, *ADDRESSES) if key in row)
    assert any("verifiable_addresses" not in row for row in rows)
    assert any(row["metadata_public"] is None for row in rows)


def test_types(server: Server, rows: list[Row]) -> None:
    for row in rows:
        assert str(UUID(row["id"])) == row["id"]
        assert UUID(row["id"]).version == 4
        assert row["state"] in {"active", "inactive"}
        schema_id = base64.urlsafe_b64encode(row["schema_id"].encode()).decode().rstrip("=")
        assert row["schema_url"] == f"{server.public_url}schemas/{schema_id}"
        assert isinstance(row["traits"], dict)
        assert row.get("organization_id") is None or UUID(row["organization_id"])


def test_both_states_and_several_schemas_are_there(rows: list[Row]) -> None:
    assert {row["state"] for row in rows} == {"active", "inactive"}
    assert len({row["schema_id"] for row in rows}) >= 3
    traits = [value for row in rows for value in row["traits"].values()]
    assert {str, dict, list} <= {type(value) for value in traits}


def test_metadata_is_any_json(rows: list[Row]) -> None:
    for key in ("metadata_public", "metadata_admin"):
        kinds = {type(row[key]) for row in rows}
        assert {type(None), str, list, dict} <= kinds


def test_times_have_as_many_digits_as_they_need(rows: list[Row]) -> None:
    precise = ("state_changed_at", "verified_at")
    seen: dict[str, set[int]] = {}
    for part in (*rows, *addresses(rows, ADDRESSES[0]), *addresses(rows, ADDRESSES[1])):
        for key, value in part.items():
            if key.endswith("_at"):
                match = TIME.fullmatch(value)
                assert match, value
                seen.setdefault(key, set()).add(len((match[1] or ".")[1:]))
    assert all(max(seen[key]) > MICROSECONDS for key in precise)
    assert all(max(seen[key]) <= MICROSECONDS for key in seen if key not in precise)
    # One time in ten ends in a zero, which is left out.
    assert min(seen["created_at"]) < MICROSECONDS


def test_verifiable_addresses(rows: list[Row], family: Family) -> None:
    found = list(addresses(rows, "verifiable_addresses"))
    order = ["id", "value", "verified", "via", "status", "verified_at", "created_at", "updated_at"]
    for address in found:
        assert list(address) == [key for key in order if key in address]
        assert address["status"] in {"pending", "sent", "completed"}
        assert ("verified_at" in address) is address["verified"]
        assert address["value"] == address["value"].lower()
    assert {address["via"] for address in found} == {"email", family.text_message}
    assert {address["verified"] for address in found} == {True, False}


def test_recovery_addresses(rows: list[Row]) -> None:
    for address in addresses(rows, "recovery_addresses"):
        assert list(address) == ["id", "value", "via", "created_at", "updated_at"]
        assert address["via"] == "email"


def test_html_is_escaped_and_a_page_ends_its_line(bodies: list[bytes]) -> None:
    for body in bodies:
        assert not re.search(rb"[<>&\n]", body[:-1])
        assert body.endswith(b"]\n")
    assert any(rb"\u0026" in body for body in bodies)


def test_a_page_is_compact_json(server: Server) -> None:
    page = server.identities(page_size=50)
    text = page.content.decode()
    plain = json.loads(text)
    assert page.headers["Content-Type"] == "application/json; charset=utf-8"
    strings = re.compile(r'"(?:[^"\\]|\\.)*"')
    assert not re.search(r"\s", strings.sub("", text[:-1]))
    assert len(plain) == 50


def test_one_identity_is_the_row_of_the_list_with_its_credentials(server: Server) -> None:
    for row in server.identities(page_size=20).json():
        one = server.get(f"admin/identities/{row['id']}").json()
        credentials = one.pop("credentials", {})
        assert one == row
        assert all("config" not in credential for credential in credentials.values())


def test_all_ways_to_read_a_row_agree(server: Server) -> None:
    by_size = {size: server.identities(page_size=size).json()[:7] for size in (7, 250)}
    assert by_size[7] == by_size[250] == server.identities(page=0, per_page=7).json()
