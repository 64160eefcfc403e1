from __future__ import annotations

import json
import uuid

import pytest

from ory_sandbox import Sandbox
from tests.sandbox.client import Answer, fetch, walk

LIST = "/admin/identities"


@pytest.mark.parametrize("manner", ["v1.0", "v1.3", "network"])
@pytest.mark.parametrize("size", [1, 7, 20, 40, 41])
def test_walk_sees_every_id_once_in_order(manner: str, size: int) -> None:
    with Sandbox(40, manner=manner) as sandbox:
        pages = walk(sandbox.url, f"{LIST}?page_size={size}", token="key")
        expected = [row["id"] for row in sandbox.identities]
    assert [identity_id for page in pages for identity_id in page.ids] == expected
    assert expected == sorted(expected, reverse=manner == "v1.0")
    assert len(set(expected)) == 40
    # A last page that is exactly full has no next.
    assert len(pages) == -(-40 // size)


@pytest.mark.parametrize(
    ("manner", "size", "rows"),
    [
        ("v1.0", "", 250),
        ("v1.0", "?page_size=0", 1),
        ("v1.0", "?page_size=1000000", 1000),
        ("v1.0", "?page_size=99999999999999999999", 250),
        ("v1.3", "", 250),
        ("v1.3", "?page_size=0", 250),
        ("v1.3", "?page_size=", 250),
        ("v1.3", "?page_size=1000000", 1050),
        ("v1.3", "?per_page=7", 7),
        ("network", "", 250),
        ("network", "?page_size=-3", 250),
        ("network", "?page_size=501", 500),
    ],
)
def test_page_size(manner: str, size: str, rows: int) -> None:
    with Sandbox(1050, manner=manner) as sandbox:
        assert len(fetch(sandbox.url, LIST + size, token="key").ids) == rows


def test_a_negative_size_makes_kratos_1_3_drop_the_connection() -> None:
    with Sandbox(3) as sandbox, pytest.raises(ConnectionError):
        fetch(sandbox.url, f"{LIST}?page_size=-1")


def _reason(answer: Answer) -> str:
    assert answer.status == 400
    assert answer.json["error"]["message"] == "The request was malformed or contained invalid parameters"
    return str(answer.json["error"]["reason"])


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("page_size=x+y", 'strconv.Atoi: parsing "x y": invalid syntax'),
        ("page_size=99999999999999999999", 'strconv.Atoi: parsing "99999999999999999999": value out of range'),
        ("page_token=eyJvZmZzZXQiOiI0IiwidiI6Mn0", "The page token is invalid, do not craft your own page tokens"),
        ("page_size=x&page_token=bad", 'strconv.Atoi: parsing "x": invalid syntax'),
        (
            "page=5",
            (
                "Legacy pagination is not supported for enumerating over 1000 items."
                " Please switch to using page_token and page_size."
            ),
        ),
        ("ids=zz", "Invalid UUID value `zz` for parameter `ids`."),
        (
            "include_credential=oidc&include_credential=zz&page_token=bad",
            "Invalid value `[oidc]` for parameter `include_credential`.",
        ),
    ],
)
def test_what_a_keyset_server_refuses(query: str, reason: str) -> None:
    with Sandbox(3) as sandbox:
        assert _reason(fetch(sandbox.url, f"{LIST}?{query}")) == reason
    with Sandbox(3, manner="v1.0") as sandbox:
        assert fetch(sandbox.url, f"{LIST}?{query}").status == 200


def test_links_keep_the_query_sorted_and_escaped() -> None:
    with Sandbox(5) as sandbox:
        answer = fetch(sandbox.url, f"{LIST}?x=a+b%2F%26&page_size=5&consistency=strong&page=1")
    token = "page_token=00000000-0000-0000-0000-000000000000"
    assert answer.links == {"first": f"{LIST}?consistency=strong&page=1&page_size=5&{token}&x=a+b%2F%26"}


@pytest.mark.parametrize("manner", ["v1.3", "network"])
def test_counting_by_legacy_page(manner: str) -> None:
    with Sandbox(5, manner=manner) as sandbox:
        answer = fetch(sandbox.url, f"{LIST}?page=1&per_page=2&x=1", token="key")
        beyond = fetch(sandbox.url, f"{LIST}?page=9&per_page=2", token="key")
        ids = [row["id"] for row in sandbox.identities]
    assert (answer.header("X-Total-Count"), answer.ids) == ("5", ids[2:4])
    assert answer.links == {
        "first": f"{LIST}?page=0&per_page=2&x=1",
        "next": f"{LIST}?page=2&per_page=2&x=1",
        "prev": f"{LIST}?page=0&per_page=2&x=1",
        "last": f"{LIST}?page=2&per_page=2&x=1",
    }
    assert (beyond.body, [*beyond.links]) == (b"[]\n", ["first", "prev"])


def test_an_empty_table_has_a_next_page_by_offset_and_none_by_keyset() -> None:
    with Sandbox(0, manner="v1.0") as sandbox:
        assert [*fetch(sandbox.url, LIST).links] == ["first", "next", "prev"]
    with Sandbox(0) as sandbox:
        answer = fetch(sandbox.url, LIST)
    assert (answer.body, [*answer.links]) == (b"[]\n", ["first"])


def test_an_offset_past_the_end_is_empty_and_has_no_next() -> None:
    with Sandbox(5, manner="v1.0") as sandbox:
        answer = fetch(sandbox.url, f"{LIST}?page_size=1&page_token=eyJvZmZzZXQiOiIxMDAiLCJ2IjoyfQ")
    assert (answer.body, [*answer.links]) == (b"[]\n", ["first", "prev"])


def test_ids_filter_is_paged_too() -> None:
    with Sandbox(30) as sandbox:
        ids = [row["id"] for row in sandbox.identities]
        wanted = "&".join(f"ids={each}" for each in (ids[20], ids[3], str(uuid.UUID(int=1)), ids[9], ids[3]))
        first = fetch(sandbox.url, f"{LIST}?page_size=2&{wanted}")
        assert first.ids == [ids[3], ids[9]]
        query = first.links["next"].partition("?")[2]
        last = fetch(sandbox.url, f"{LIST}?{query}")
        assert (last.ids, "next" in last.links) == ([ids[20]], False)
        assert fetch(sandbox.url, f"{LIST}?page=0&{wanted}").ids == [ids[3], ids[9], ids[20]]


@pytest.mark.parametrize("manner", ["v1.3", "network"])
def test_rows_that_come_and_go_around_the_cursor(manner: str) -> None:
    with Sandbox(10, manner=manner) as sandbox:
        ids = [row["id"] for row in sandbox.identities]
        token = fetch(sandbox.url, f"{LIST}?page_size=4", token="key").ids[-1]
        behind = sandbox.put({"id": str(uuid.UUID(int=1)), "traits": {"email": "a@example.com"}})
        ahead = sandbox.put({"id": "ffffffff-ffff-4fff-bfff-ffffffffffff"})
        # Tokens of deleted rows still work.
        sandbox.delete(token)
        sandbox.delete(ids[5])
        rest = walk(sandbox.url, f"{LIST}?page_size=4&page_token={token}", token="key")
        seen = [each for page in rest for each in page.ids]
        assert seen == [*ids[4:5], *ids[6:], ahead]
        assert [row["id"] for row in sandbox.identities] == [behind, *ids[:3], *ids[4:5], *ids[6:], ahead]


def test_rows_shift_under_an_offset() -> None:
    with Sandbox(6, manner="v1.0") as sandbox:
        ids = [row["id"] for row in sandbox.identities]
        sandbox.delete(ids[0])
        added = sandbox.put({"id": str(uuid.UUID(int=1))})
        with pytest.raises(KeyError):
            sandbox.delete(ids[0])
        page = fetch(sandbox.url, f"{LIST}?page_size=2&page_token=eyJvZmZzZXQiOiI0IiwidiI6Mn0")
        assert page.ids == [ids[5], added]


def test_an_identity_is_replaced_in_its_place() -> None:
    with Sandbox(5) as sandbox:
        third = sandbox.identities[2]
        sandbox.put(third | {"state": "inactive", "region": "eu-central"})
        rows = sandbox.identities
    assert len(rows) == 5
    assert rows[2] == third | {"state": "inactive", "region": "eu-central"}


@pytest.mark.parametrize("manner", ["v1.0", "v1.3", "network"])
def test_get_and_delete_one(manner: str) -> None:
    with Sandbox(5, manner=manner) as sandbox:
        whole = sandbox.identities_with_credentials()[2]
        path = f"{LIST}/{whole['id']}"
        assert fetch(sandbox.url, path, token="key").json == whole
        assert (
            "config"
            in fetch(sandbox.url, f"{path}?include_credential=password", token="key").json["credentials"]["password"]
        )
        assert fetch(sandbox.url, f"{path}?include_credential=zz", token="key").status == 400
        gone = fetch(sandbox.url, path, method="DELETE", token="key")
        assert (gone.status, gone.body, gone.header("Content-Length")) == (204, b"", None)
        assert fetch(sandbox.url, path, method="DELETE", token="key").status == 404
        assert fetch(sandbox.url, path, token="key").status == 404
        assert len(sandbox.identities) == 4


def test_credentials_are_listed_with_all_types_and_the_configs_asked_for() -> None:
    with Sandbox(300) as sandbox:
        plain = fetch(sandbox.url, LIST).json
        listed = fetch(sandbox.url, f"{LIST}?include_credential=link_recovery")
        asked = fetch(sandbox.url, f"{LIST}?include_credential=totp&include_credential=oidc").json
    assert all("credentials" not in row for row in plain)
    without = [{key: value for key, value in row.items() if key != "credentials"} for row in listed.json]
    assert without == plain
    assert b'"config"' not in listed.body
    with_config = {kind for row in asked for kind, each in row["credentials"].items() if "config" in each}
    assert with_config == {"totp", "oidc"}
    types = {kind for row in listed.json for kind in row["credentials"]}
    assert types == {"password", "oidc", "totp", "lookup_secret", "webauthn", "code"}
    assert {row["credentials"]["password"]["type"] for row in listed.json} == {"password"}
    link = "include_credential=link_recovery&page_size=250&page_token="
    assert link in listed.links["next"]


def test_an_unreadable_row_fails_its_own_page_only() -> None:
    with Sandbox(10) as sandbox:
        ids = [row["id"] for row in sandbox.identities]
        sandbox.make_unreadable(ids[5])
        assert fetch(sandbox.url, f"{LIST}?page_size=5").ids == ids[:5]
        assert fetch(sandbox.url, f"{LIST}?page_size=5&page_token={ids[4]}").status == 500
        assert fetch(sandbox.url, f"{LIST}/{ids[5]}").status == 500
        assert fetch(sandbox.url, f"{LIST}?page_size=5&page_token={ids[5]}").ids == ids[6:]
        sandbox.delete(ids[5])
        assert fetch(sandbox.url, f"{LIST}?page_size=5&page_token={ids[4]}").ids == ids[6:]


def test_identities_of_a_tests_own_are_served_as_given() -> None:
    odd = {
        "id": "11111111-1111-4111-8111-111111111111",
        "external_id": 'a "schema_id": <b>',
        "traits": {"schema_id": "x", "a": [1, {"b": None}], "é": "\u2028&"},
        "metadata_public": 17,
        "future": {"key": 1.5},
        "credentials": {"password": {"type": "password", "identifiers": ["zoë"], "config": {"x": "<"}, "version": 0}},
    }
    with Sandbox([odd, {"traits": {}}], manner="network") as sandbox:
        answer = fetch(sandbox.url, f"{LIST}/{odd['id']}?include_credential=password", token="key")
        assert len(sandbox.identities) == 2
    row = answer.json
    assert {key: row[key] for key in odd} == odd
    assert b"\\u003cb\\u003e" in answer.body
    assert list(row)[:3] == ["id", "external_id", "credentials"]
    assert list(row)[-2:] == ["organization_id", "future"]
    assert json.loads(answer.body)["schema_url"] == f"{sandbox.public_url}schemas/cGVyc29u"
