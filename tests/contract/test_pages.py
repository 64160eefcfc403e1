"""Walking over the pages of identities: every id once, in order, whatever the page size."""

import base64

import pytest
import requests

from tests.contract.families import Family
from tests.contract.walk import ids, pages, token_of, walk
from tests.servers import Server

LAST_TOKEN = "ffffffff-ffff-ffff-ffff-ffffffffffff"


def offset_token(offset: int) -> str:
    return base64.urlsafe_b64encode(f'{{"offset":"{offset}","v":2}}'.encode()).decode().rstrip("=")


@pytest.mark.parametrize("size", [1, 7, 250, 500, 1000])
def test_a_walk_gives_every_id_once_and_in_order(server: Server, family: Family, size: int) -> None:
    given = [ids(page) for page in pages(server, page_size=size)]
    expected = server.all_ids()
    assert [each for page in given for each in page] == expected
    assert expected == sorted(set(expected), reverse=not family.keyset)
    full = min(size, server.clamp or size)
    assert [len(page) for page in given[:-1]] == [full] * ((len(expected) - 1) // full)


def test_a_page_has_250_rows_unless_told(server: Server) -> None:
    assert ids(server.identities()) == server.all_ids()[:250]


@pytest.mark.parametrize("size", [501, 2000])
def test_a_page_has_no_more_rows_than_the_server_gives(server: Server, size: int) -> None:
    full = min(size, server.clamp or size)
    assert ids(server.identities(page_size=size)) == server.all_ids()[:full]


def test_a_page_of_size_zero(server: Server, family: Family) -> None:
    assert ids(server.identities(page_size=0)) == server.all_ids()[: family.page_of_size_zero]


@pytest.mark.parametrize("size", [175, 350])
def test_a_full_last_page_is_the_last(server: Server, size: int) -> None:
    *_, last = pages(server, page_size=size)
    assert len(last.json()) == size
    assert token_of(last) is None


def test_the_token_says_where_to_go_on(server: Server, family: Family) -> None:
    first, second, *_ = pages(server, page_size=350)
    for page, rows_so_far in ((first, 350), (second, 700)):
        assert token_of(page) == (ids(page)[-1] if family.keyset else offset_token(rows_so_far))


def test_nobody_is_one_empty_page(empty_server: Server) -> None:
    page = empty_server.identities(page_size=7)
    assert page.status_code == requests.codes.ok
    assert page.text == "[]\n"


def test_only_offset_pages_link_on_from_nobody(empty_server: Server, family: Family) -> None:
    page = empty_server.identities(page_size=7)
    assert token_of(page) == (None if family.keyset else offset_token(7))
    if not family.keyset:
        assert empty_server.identities(page_size=7, page_token=offset_token(7)).json() == []


def test_behind_the_last_row_there_is_nothing(server: Server, family: Family) -> None:
    page = server.identities(page_size=7, page_token=LAST_TOKEN if family.keyset else offset_token(1051))
    assert page.json() == []
    assert token_of(page) is None


@pytest.mark.parametrize("token", ["garbage", "00000000-0000-0000-0000-00000000000g", "e30"])
def test_a_bad_token_is_refused_or_is_the_first_page(server: Server, family: Family, token: str) -> None:
    page = server.identities(page_size=7, page_token=token)
    if family.keyset:
        assert page.status_code == requests.codes.bad_request
        assert page.json()["error"]["reason"] == "The page token is invalid, do not craft your own page tokens"
    else:
        assert ids(page) == server.all_ids()[:7]


def test_a_token_of_the_other_family_never_works(server: Server, family: Family) -> None:
    page = server.identities(page_size=7, page_token=offset_token(7) if family.keyset else LAST_TOKEN)
    if family.keyset:
        assert page.status_code == requests.codes.bad_request
    else:
        assert ids(page) == server.all_ids()[:7]


def test_an_empty_token_is_the_first_page(server: Server) -> None:
    assert ids(server.identities(page_size=7, page_token="")) == server.all_ids()[:7]


def test_any_id_is_a_keyset_token_by_which_the_ids_are_cut(server: Server, family: Family) -> None:
    middle = "80000000-0000-4000-8000-000000000000"
    expected = [each for each in server.all_ids() if each > middle or not family.keyset]
    assert walk(server, page_size=500, page_token=middle) == expected


def test_a_walk_goes_on_with_another_page_size(server: Server, family: Family) -> None:
    token = token_of(server.identities(page_size=350))
    rest = walk(server, page_size=100, page_token=token)
    # An offset is rounded down to a whole number of pages: some rows come again, none is left out.
    assert rest == server.all_ids()[350 if family.keyset else 300 :]


@pytest.mark.parametrize("size", ["abc", "1.5", "99999999999999999999"])
def test_a_page_size_that_is_no_number(server: Server, family: Family, size: str) -> None:
    page = server.identities(page_size=size)
    if family.keyset:
        what = "value out of range" if size.isdigit() else "invalid syntax"
        assert page.status_code == requests.codes.bad_request
        assert page.json()["error"]["reason"] == f'strconv.Atoi: parsing "{size}": {what}'
    else:
        assert len(page.json()) == 250
