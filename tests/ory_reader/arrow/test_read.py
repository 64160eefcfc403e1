"""`ory_reader.read`: what is asked for comes, once each time; what was not whole raises, whoever takes it."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from unittest import mock

import pyarrow as pa
import pytest

import ory_reader
from ory_reader.arrow import reader
from ory_reader.errors import IncompleteError, SettingsError, TapOryError
from ory_reader.resources.identities import IdentityRead
from ory_reader.sync import progress
from ory_sandbox import Sandbox
from tests.faults.sandbox import FaultySandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ory_reader.arrow.reader import ArrowRead
    from ory_reader.pagination.prefetch import PrefetchedPage

KEY = "ory_pat_a-key-that-nobody-may-see"
PEOPLE = 60
TAKERS: dict[str, Callable[[ArrowRead], pa.Table]] = {
    "to_table": lambda table: table.to_table(),
    "to_reader": lambda table: table.to_reader().read_all(),
    "pyarrow.table": pa.table,
    "RecordBatchReader.from_stream": lambda table: pa.RecordBatchReader.from_stream(table).read_all(),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(PEOPLE) as running:
        yield running


def of(sandbox: Sandbox, stream: str = "identities", **given: Any) -> ArrowRead:
    return ory_reader.read(stream, base_url=sandbox.url, page_size=7, **given)


@pytest.mark.parametrize("taker", TAKERS)
def test_whoever_takes_it_gets_everybody_each_time(sandbox: Sandbox, taker: str) -> None:
    table = of(sandbox, columns=["state", "id"])
    for _ in range(2):
        taken = TAKERS[taker](table)
        assert taken.column_names == ["state", "id"]
        assert sorted(taken["id"].to_pylist()) == sorted(each["id"] for each in sandbox.identities)
        assert table.rows == PEOPLE


@pytest.mark.parametrize("stream", ["identities", "users"])
@pytest.mark.parametrize("traits", ["json", "typed"])
def test_the_schema_is_known_before_anything_is_read(sandbox: Sandbox, stream: str, traits: Any) -> None:
    table = of(sandbox, stream, traits=traits)
    before = sandbox.requests.count
    assert pa.schema(table) == table.schema == table.to_reader().schema
    assert sandbox.requests.count == before
    assert table.to_table().schema == table.schema


def test_untyped_identities_need_no_identity_schemas(sandbox: Sandbox) -> None:
    before = len(sandbox.requests.log)
    of(sandbox).to_table()
    assert not [each for each in [*sandbox.requests.log][before:] if "schemas" in each.target]


def test_small_batches_are_made_large_and_large_ones_are_bounded(sandbox: Sandbox) -> None:
    assert [len(batch) for batch in of(sandbox).batches()] == [PEOPLE]
    with mock.patch.object(reader, "BATCH_ROWS", 10):
        assert {len(batch) for batch in of(sandbox, concurrency=1).batches()} == {14, 4}
    with mock.patch.object(reader, "BATCH_BYTES", 10):
        assert max(len(batch) for batch in of(sandbox).batches()) == 7


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"stream": "nobody"}, r"There is no stream 'nobody'\. The streams: identities, users"),
        ({"stream": "trust_issuers"}, "Setting oauth2_url is missing"),
        ({"columns": ["id", "mail"]}, r"The stream identities has no column 'mail'\. Its columns: id, external_id"),
        ({"columns": ["nonconforming_traits"]}, "no column 'nonconforming_traits'"),
        ({"traits": "struct"}, "Setting traits is 'struct': choose one of json, typed"),
        ({"on_unreadable": "skip"}, "Setting on_unreadable is 'skip': choose one of raise, row"),
        ({"pagesize": 5}, "did you mean 'page_size'"),
        ({"page_size": 5000}, "page_size must be at most 1000"),
    ],
)
def test_what_cannot_be_right_is_said_at_once(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        ory_reader.read(**{"base_url": "http://127.0.0.1:1", **given})


def test_types_must_be_known() -> None:
    with FaultySandbox(PEOPLE, faults=[{"do": "status", "on": "schemas", "status": 403, "times": None}]) as sandbox:
        assert of(sandbox).to_table().num_rows == PEOPLE
        for given in ({"traits": "typed"}, {"stream": "users"}):
            with pytest.raises(TapOryError, match="identity schemas could not be read"):
                of(sandbox, **given)


@pytest.mark.parametrize("taker", TAKERS)
def test_an_unreadable_identity_raises_behind_all_others(taker: str) -> None:
    with Sandbox(PEOPLE) as sandbox, mock.patch("time.sleep"):
        bad = sandbox.identities[30]["id"]
        sandbox.make_unreadable(bad)
        table = of(sandbox)
        with pytest.raises((IncompleteError, pa.ArrowInvalid), match=bad):
            TAKERS[taker](table)
        assert table.rows == PEOPLE - 1


@pytest.mark.parametrize("columns", [None, ["state"], ["id", "state"]])
def test_an_unreadable_identity_can_be_a_row_that_says_so(columns: list[str] | None) -> None:
    with Sandbox(PEOPLE) as sandbox, mock.patch("time.sleep"):
        bad = sandbox.identities[30]["id"]
        sandbox.make_unreadable(bad)
        table = of(sandbox, on_unreadable="row", columns=columns)
        rows = table.to_table().to_pylist()
        assert len(rows) == table.rows == PEOPLE
        (told,) = [row for row in rows if row["unreadable"] is not None]
        assert f"up to {bad}" in told["unreadable"]
        assert {name for name, value in told.items() if value is not None} == {"unreadable", *({"id"} & {*told})}
        if "id" in told:
            assert sorted(row["id"] for row in rows) == sorted(each["id"] for each in sandbox.identities)


def test_no_row_says_so_where_all_can_be_read(sandbox: Sandbox) -> None:
    assert of(sandbox, on_unreadable="row").to_table()["unreadable"].null_count == PEOPLE


@pytest.mark.parametrize("on_unreadable", ["raise", "row"])
def test_a_read_that_breaks_off_raises(on_unreadable: Any) -> None:
    faults = [{"do": "status", "status": 403, "at": 4, "times": None}]
    with FaultySandbox(PEOPLE, faults=faults) as sandbox, pytest.raises(TapOryError, match="403"):
        # With more readers some would still be asking the server that ends.
        of(sandbox, on_unreadable=on_unreadable, concurrency=1).to_table()


@pytest.mark.parametrize("on_unreadable", ["raise", "row"])
def test_rows_that_may_have_slipped_through_raise(
    sandbox: Sandbox, on_unreadable: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restless(read: IdentityRead) -> Iterator[PrefetchedPage]:
        yield from pages(read)
        read.whole = False

    pages = IdentityRead.pages
    monkeypatch.setattr(IdentityRead, "pages", restless)
    with pytest.raises(IncompleteError, match="kept changing"):
        of(sandbox, on_unreadable=on_unreadable).to_table()


def test_whoever_comes_again_on_an_offset_server_is_there_once() -> None:
    with FaultySandbox(PEOPLE, manner="v1.0", faults=[{"do": "move", "at": 4}]) as sandbox:
        found = of(sandbox, columns=["id"]).to_table()["id"].to_pylist()
        assert len(found) == len(set(found)) >= PEOPLE


def test_ranges_of_a_plan_are_read_by_themselves(sandbox: Sandbox) -> None:
    project = ory_reader.settings(base_url=sandbox.url)
    plan = pickle.loads(pickle.dumps(ory_reader.plan(project, 4)))
    before = len(sandbox.requests.log)
    parts = [of(sandbox, "users", plan=plan, ranges=[each]).to_table() for each in plan.ranges]
    assert not [each for each in [*sandbox.requests.log][before:] if "schemas" in each.target]
    found = [each for part in parts for each in part["id"].to_pylist()]
    assert sorted(found) == sorted(each["id"] for each in sandbox.identities)


def test_pages_of_both_paths_are_one_table() -> None:
    # A page with half a surrogate pair is decoded on another path.
    with Sandbox(PEOPLE) as sandbox:
        odd = [sandbox.put({"traits": {"email": "half\ud800@example.com"}}) for _ in range(3)]
        rows = {row["id"]: row for row in of(sandbox).to_table().to_pylist()}
        assert len(rows) == PEOPLE + 3
        assert all("\ufffd" in rows[each]["traits"] for each in odd)


def test_progress_is_told(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with mock.patch.object(progress, "LOG_INTERVAL", 0.0):
        of(sandbox).to_table()
        assert not caplog.messages
        of(sandbox, progress=True).to_table()
    assert f"{PEOPLE} " in caplog.messages[-1]


def test_no_key_is_told() -> None:
    with Sandbox(PEOPLE, manner="network", api_token="ory_pat_another") as sandbox:
        table = of(sandbox, api_token=KEY)
        assert KEY not in repr(table)
        with pytest.raises(TapOryError) as raised:
            table.to_table()
        with pytest.raises(pa.ArrowInvalid) as told:
            pa.table(table)
        assert KEY not in f"{raised.value}{told.value}"


def test_no_sdk_is_loaded(sandbox: Sandbox) -> None:
    program = (
        f"import ory_reader, sys; ory_reader.read('users', base_url={sandbox.url!r}).to_table(); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "pyarrow" in loaded
    assert {"singer_sdk", "click", "google", "grpc"}.isdisjoint(name.partition(".")[0] for name in loaded)


def test_without_pyarrow_it_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['pyarrow'] = None\nimport ory_reader; ory_reader.read(base_url='http://127.0.0.1:1')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "SettingsError: ory_reader.read needs pyarrow: install tap-ory[arrow]." in done.stderr
