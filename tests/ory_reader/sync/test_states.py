"""States as stores hand them over: no finished read comes back, and no wrapper is passed over in silence."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from meltano.core.utils import merge
from singer_sdk.helpers._state import StateWriter

from command_basics.signals import Terminated
from ory_reader.errors import IncompleteError
from ory_reader.sync import states
from ory_sandbox import Sandbox
from tap_ory.block_writer import BlockWriter
from tests.command import records, sync
from tests.interrupted import Interrupted, both, ids_by_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PEOPLE = 50
BEGAN = datetime(2026, 5, 5, tzinfo=timezone.utc)
STREAMS = ("identities", "users")
State = dict[str, Any]


class Project:
    """A project and the runs that read it, an hour apart from each other."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.config = {"base_url": sandbox.url, "page_size": 10, "concurrency": 2}
        self.ids = {identity["id"] for identity in sandbox.identities}
        self.runs = 0

    def run(
        self, names: tuple[str, ...], state: State, blocks: int | None = None, written: list[State] | None = None
    ) -> tuple[list[State], bytes]:
        """The states of a run that is cut after so many blocks of records, and what one writes that is not."""
        written = [] if written is None else written
        left = iter(range(blocks or 0))

        def write_block(writer: BlockWriter, block: bytes) -> None:
            if blocks is not None and next(left, None) is None:
                raise Terminated(15)
            original(writer, block)

        def write_state(writer: StateWriter, value: State) -> None:
            written.append(json.loads(json.dumps(value)))

        original = BlockWriter.write_block
        self.runs += 1
        output, began = b"", BEGAN + self.runs * timedelta(hours=1)
        with ExitStack() as patched:
            patched.enter_context(mock.patch("ory_reader.sync.full_read.STATE_INTERVAL", 0))
            patched.enter_context(mock.patch("ory_reader.sync.snapshot.now", return_value=began))
            patched.enter_context(mock.patch.object(BlockWriter, "write_block", write_block))
            patched.enter_context(mock.patch.object(StateWriter, "write_state", write_state))
            if blocks is None:
                output = sync(self.config, catalog=both(*names), state=state)
            else:
                with pytest.raises(Terminated):
                    sync(self.config, catalog=both(*names), state=state)
        return written, output

    def is_read_whole(self, names: tuple[str, ...], state: State) -> bool:
        """Whether a run given this state delivers everybody in each of these streams."""
        _, output = self.run(names, json.loads(json.dumps(state)))
        # The next try is of the same hour.
        self.runs -= 1
        found = ids_by_stream(output)
        return all(found.get(name) == self.ids for name in names)


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    with Sandbox(PEOPLE) as sandbox:
        yield Project(sandbox)


@pytest.fixture(scope="module")
def history(project: Project) -> list[list[State]]:
    """The states of reads that were all finished: cut twice and gone on with, in one go, cut and gone on with.

    The last one was given no state of those before, as a full refresh is.
    """
    reads: list[list[State]] = []
    state: State = {}
    for cuts in ((3, 2), (), (4,), (5,)):
        read: list[State] = []
        state = {} if len(reads) == 3 else state
        for blocks in (*cuts, None):
            read += project.run(STREAMS, state, blocks)[0]
            state = read[-1]
        reads.append(read)
    # There is something to come back of each.
    assert all(sum("snapshot" in state["bookmarks"].get("users", {}) for state in read) > 2 for read in reads)
    return reads


laid_over: Callable[[State, State], State] = merge


def deep(store: State, state: State) -> State:
    """As Meltano's own merging does."""
    return laid_over(state, store)


def deep_with_lists(store: Any, state: Any) -> Any:
    """Lists are put together as well."""
    if isinstance(store, dict) and isinstance(state, dict):
        return {**store, **{key: deep_with_lists(store.get(key), value) for key, value in state.items()}}
    return store + state if isinstance(store, list) and isinstance(state, list) else state


def first_wins(store: State, state: State) -> State:
    """What is there already stays."""
    return laid_over(store, state)


def by_stream(store: State, state: State) -> State:
    """Each stream's state is replaced as a whole, and kept where there is no newer one."""
    return {"bookmarks": {**store.get("bookmarks", {}), **state["bookmarks"]}}


def stored(strategy: Callable[[State, State], State], given_states: list[State]) -> State:
    store: State = {}
    for state in given_states:
        store = strategy(store, json.loads(json.dumps(state)))
    return store


@given(data=st.data())
@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("strategy", [deep, deep_with_lists, first_wins, by_stream])
def test_whatever_a_store_makes_of_states_no_finished_read_is_gone_on_with(
    strategy: Callable[[State, State], State], project: Project, history: list[list[State]], data: st.DataObject
) -> None:
    """All reads of the history were finished, and the store was told so, if of one stream only."""
    number = data.draw(st.integers(1, len(history)))
    told: list[State] = []
    for read in history[:number]:
        places = sorted(data.draw(st.sets(st.integers(0, len(read) - 2), max_size=4)))
        for state in [*(read[place] for place in places), read[-1]]:
            kept_names = data.draw(st.sets(st.sampled_from(STREAMS), min_size=1))
            kept = {"bookmarks": {name: own for name, own in state["bookmarks"].items() if name in kept_names}}
            told += [kept] * data.draw(st.integers(1, 2))
    if strategy is not by_stream:
        told = data.draw(st.permutations(told))
    names = data.draw(st.sampled_from([STREAMS, STREAMS[:1], STREAMS[1:]]))
    assert project.is_read_whole(names, stored(strategy, told))


def test_a_read_that_was_not_finished_is_gone_on_with_from_a_merged_state(
    project: Project, history: list[list[State]]
) -> None:
    """What came before does not stand in its way."""
    store = stored(deep, [state for read in history for state in read])
    cut, _ = project.run(STREAMS, store, blocks=4)
    output = project.run(STREAMS, stored(deep, [store, *cut]))[1]
    assert 0 < len(records(output)) < 2 * PEOPLE
    whole = project.run(STREAMS, stored(deep, [store, *cut, project.run(STREAMS, cut[-1])[0][-1]]))[1]
    assert len(records(whole)) == 2 * PEOPLE


def test_a_read_that_missed_a_row_is_over_too() -> None:
    """What goes on with it would be whole without that row, and have it deleted."""
    with Sandbox(PEOPLE) as sandbox, mock.patch("time.sleep"):
        project = Project(sandbox)
        row = sandbox.identities[30]["id"]
        sandbox.make_unreadable(row)
        cut, _ = project.run(("identities",), {}, blocks=2)
        written: list[State] = []
        with pytest.raises(IncompleteError):
            project.run(("identities",), cut[-1], written=written)
        sandbox.mend()
        assert project.is_read_whole(("identities",), stored(deep, [*cut, *written]))


def test_a_state_does_not_grow_with_the_reads() -> None:
    finished: dict[str, int] = {}
    for version in range(1000):
        finished = states.with_finished(finished, version)
    assert sorted(finished.values()) == list(range(1000 - states.PLACES, 1000))


@pytest.mark.parametrize(
    "finished", [5, None, [7], {"0": "7"}, {"0": True}, {"0": None}, {"x": 7}, {"-1": 7}, {"99": 7}, {"0": 6}, {}]
)
def test_a_strange_tombstone_is_none(finished: Any) -> None:
    bookmarks = {"users": {"finished": finished}, "identities": {"snapshot": {"version": 7}}}
    assert states.without_finished(bookmarks) == bookmarks


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda state: state,
        lambda state: {"type": "STATE", "value": state},
        lambda state: {"singer_state": state},
        lambda state: {"type": "STATE", "value": {"singer_state": state}},
        lambda state: {"completed": {"singer_state": state}, "partial": {}},
        lambda state: {"completed": {}, "partial": {"singer_state": state}},
        lambda state: {"completed": {"singer_state": state}, "partial": None},
        lambda state: {"dev:tap-ory-to-target": {"completed": {"singer_state": state}, "partial": {}}},
    ],
)
def test_a_state_is_understood_in_what_is_put_around_it(wrapped: Callable[[State], State]) -> None:
    with Interrupted() as cut:
        cut.state = wrapped(cut.state)
        assert cut.resumed("identities", "users")[1]


def test_what_an_unfinished_run_left_lies_over_what_is_complete() -> None:
    below = {"bookmarks": {"identities": {"replication_key_value": "1", "finished": {"0": 1}}}}
    above = {"bookmarks": {"identities": {"replication_key_value": "2", "finished": {"1": 2}}, "users": {}}}
    state = {"completed": {"singer_state": below}, "partial": {"singer_state": above}}
    merged = {"identities": {"replication_key_value": "2", "finished": {"0": 1, "1": 2}}, "users": {}}
    assert states.bookmarks_of(state) == merged


@pytest.mark.parametrize(
    "state",
    [
        {"streams": []},
        {"base_url": "https://a.example"},
        {"type": "STATE"},
        {"type": "STREAM", "stream": {"stream_descriptor": {"name": "identities"}, "stream_state": {}}},
        {"bookmarks": []},
        {"bookmarks": {"identities": None}},
        {"a": {"completed": {}, "partial": {}}, "b": {"completed": {}, "partial": {}}},
        {"value": "x"},
        json.loads('{"value":' * 50 + "{}" + "}" * 50),
    ],
)
def test_what_is_no_state_is_told_and_everybody_is_read(
    project: Project, state: State, caplog: pytest.LogCaptureFixture
) -> None:
    assert project.is_read_whole(("identities",), state)
    (line,) = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    assert line.startswith("The state given is set aside")


@pytest.mark.parametrize("state", [{}, {"bookmarks": {}}, {"singer_state": {}}, {"type": "STATE", "value": {}}])
def test_an_empty_state_is_one(project: Project, state: State, caplog: pytest.LogCaptureFixture) -> None:
    assert project.is_read_whole(("identities",), state)
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
