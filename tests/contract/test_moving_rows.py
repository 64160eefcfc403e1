"""Rows that come and go while a list is read."""

from collections.abc import Callable, Iterator

import pytest
import requests

from tests.contract.families import Family
from tests.contract.test_pages import offset_token
from tests.contract.walk import ids, pages, token_of, walk
from tests.servers import Kind, Server, run_server


@pytest.fixture(scope="module")
def moving_server(kind: Kind) -> Iterator[Server]:
    """A server of these tests' own, where each leaves other rows behind than it found."""
    with run_server(kind, 80) as running:
        yield running


def test_rows_created_between_pages(moving_server: Server, family: Family) -> None:
    before = moving_server.all_ids()
    given: list[str] = []
    missed: set[str] = set()
    for page in pages(moving_server, page_size=10):
        given += ids(page)
        # Of the new ones a keyset walk meets those ahead of it: each is known to be on one side of the cursor.
        missed |= {each for each in moving_server.create(3) if each <= given[-1]}
    assert set(before) <= set(given)
    if family.keyset:
        assert given == sorted(set(given))
        assert not missed & set(given)


def test_rows_deleted_behind_the_cursor(moving_server: Server, family: Family) -> None:
    before = moving_server.all_ids()
    first = moving_server.identities(page_size=10)
    for each in ids(first)[:3]:
        moving_server.delete(each)
    rest = walk(moving_server, page_size=10, page_token=token_of(first))
    # Offsets shift: rows that nobody has read yet slip to the front, and this walk never sees them.
    lost = [] if family.keyset else before[10:13]
    assert [each for each in before if each not in {*ids(first), *rest}] == lost


def test_rows_deleted_ahead_of_the_cursor(moving_server: Server) -> None:
    before = moving_server.all_ids()
    first = moving_server.identities(page_size=10)
    for each in before[20:25]:
        moving_server.delete(each)
    assert walk(moving_server, page_size=10, page_token=token_of(first)) == before[10:20] + before[25:]


def test_the_token_of_a_page_whose_last_row_is_deleted(moving_server: Server, family: Family) -> None:
    before = moving_server.all_ids()
    first = moving_server.identities(page_size=10)
    moving_server.delete(ids(first)[-1])
    assert walk(moving_server, page_size=10, page_token=token_of(first)) == before[10 if family.keyset else 11 :]


def test_a_deleted_row_is_gone(moving_server: Server) -> None:
    gone, *_ = moving_server.all_ids()
    moving_server.delete(gone)
    assert moving_server.get(f"admin/identities/{gone}").status_code == requests.codes.not_found
    assert gone not in walk(moving_server)


def test_one_bad_row_fails_its_page_and_no_other(start_server: Callable[[int], Server], family: Family) -> None:
    server = start_server(9)
    expected = server.all_ids()
    server.spoil(expected[4])
    first = server.identities(page_size=3)
    assert ids(first) == expected[:3]
    bad = server.identities(page_size=3, page_token=token_of(first))
    assert bad.status_code == requests.codes.server_error
    assert bad.json()["error"]["code"] == 500
    assert bad.json()["error"]["message"]
    assert ("next" in bad.links) is family.bad_pages_link_on
    assert ids(server.identities(page_size=1, page_token=token_of(first))) == expected[3:4]
    beyond = server.identities(page_size=3, page_token=expected[5] if family.keyset else offset_token(6))
    assert ids(beyond) == expected[6:]
