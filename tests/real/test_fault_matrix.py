"""No fault loses a row: the matrix of `docs/faults.md`, run anew against a real target-postgres."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from ory_sandbox import Sandbox
from tests.faults.kinds import TROUBLES
from tests.faults.sandbox import FaultySandbox
from tests.real.fault_cases import CASES, MID
from tests.real.fault_table import KEY, PAGE, PEOPLE, Line, Matrix, matrix, render
from tests.runs import is_activation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real.postgres import Postgres

# Sockets that a fault has cut on purpose are left to the collector on the server's side.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

#: An answer of up to 256 MiB may be held, with a buffer's worth of slack, beside what the tap takes itself.
MOST_MEMORY_KIB = 400 * 1024


@pytest.fixture(scope="module")
def faults(postgres: Postgres) -> Iterator[Matrix]:
    with matrix(postgres) as each:
        yield each
    # Here, where it is known what they are, and not in the middle of another module.
    gc.collect()


@pytest.fixture(scope="module")
def lines(faults: Matrix) -> dict[str, Line]:
    """Each line of the matrix by its fault."""
    return {line.case.name: line for line in faults.lines()}


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_no_row_is_lost(lines: dict[str, Line], name: str) -> None:
    line = lines[name]
    assert line.lost == 0
    assert line.twice == 0
    assert line.wrong == 0
    assert line.same_in_the_end, line.outputs[-1].stderr[-2000:]


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_it_succeeds_or_says_why_in_one_line(lines: dict[str, Line], name: str) -> None:
    line = lines[name]
    first = line.outputs[0]
    if first.code == 0:
        assert line.said == ()
    else:
        assert first.code == 1
        assert len(line.said) == 1, first.stderr[-2000:]
        assert not line.activated
    assert first.peak_kib < MOST_MEMORY_KIB


def test_the_page_of_the_docs_is_up_to_date(lines: dict[str, Line]) -> None:
    made = render([*lines.values()])
    assert made == PAGE.read_text(encoding="utf-8"), "run `python -m tests.real.fault_table`"


def test_every_trouble_of_the_sandbox_is_in_the_matrix() -> None:
    assert {fault["do"] for case in CASES for fault in case.faults} == set(TROUBLES)
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("name", [case.name for case in CASES if case.at_schemas])
def test_the_same_at_the_identity_schemas_makes_nobody_else_of_anybody(lines: dict[str, Line], name: str) -> None:
    aside = lines[name].at_schemas
    assert aside
    assert (aside.lost, aside.wrong) == (0, 0)
    activated = any(map(is_activation, aside.output.lines))
    if aside.output.code == 0:
        assert activated
        assert not aside.output.errors
    else:
        assert aside.output.code == 1
        (said,) = aside.output.errors
        assert "identity_schemas to off" in said or "rate limit" in said
        assert not aside.output.ids
        assert not activated
    assert aside.output.peak_kib < MOST_MEMORY_KIB


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_the_key_is_never_seen(lines: dict[str, Line], name: str) -> None:
    line = lines[name]
    asides = [line.at_schemas] if line.at_schemas else []
    # Nothing of it goes to the public address.
    public = {("public", None)}
    assert line.keys - public == {("admin", f"Bearer {KEY}")}
    for aside in asides:
        assert aside.keys - public == {("admin", f"Bearer {KEY}")}
    for output in (line.outputs[0], *(aside.output for aside in asides)):
        assert KEY not in output.stderr
        assert KEY.encode() not in output.stdout
        assert "DEBUG" in output.stderr


def test_a_redirect_is_sent_nothing(faults: Matrix) -> None:
    with Sandbox(1) as elsewhere:
        fault = {"do": "status", "status": 307, "at": MID, "location": f"{elsewhere.url}admin/identities"}
        with FaultySandbox(PEOPLE, faults=[fault]) as sandbox:
            output = faults.run("redirect", sandbox)
        assert output.code == 1
        assert elsewhere.requests.count == 0
