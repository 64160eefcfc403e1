"""`page` and `per_page`, the older parameters, and the count of identities that comes with them."""

import pytest
import requests

from tests.contract.families import Family
from tests.contract.test_links import ZERO, offset_link
from tests.contract.walk import ids, token_of
from tests.servers import Server


def test_one_row_and_the_count_of_all(server: Server) -> None:
    page = server.identities(page=0, per_page=1)
    assert page.headers["X-Total-Count"] == str(len(server.all_ids()))
    assert ids(page) == server.all_ids()[:1]


def test_nobody_is_counted(empty_server: Server) -> None:
    page = empty_server.identities(page=0, per_page=1)
    assert page.headers["X-Total-Count"] == "0"
    assert page.json() == []


def test_only_offset_pages_are_counted_without_asking(server: Server, family: Family) -> None:
    page = server.identities(page_size=7)
    assert page.headers.get("X-Total-Count") == (None if family.keyset else str(len(server.all_ids())))


@pytest.mark.parametrize(
    ("number", "rels"),
    [(0, {"next": 1, "last": 149}), (3, {"first": 0, "next": 4, "prev": 2, "last": 149})],
)
def test_pages_count_from_zero_and_link_to_each_other(
    server: Server, family: Family, number: int, rels: dict[str, int]
) -> None:
    page = server.identities(page=number, per_page=7)
    assert ids(page) == server.all_ids()[number * 7 :][:7]
    expected = [
        f'</admin/identities?page={each}&per_page=7>; rel="{rel}"' if family.keyset else offset_link(server, rel, each)
        for rel, each in rels.items()
    ]
    assert page.headers["Link"] == ",".join(expected)


def test_a_numbered_page_has_a_maximum_of_its_own(server: Server, family: Family) -> None:
    page = server.identities(page=0, per_page=2000)
    assert ids(page) == server.all_ids()[: family.biggest_numbered_page]


def test_how_deep_numbered_pages_go(server: Server, family: Family) -> None:
    assert ids(server.identities(page=2, per_page=500)) == server.all_ids()[1000:]
    page = server.identities(page=3, per_page=500)
    if family.refuses_deep_pages:
        assert page.status_code == requests.codes.bad_request
        assert page.json()["error"]["reason"] == (
            "Legacy pagination is not supported for enumerating over 1000 items. "
            "Please switch to using page_token and page_size."
        )
    else:
        assert page.json() == []
        assert "next" not in page.links


@pytest.mark.parametrize("number", ["-1", "abc", ""])
def test_a_page_number_that_is_none_is_the_first(server: Server, number: str) -> None:
    assert ids(server.identities(page=number, per_page=7)) == server.all_ids()[:7]


def test_page_size_and_page_token_go_before_page_numbers(server: Server, family: Family) -> None:
    first = server.identities(page=2, per_page=5, page_size=3)
    assert ids(first) == server.all_ids()[:3]
    second = server.identities(page=2, per_page=5, page_size=3, page_token=token_of(first))
    assert ids(second) == server.all_ids()[3:6]
    if family.keyset:
        query = "page=2&page_size=3&page_token={}&per_page=5"
        assert first.headers["Link"] == ",".join(
            f'</admin/identities?{query.format(token)}>; rel="{rel}"'
            for rel, token in (("first", ZERO), ("next", ids(first)[-1]))
        )


def test_per_page_alone_is_a_page_size(server: Server, family: Family) -> None:
    page = server.identities(per_page=5)
    assert ids(page) == server.all_ids()[:5]
    assert token_of(page) == token_of(server.identities(page_size=5))
    assert ("X-Total-Count" in page.headers) is not family.keyset
