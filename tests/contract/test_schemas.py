"""The identity schemas, which live on the public port and are read without a key."""

import base64
from urllib.parse import urljoin

import pytest
import requests

from tests.contract.families import Family
from tests.servers import Server


def name_of(schema_id: str) -> str:
    return base64.urlsafe_b64encode(schema_id.encode()).decode().rstrip("=")


def listed(server: Server) -> list[dict[str, object]]:
    schemas: list[dict[str, object]] = requests.get(f"{server.public_url}schemas", timeout=30).json()
    return schemas


def test_every_schema_that_an_identity_names_is_there(server: Server) -> None:
    assert all(list(schema) == ["id", "schema"] for schema in listed(server))
    named = {row["schema_id"] for row in server.identities().json()}
    assert named <= {schema["id"] for schema in listed(server)}


def test_a_schema_by_its_id_and_by_its_url(server: Server) -> None:
    for schema in listed(server):
        encoded = server.get(f"schemas/{name_of(str(schema['id']))}", server.public_url)
        assert encoded.json() == schema["schema"]
        if "/" not in str(schema["id"]):
            assert server.get(f"schemas/{schema['id']}", server.public_url).json() == schema["schema"]
    row = server.identities(page_size=1).json()[0]
    assert requests.get(row["schema_url"], timeout=30).json()["properties"]["traits"]


def test_a_schema_that_is_not_there(server: Server) -> None:
    response = server.get(f"schemas/{name_of('nobody')}", server.public_url)
    assert response.status_code == requests.codes.not_found
    assert response.json()["error"] == {
        "code": 404,
        "status": "Not Found",
        "reason": "Identity schema `nobody` could not be found.",
        "message": "The requested resource could not be found",
    }


def test_the_count_and_the_link(server: Server, family: Family) -> None:
    response = server.get("schemas", server.public_url)
    number = len(response.json())
    assert response.headers["X-Total-Count"] == str(number)
    where = "/schemas" if family.keyset else f"{server.public_url}schemas"
    token = "&page_size={0}&page_token=eyJvZmZzZXQiOiIwIiwidiI6Mn0" if family.keyset else ""
    expected = f'<{where}?page=0{token.format(number)}&per_page={number}>; rel="first"'
    assert response.headers["Link"] == expected


def test_the_first_page(server: Server) -> None:
    everything = server.get("schemas", server.public_url).json()
    response = server.get("schemas", server.public_url, page_size=2)
    assert response.json() == everything[:2]
    assert "next" in response.links


def test_the_second_page_goes_on_too_far(server: Server) -> None:
    # Each page is as long as all pages up to it: schemas come again, none is left out.
    everything = server.get("schemas", server.public_url).json()
    assert len(everything) > 2
    response = server.get("schemas", server.public_url, page=1, per_page=1)
    assert response.json() == everything[1:3]


def test_behind_the_last_schema_is_null(server: Server) -> None:
    response = server.get("schemas", server.public_url, page=500, per_page=2)
    assert response.ok
    assert response.json() is None
    assert "next" not in response.links


@pytest.mark.parametrize("path", ["schemas", "schemas/any"])
def test_the_admin_port_leads_to_the_public_port(server: Server, family: Family, path: str) -> None:
    if not family.redirects_to_admin:
        assert server.admin_url == server.public_url
        return
    hops = []
    url = f"{server.admin_url}{path}"
    while url.startswith(server.admin_url):
        response = requests.get(url, allow_redirects=False, timeout=30)
        assert response.status_code == requests.codes.temporary_redirect
        hops.append(response.headers["Location"])
        url = urljoin(url, hops[-1])
    assert hops == [f"/admin/{path}", f"{server.public_url}{path}"]
