"""The Link header to the letter, for each family."""

import pytest

from tests.contract.families import Family
from tests.contract.test_pages import offset_token
from tests.contract.walk import ids
from tests.servers import Server

ZERO = "00000000-0000-0000-0000-000000000000"


def link(rel: str, url: str) -> str:
    return f'<{url}>; rel="{rel}"'


def keyset_link(rel: str, token: str, query: str = "page_size=7") -> str:
    return link(rel, f"/admin/identities?{query}&page_token={token}")


def offset_link(server: Server, rel: str, page: int, size: int = 7) -> str:
    token = offset_token(page * size)
    # Kratos v1.0 forgets its own /admin here.
    query = f"page={page}&page_size={size}&page_token={token}&per_page={size}"
    return link(rel, f"{server.admin_url}identities?{query}")


def test_the_first_page(server: Server, family: Family) -> None:
    page = server.identities(page_size=7)
    expected = (
        [keyset_link("first", ZERO), keyset_link("next", ids(page)[-1])]
        if family.keyset
        else [offset_link(server, "next", 1), offset_link(server, "last", 149)]
    )
    assert page.headers["Link"] == ",".join(expected)


def test_a_page_in_the_middle(server: Server, family: Family) -> None:
    token = server.all_ids()[20] if family.keyset else offset_token(21)
    page = server.identities(page_size=7, page_token=token)
    expected = (
        [keyset_link("first", ZERO), keyset_link("next", ids(page)[-1])]
        if family.keyset
        else [
            offset_link(server, "first", 0),
            offset_link(server, "next", 4),
            offset_link(server, "prev", 2),
            offset_link(server, "last", 149),
        ]
    )
    assert page.headers["Link"] == ",".join(expected)


def test_the_last_page(server: Server, family: Family) -> None:
    token = server.all_ids()[-8] if family.keyset else offset_token(1043)
    page = server.identities(page_size=7, page_token=token)
    assert len(page.json()) == 7
    expected = (
        [keyset_link("first", ZERO)]
        if family.keyset
        else [offset_link(server, "first", 0), offset_link(server, "prev", 148)]
    )
    assert page.headers["Link"] == ",".join(expected)


def test_nobody(empty_server: Server, family: Family) -> None:
    expected = (
        [keyset_link("first", ZERO)]
        if family.keyset
        else [
            offset_link(empty_server, "first", 0),
            offset_link(empty_server, "next", 1),
            offset_link(empty_server, "prev", -1),
        ]
    )
    assert empty_server.identities(page_size=7).headers["Link"] == ",".join(expected)


def test_the_size_in_the_link_is_the_one_that_was_given(server: Server) -> None:
    page = server.identities(page_size=1001)
    given = min(1001, server.clamp or 1001)
    assert len(page.json()) == given
    assert f"page_size={given}&" in page.headers["Link"]


@pytest.mark.parametrize("credential", ["password", "oidc"])
def test_other_parameters_are_kept_by_keyset_links_only(server: Server, family: Family, credential: str) -> None:
    page = server.identities(z="&", page_size=7, include_credential=credential, a="1")
    query = f"a=1&include_credential={credential}&page_size=7"
    expected = (
        [f"{keyset_link(rel, token, query)}" for rel, token in (("first", ZERO), ("next", ids(page)[-1]))]
        if family.keyset
        else [offset_link(server, "next", 1), offset_link(server, "last", 149)]
    )
    assert page.headers["Link"] == ",".join(expected).replace(">", "&z=%26>" if family.keyset else ">")
