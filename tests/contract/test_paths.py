"""Which paths answer, which lead elsewhere, and what errors look like."""

import pytest
import requests

from tests.contract.families import Family
from tests.servers import Server

NOBODY = "00000000-0000-0000-0000-000000000001"
PLAIN_404 = (requests.codes.not_found, "text/plain; charset=utf-8", "404 page not found\n")


def plain(response: requests.Response) -> tuple[int, str, str]:
    return response.status_code, response.headers["Content-Type"], response.text


@pytest.mark.parametrize("name", [NOBODY, "garbage"])
def test_an_identity_that_is_not_there(server: Server, name: str) -> None:
    response = server.get(f"admin/identities/{name}")
    assert plain(response) == (
        requests.codes.not_found,
        "application/json",
        '{"error":{"code":404,"status":"Not Found","message":"Unable to locate the resource"}}\n',
    )


def test_a_path_that_is_not_there(server: Server) -> None:
    assert plain(server.get("admin/nowhere")) == PLAIN_404


def test_an_error_says_its_code_twice_and_why(server: Server, family: Family) -> None:
    response = server.identities(page=0, page_token="garbage")
    if family.keyset:
        assert response.status_code == requests.codes.bad_request
        assert response.headers["Content-Type"] == "application/json"
        assert list(response.json()["error"].items())[:2] == [("code", 400), ("status", "Bad Request")]
        assert list(response.json()["error"]) == ["code", "status", "reason", "message"]
    else:
        assert response.ok


def test_the_version(server: Server) -> None:
    response = server.get("admin/version")
    assert response.ok
    assert list(response.json()) == ["version"]


@pytest.mark.parametrize(
    ("path", "admin_path"),
    [("identities", "admin/identities"), ("version", "admin/version"), (f"identities/{NOBODY}", None)],
)
def test_admin_paths_without_admin(server: Server, family: Family, path: str, admin_path: str | None) -> None:
    response = server.get(path, page_size="7")
    if family.redirects_to_admin:
        assert response.status_code == requests.codes.temporary_redirect
        assert response.headers["Location"] == f"/admin/{path}?page_size=7"
    elif admin_path:
        assert response.json() == server.get(admin_path, page_size="7").json()
    else:
        assert response.status_code == requests.codes.not_found


@pytest.mark.parametrize("path", ["admin/identities", f"admin/identities/{NOBODY}"])
def test_a_slash_at_the_end(server: Server, family: Family, path: str) -> None:
    response = server.get(f"{path}/", page_size="7")
    if family.redirects_to_admin:
        assert response.status_code == requests.codes.moved_permanently
        assert response.headers["Location"] == f"/{path}?page_size=7"
    else:
        assert plain(response) == PLAIN_404


@pytest.mark.parametrize("path", ["identities", "admin/identities"])
def test_the_public_port_leads_to_the_admin_port(server: Server, family: Family, path: str) -> None:
    response = server.get(path, server.public_url, page_size="7")
    if family.redirects_to_admin:
        assert response.status_code == requests.codes.temporary_redirect
        assert response.headers["Location"] == f"{server.admin_url}admin/identities?page_size=7"
    else:
        assert response.json() == server.identities(page_size=7).json()


def test_sessions_of_nobody(server: Server) -> None:
    response = server.get("admin/sessions")
    assert response.json() == []
    assert list(response.links) == ["first"]
