"""One read of all identities: passes over pages that shift, what is asked for, and when it may call itself whole."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from ory_reader.config.settings import Settings
from ory_reader.errors import AnswerError
from ory_reader.http.client import InternalServerError, Response
from ory_reader.pagination.id_ranges import LAST_ID, IdRange, Slice, token
from ory_reader.pagination.passes import MAX_PASSES
from ory_reader.resources.identities import (
    IDENTITIES,
    IdentityRead,
    count_identities,
    page_fetcher,
)
from tests.views import View, identity, page

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = 3
WORDS = "answered 500"
FIRST = '</admin/identities?page_token=0>; rel="first"'


def settings(**config: Any) -> Settings:
    return Settings.from_config({"base_url": "http://127.0.0.1:1", "page_size": SIZE, "concurrency": 1, **config}, "1")


class Client:
    """Stands in for the conversation: notes what is asked for, and answers by `answer`."""

    def __init__(self, answer: Callable[[dict[str, Any]], Response], **config: Any) -> None:
        self.settings = settings(**config)
        self.rate_limiter = SimpleNamespace(useful_readers=lambda pages: None)
        self.asked: list[dict[str, Any]] = []
        self.manners: list[dict[str, Any]] = []
        self._answer = answer

    def get(self, path: str, params: dict[str, Any], **manner: Any) -> Response:
        assert path == "/admin/identities"
        self.asked.append(params)
        self.manners.append(manner)
        return self._answer(params)


def answer(ids: list[str], following: str | None, total: int | None) -> Response:
    link = FIRST + (f',</admin/identities?page_token={following}>; rel="next"' if following else "")
    headers = {"Link": link, **({} if total is None else {"X-Total-Count": str(total)})}
    return Response(headers, json.dumps([{"id": each} for each in ids]).encode())


class Shifting:
    """An offset server; `changes` are called after its first, second ... first page, with its ids."""

    def __init__(self, number: int, *changes: Callable[[list[str]], Any], totals: bool = True) -> None:
        self.ids = [f"id-{each}" for each in range(number, 0, -1)]
        self.passes = 0
        self._changes = changes
        self._totals = totals

    def __call__(self, params: dict[str, Any]) -> Response:
        start = int(params.get("page_token", "at0")[2:])
        rows = self.ids[start : start + params["page_size"]]
        more = start + len(rows) < len(self.ids)
        found = answer(rows, f"at{start + len(rows)}" if more else None, len(self.ids) if self._totals else None)
        if not start:
            if self.passes < len(self._changes):
                self._changes[self.passes](self.ids)
            self.passes += 1
        return found


def delivered(read: IdentityRead) -> list[str]:
    """The numbers of the identities that a writer takes, in order."""
    found = []
    for each in read.pages():
        ids = [row["id"] for row in json.loads(each.body)]
        found += [one for one in ids if one not in each.seen and (each.upper is None or one <= each.upper)]
        read.mark_written(each)
    return [one.removeprefix("id-") for one in found]


def read_of(server: Callable[[dict[str, Any]], Response], **config: Any) -> IdentityRead:
    return IdentityRead(Client(server, **config))  # type: ignore[arg-type]


def test_what_slipped_by_is_found_by_a_second_pass_and_nobody_comes_twice() -> None:
    server = Shifting(9, lambda ids: ids.remove("id-9"))
    read = read_of(server)
    # 9, 8 and 7 are read, 9 goes, so 6 moves to where it was read before.
    assert delivered(read) == ["9", "8", "7", "5", "4", "3", "2", "1", "6"]
    assert server.passes == 2
    assert read.whole
    assert read.remaining() is None


@pytest.mark.parametrize("left", [Slice(written="x"), Slice(written=token(1), upper="x")])
def test_what_is_left_of_another_list_is_not_gone_on_with(left: Slice) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        read_of(Shifting(1)).resume([left])


def test_a_row_that_comes_in_before_others_repeats_one_which_is_left_out() -> None:
    server = Shifting(5, lambda ids: ids.insert(0, "id-6"))
    read = read_of(server)
    # The second page of the first pass begins with 3 again.
    found = [[row["id"] for row in json.loads(each.body) if row["id"] not in each.seen] for each in read.pages()]
    assert found[:2] == [["id-5", "id-4", "id-3"], ["id-2", "id-1"]]
    assert found[2:] == [["id-6"], []]
    assert (server.passes, read.whole) == (2, True)


def test_a_server_that_nobody_changes_is_read_once() -> None:
    server = Shifting(7)
    read = read_of(server)
    assert delivered(read) == ["7", "6", "5", "4", "3", "2", "1"]
    assert (server.passes, read.whole) == (1, True)


def test_a_server_that_always_changes_is_not_read_for_ever_and_never_whole(caplog: pytest.LogCaptureFixture) -> None:
    def change(ids: list[str]) -> None:
        del ids[0]
        ids.extend(f"id-new-{len(ids)}-{each}" for each in range(2))

    server = Shifting(7, *[change] * 9)
    read = read_of(server)
    delivered(read)
    assert (server.passes, MAX_PASSES) == (3, 3)
    assert not read.whole
    assert "kept changing over 3 reads" in caplog.text


@pytest.mark.parametrize(("people", "passes"), [(0, 1), (SIZE, 1), (SIZE + 1, 2)])
def test_without_totals_only_a_single_page_is_trusted_at_once(people: int, passes: int) -> None:
    server = Shifting(people, totals=False)
    read = read_of(server)
    assert len(delivered(read)) == people
    assert (server.passes, read.whole) == (passes, True)


def keyset(number: int) -> Callable[[dict[str, Any]], Response]:
    ids = [token(each << 100) for each in range(1, number + 1)]

    def reply(params: dict[str, Any]) -> Response:
        rows = [each for each in ids if each > params.get("page_token", "")]
        these = rows[: params["page_size"]]
        return answer(these, these[-1] if len(rows) > len(these) else None, None)

    return reply


def test_a_keyset_server_is_read_once_and_can_be_gone_on_with() -> None:
    read = read_of(keyset(8))
    assert not read.whole
    pages = read.pages()
    read.mark_written(next(pages))
    (rest,) = read.remaining() or []
    assert (rest.written, rest.upper) == (token(3 << 100), None)
    assert not read.whole
    assert len(list(pages)) == 2
    assert read.whole


def test_a_read_with_an_unreadable_row_is_not_whole() -> None:
    well = keyset(8)
    bad = token(5 << 100)

    def reply(params: dict[str, Any]) -> Response:
        found = well(params)
        if bad.encode() in found.body:
            raise InternalServerError(WORDS)
        return found

    read = read_of(reply)
    assert delivered(read) == [token(each << 100) for each in (1, 2, 3, 4, 6, 7, 8)]
    assert not read.whole
    assert read.unreadable == [IdRange(token(4 << 100), bad)]
    assert read.remaining() is None


@pytest.mark.parametrize(
    ("config", "included"),
    [
        ({}, None),
        ({"code_mfa_enabled": True}, None),
        ({"credential_metadata": True}, "link_recovery"),
        ({"credential_metadata": True, "code_mfa_enabled": True}, ["code"]),
        ({"credential_metadata": "exact"}, ["webauthn"]),
        ({"credential_metadata": "exact", "code_mfa_enabled": True}, ["webauthn", "code"]),
    ],
)
def test_which_credentials_are_asked_for(config: dict[str, Any], included: Any) -> None:
    client = Client(keyset(1), **config)
    fetch = page_fetcher(client)  # type: ignore[arg-type]
    fetch(None, None)
    fetch(token(7), 1)
    extra = {} if included is None else {"include_credential": included}
    assert client.asked == [
        {"page_size": SIZE, **extra},
        {"page_size": 1, "page_token": "00000000-0000-0000-0000-000000000007", **extra},
    ]


def test_a_reason_that_lasts_is_not_waited_for_again_but_behind_all_rows() -> None:
    def failing(params: dict[str, Any]) -> Response:
        error = InternalServerError(WORDS)
        error.reason = "no schema" if params["page_size"] == SIZE else "of a probe"
        raise error

    client = Client(failing)
    fetch = page_fetcher(client)  # type: ignore[arg-type]
    for after, size in ((None, 1), (None, None), (token(7), None), (LAST_ID, None)):
        with pytest.raises(InternalServerError):
            fetch(after, size)
    assert [manner["retry_500"] for manner in client.manners] == [False, True, True, True]
    # One set, which grew: a probe's reason is not in it.
    assert [set(manner["lasting"]) for manner in client.manners] == [{"no schema"}] * 3 + [set()]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[]", "without a Link header"),
        (b'[{"id":"a"}]', "without a Link header"),
        (b'[{"name":"a"}]', "not a list of identities"),
        (b'{"keys":[]}', "not a list of identities"),
    ],
)
def test_a_page_without_link_is_not_the_last(body: bytes, message: str) -> None:
    read = read_of(lambda params: Response({"X-Total-Count": "1"}, body))
    with pytest.raises(AnswerError, match=message):
        list(read.pages())
    assert not read.whole


def test_people_are_counted_by_one_request_that_is_not_tried_again() -> None:
    client = Client(lambda params: Response({"X-Total-Count": "1050"}, b"[]"))
    assert count_identities(client) == 1050  # type: ignore[arg-type]
    assert client.asked == [{"page": 0, "per_page": 1}]
    assert client.manners == [{"retry": False}]


def test_what_is_withheld_is_in_no_record() -> None:
    assert IDENTITIES.withheld == {"/credentials/*/config", "/credentials/passkey/identifiers/*"}
    credentials = {
        "password": {"type": "password", "identifiers": ["ann"], "config": {"hashed_password": "$2a$hash"}},
        "passkey": {"type": "passkey", "identifiers": ["handle"], "config": {"user_handle": "handle"}},
    }
    given = page(identity({}, credentials=credentials))
    (record,) = View("identities", credential_metadata=True).records(given)
    assert record["credentials"]["password"]["identifiers"] == ["ann"]
    for secret in ("config", "$2a$hash", "handle"):
        assert secret not in json.dumps(record)
