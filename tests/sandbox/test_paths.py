"""What is where; as answered by Kratos v1.0.0 and v1.3.1 when asked by hand."""

from __future__ import annotations

import json

import pytest

from ory_sandbox import Sandbox
from ory_sandbox.holdings import Holdings
from tests.sandbox.client import fetch


@pytest.mark.parametrize("manner", ["v1.0", "v1.3"])
@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/", 307, "/admin"),
        ("/nothing?x=1&y=%20+", 307, "/admin/nothing?x=1&y=%20+"),
        ("/identities/", 307, "/admin/identities"),
        ("//admin/identities", 307, "/admin/admin/identities"),
        ("/version", 307, "/admin/version"),
        ("/admin/version/", 301, "/admin/version"),
        ("/admin/identities/x/?page_size=2", 301, "/admin/identities/x?page_size=2"),
        ("/admin/schemas/staff?x=1", 307, "PUBLIC/schemas/staff?x=1"),
        ("/admin/nothing", 404, None),
        ("/admin/identities/x/y", 404, None),
    ],
)
def test_redirects_on_the_admin_port(manner: str, path: str, status: int, location: str | None) -> None:
    with Sandbox(1, manner=manner) as sandbox:
        answer = fetch(sandbox.url, path)
    expected = location and location.replace("PUBLIC/", sandbox.public_url)
    assert (answer.status, answer.header("Location")) == (status, expected)


@pytest.mark.parametrize(
    ("path", "method", "status", "location"),
    [
        ("/identities?page_size=2", "GET", 307, "ADMIN/admin/identities?page_size=2"),
        ("/admin/identities/x", "GET", 307, "ADMIN/admin/identities/x"),
        ("/admin/identities/x", "DELETE", 307, "ADMIN/admin/identities/x"),
        ("/admin/identities/", "GET", 301, "/admin/identities"),
        ("/schemas/", "GET", 301, "/schemas"),
        ("/admin/sessions", "GET", 404, None),
        ("/version", "GET", 404, None),
    ],
)
def test_redirects_on_the_public_port(path: str, method: str, status: int, location: str | None) -> None:
    with Sandbox(1) as sandbox:
        answer = fetch(sandbox.public_url, path, method=method)
    expected = location and location.replace("ADMIN/", sandbox.url)
    assert (answer.status, answer.header("Location")) == (status, expected)
    assert answer.header("Vary") == "Cookie"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/identities", 200),
        ("/admin/identities", 200),
        ("/version", 200),
        ("/schemas", 200),
        ("/admin/schemas/staff", 200),
        ("/admin/identities/", 404),
        ("/nothing", 404),
    ],
)
def test_the_network_does_not_redirect(path: str, status: int) -> None:
    with Sandbox(1, manner="network") as sandbox:
        assert fetch(sandbox.url, path, token="key").status == status
        assert sandbox.url == sandbox.public_url


def test_methods() -> None:
    with Sandbox(1) as sandbox:
        refused = fetch(sandbox.url, "/admin/version", method="POST")
        head = fetch(sandbox.url, "/admin/identities", method="HEAD")
        options = fetch(sandbox.url, "/admin/version", method="OPTIONS")
    assert (refused.status, refused.header("Allow"), refused.body) == (405, "GET, OPTIONS", b"Method Not Allowed\n")
    assert (head.status, head.header("Content-Length"), head.body) == (405, "19", b"")
    assert (options.status, options.header("Allow"), options.header("Content-Length")) == (200, "GET, OPTIONS", "0")


def test_a_schema_is_found_by_its_id_and_by_its_base64() -> None:
    with Sandbox(1) as sandbox:
        listed = fetch(sandbox.public_url, "/schemas")
        row = sandbox.identities[0]
        plain = fetch(sandbox.public_url, "/schemas/person")
        encoded = fetch(sandbox.public_url, "/schemas/cHJlc2V0Oi8vYmFzaWM")
        by_url = fetch(sandbox.public_url, row["schema_url"].removeprefix(sandbox.public_url.rstrip("/")))
        missing = fetch(sandbox.public_url, "/schemas/bm9wZQ")
    schemas = {each["id"]: each["schema"] for each in listed.json}
    assert [*schemas] == ["person", "staff", "customer", "preset://basic"]
    assert (plain.json, encoded.json) == (schemas["person"], schemas["preset://basic"])
    assert by_url.json == schemas[row["schema_id"]]
    assert plain.header("Content-Type") == "application/json"
    assert missing.status == 404
    assert missing.json["error"]["reason"] == "Identity schema `nope` could not be found."


def test_schemas_are_paged_by_offset() -> None:
    with Sandbox(1) as sandbox:
        first = fetch(sandbox.public_url, "/schemas?page_size=3")
        second = fetch(sandbox.public_url, "/schemas?page=1&per_page=1")
        beyond = fetch(sandbox.public_url, "/schemas?page=7")
    with Sandbox(1, manner="v1.0") as sandbox:
        old = fetch(sandbox.public_url, "/schemas?per_page=3&page=1")
    assert [each["id"] for each in first.json] == ["person", "staff", "customer"]
    next_page = "/schemas?page=1&page_size=3&page_token=eyJvZmZzZXQiOiIzIiwidiI6Mn0&per_page=3"
    assert first.links == {"next": next_page, "last": next_page}
    # Seen on real servers: the second page is twice as long.
    assert [each["id"] for each in second.json] == ["staff", "customer"]
    assert beyond.body == b"null\n"
    url = f"{sandbox.public_url}schemas?page=0&per_page=3"
    assert (old.links, old.header("X-Total-Count")) == ({"first": url, "prev": url}, "4")
    assert [each["id"] for each in old.json] == ["preset://basic"]


def test_sessions_are_none() -> None:
    with Sandbox(1, holdings=Holdings()) as sandbox:
        answer = fetch(sandbox.url, "/admin/sessions?page_size=5000&active=true")
        refused = fetch(sandbox.url, "/admin/sessions?page_size=abc")
    assert answer.links["first"].startswith("/admin/sessions?active=true&page_size=1000&page_token=aWQ9")
    assert json.loads(answer.body) == []
    assert refused.json == {
        "error": {"code": 400, "status": "Bad Request", "message": "could not parse parameter page_size"},
    }


def test_what_came_in_is_remembered() -> None:
    with Sandbox(1) as sandbox:
        fetch(sandbox.url, "/identities?x=1", token="secret")
        fetch(sandbox.public_url, "/schemas")
        log = list(sandbox.requests.log)
    assert sandbox.requests.count == 2
    assert [(seen.role, seen.method, seen.target) for seen in log] == [
        ("admin", "GET", "/identities?x=1"),
        ("public", "GET", "/schemas"),
    ]
    assert [seen.headers.get("authorization") for seen in log] == ["Bearer secret", None]
