"""Full reads that must not take themselves for whole, and what is left of them when they are interrupted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from command_basics.signals import Terminated
from ory_reader.errors import AnswerError, IncompleteError
from ory_reader.pagination.id_ranges import Slice, token
from ory_reader.pagination.page import Page
from ory_reader.pagination.prefetch import Prefetcher
from ory_sandbox import Sandbox
from tap_ory.tap import TapOry
from tests.command import records, sync, unchanged_signals
from tests.interrupted import Interrupted, ids_by_stream
from tests.scripted import ScriptedServer, reply

if TYPE_CHECKING:
    from tests.scripted import Asked, Pieces


@pytest.mark.parametrize("body", [b"[]", b'[{"id":"%b"}]' % token(7).encode()])
def test_a_page_without_a_link_header_is_not_taken_for_the_last(body: bytes) -> None:
    def page(asked: Asked, number: int) -> Pieces:
        return reply(200 if "page_size" in asked.target else 404, body)

    with ScriptedServer(page) as server, pytest.raises(AnswerError, match="without a Link header"):
        sync({"base_url": server.url})


def test_versions_are_of_one_kind_throughout_a_read() -> None:
    """Going on with a read whose records had no version, a run that activates one would delete them."""

    def fingerprints(**config: Any) -> list[Any]:
        with unchanged_signals():
            tap = TapOry(config={"base_url": "http://127.0.0.1:1", **config})
        return [stream.fingerprint() for stream in tap.ory_streams]

    with mock.patch("ory_reader.traits.project_schemas.read_identity_schemas", return_value={}):
        assert fingerprints() == fingerprints(emit_activate_version_messages=True)
        assert fingerprints() != fingerprints(emit_activate_version_messages=False)


def covers(slices: list[Slice] | None, place: int) -> bool:
    return any(
        (part.position or "") < token(place) and (part.upper is None or token(place) <= part.upper)
        for part in slices or ()
    )


@pytest.mark.parametrize("resumed", [False, True])
@pytest.mark.parametrize("splits", range(4))
def test_a_signal_while_the_key_space_is_cut_loses_no_part_of_it(splits: int, resumed: bool) -> None:  # noqa: FBT001
    fetched = Page(json.dumps([{"id": token(3 << 100)}]).encode(), token(3 << 100))
    reader = Prefetcher(lambda after, size: fetched, 4, 1, [Slice()] if resumed else None)
    made = []

    def end_it(*_: Any) -> Any:
        made.append(1)
        if len(made) > splits:
            raise Terminated(15)
        return mock.DEFAULT

    patched = (
        ("ory_reader.pagination.id_ranges.Slice.split", Slice.split)
        if resumed
        else ("ory_reader.pagination.id_ranges.token", token)
    )
    with mock.patch(patched[0], autospec=True, side_effect=lambda *given: end_it() and patched[1](*given)):
        try:
            next(reader.pages())
        except Terminated:
            assert len(made) == splits + 1
    remaining = reader.remaining()
    assert all(covers(remaining, place << 120) for place in range(1, 256))


class Offset:
    """An offset server that tells no totals, and whose first row goes once its first page is read."""

    def __init__(self) -> None:
        self.ids = [token(number) for number in range(9, 0, -1)]
        self.asked = 0

    def fetch(self, after: str | None, size: int | None) -> Page:
        self.asked += 1
        start = int((after or "at0")[2:])
        page = self.ids[start : start + 3]
        if self.asked == 1:
            del self.ids[0]
        following = f"at{start + 3}" if start + 3 < len(self.ids) else None
        return Page(json.dumps([{"id": each} for each in page]).encode(), following)


def test_offset_pages_without_totals_are_read_again_for_what_slipped_by() -> None:
    offset = Offset()
    with Sandbox(1) as sandbox, mock.patch("ory_reader.resources.identities.page_fetcher", return_value=offset.fetch):
        output = sync({"base_url": sandbox.url})
    got = [record["id"] for record in records(output)]
    assert sorted(got) == [token(number) for number in range(1, 10)]
    assert output.count(b'"ACTIVATE_VERSION"') == 1


def test_a_change_based_read_with_a_bad_row_does_not_move_its_bookmark() -> None:
    made: dict[str, Any] = TapOry(validate_config=False).catalog_dict
    (stream,) = (stream for stream in made["streams"] if stream["stream"] == "identities")
    stream.update(replication_method="INCREMENTAL", replication_key="changed_at")
    bookmark = {"replication_key": "changed_at", "replication_key_value": "2020-01-01T00:00:00Z"}
    state = {"bookmarks": {"identities": bookmark}}
    taps: list[TapOry] = []
    with Sandbox(60) as sandbox, mock.patch("time.sleep"):
        sandbox.make_unreadable(sandbox.identities[17]["id"])
        config = {"base_url": sandbox.url, "page_size": 20}
        with pytest.raises(IncompleteError, match="1 stretch"):
            sync(config, catalog={"streams": [stream]}, state=state, prepare=taps.append)
    kept = taps[0].state["bookmarks"]["identities"]
    assert kept["replication_key_value"] == "2020-01-01T00:00:00Z"
    assert "snapshot" not in kept


@pytest.mark.parametrize("changes", [{}, {"page_size": 7}, {"concurrency": 1}, {"concurrency": 32}])
def test_two_streams_go_on_together_whatever_the_size_of_pages(changes: dict[str, Any]) -> None:
    with Interrupted() as cut:
        output, went_on = cut.resumed("identities", "users", **changes)
        ids = {identity["id"] for identity in cut.sandbox.identities}
    assert went_on
    whole = cut.written.getvalue() + output
    assert ids_by_stream(whole) == {"identities": ids, "users": ids}
    versions = {message["version"] for message in map(json.loads, whole.splitlines()) if "version" in message}
    assert versions == {cut.state["bookmarks"]["users"]["snapshot"]["version"]}
    assert output.count(b'"ACTIVATE_VERSION"') == 2


@pytest.mark.parametrize(
    "changes", [{"credential_metadata": True}, {"emit_activate_version_messages": False}, {"resume_within": 0}]
)
def test_another_read_than_was_cut_begins_anew(changes: dict[str, Any]) -> None:
    with Interrupted() as cut:
        output, went_on = cut.resumed("identities", "users", **changes)
        ids = {identity["id"] for identity in cut.sandbox.identities}
    assert not went_on
    assert ids_by_stream(output) == {"identities": ids, "users": ids}


@pytest.mark.parametrize("names", [("identities",), ("users",)])
def test_fewer_streams_begin_anew(names: tuple[str, ...]) -> None:
    with Interrupted() as cut:
        _, went_on = cut.resumed(*names)
    assert not went_on


@pytest.mark.parametrize("place", [None, "elsewhere"])
def test_streams_that_stand_at_different_places_begin_anew(place: str | None) -> None:
    with Interrupted() as cut:
        snapshot = cut.state["bookmarks"]["users"].pop("snapshot")
        if place:
            cut.state["bookmarks"]["users"]["snapshot"] = {**snapshot, "slices": snapshot["slices"][1:]}
        output, went_on = cut.resumed("identities", "users")
        ids = {identity["id"] for identity in cut.sandbox.identities}
    assert not went_on
    assert ids_by_stream(output) == {"identities": ids, "users": ids}


def test_a_signal_behind_the_last_page_leaves_only_the_activation() -> None:
    taps: list[TapOry] = []
    with Sandbox(200) as sandbox:
        config = {"base_url": sandbox.url, "page_size": 20}
        end_it = mock.patch("ory_reader.sync.full_read.FullRead._finish", side_effect=Terminated(15))
        with end_it, pytest.raises(Terminated):
            sync(config, prepare=taps.append)
        state = json.loads(json.dumps(taps[0].state))
        before = len(sandbox.requests.log)
        output = sync(config, state=state)
        asked = [seen.target for seen in [*sandbox.requests.log][before:] if "/admin/identities" in seen.target]
    assert records(output) == []
    assert len(asked) == 1
    (activation,) = (message for message in map(json.loads, output.splitlines()) if "version" in message)
    assert activation["type"] == "ACTIVATE_VERSION"
    assert activation["version"] == state["bookmarks"]["identities"]["snapshot"]["version"]
    assert b'"snapshot"' not in output.splitlines()[-1]


@pytest.mark.parametrize("own", [5, {"progress_markers": 5}, {"partitions": 5}, {"partitions": [5]}])
def test_what_else_a_state_holds_stops_no_read(own: Any) -> None:
    with Sandbox(20) as sandbox:
        output = sync({"base_url": sandbox.url}, state={"bookmarks": {"identities": own}})
    assert len(records(output)) == 20
    left = json.loads(output.splitlines()[-1])["value"]["bookmarks"]
    assert {name: set(kept) for name, kept in left.items()} == {"identities": {"finished", "typed_traits"}}
