"""`spark.read.format("ory")` in a real session: everybody once or the job fails, and no key anywhere."""

from __future__ import annotations

import json
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

import ory_reader
from ory_sandbox import Sandbox
from tests.command import KEY
from tests.faults.sandbox import FaultySandbox
from tests.pyspark_ory.session import ROOT
from tests.real.fault_cases import CASES

if TYPE_CHECKING:
    from pathlib import Path

    from ory_sandbox.http import Request, Response
    from tests.pyspark_ory.session import Spark

# Sockets that a fault has cut on purpose are left to the collector on the server's side.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

PEOPLE = 20_000


class Counting(Sandbox):
    """A sandbox that counts the requests that it refused."""

    refused = 0

    def _answer(self, role: str, request: Request) -> Response:
        response = super()._answer(role, request)
        self.refused += response.status == 429
        return response


def options(sandbox: Sandbox, **more: object) -> dict[str, str]:
    return {"base_url": sandbox.url, **{name: str(value) for name, value in more.items()}}


def everybody(sandbox: Sandbox) -> list[str]:
    return sorted(each["id"] for each in sandbox.identities)


@pytest.fixture(scope="module")
def crowd() -> Any:
    with Sandbox(PEOPLE) as sandbox:
        yield sandbox, everybody(sandbox)


@pytest.mark.parametrize("partitions", [None, 1, 16])
def test_everybody_is_there_once(spark: Spark, crowd: tuple[Sandbox, list[str]], partitions: int | None) -> None:
    sandbox, expected = crowd
    given = options(sandbox, columns="id", **({"partitions": partitions} if partitions else {}))
    assert sorted(spark.ask("ids", options=given)["ids"]) == expected
    assert spark.ask("describe", options=given)["partitions"] == (partitions or 4)


@pytest.mark.parametrize("stream", ["identities", "users"])
@pytest.mark.parametrize("traits", ["json", "typed"])
def test_values_are_those_of_the_table(spark: Spark, tmp_path: Path, stream: str, traits: Any) -> None:
    with Sandbox(500) as sandbox:
        given = {"credential_metadata": "true", "traits": traits}
        answer = spark.ask("parquet", options=options(sandbox, stream=stream, **given), path=str(tmp_path / "out"))
        assert answer == {}
        table = ory_reader.read(stream, base_url=sandbox.url, credential_metadata=True, traits=traits).to_table()
    found = {row["id"]: row for row in pq.read_table(tmp_path / "out").to_pylist()}
    assert found == {row["id"]: row for row in table.to_pylist()}
    assert len(found) == 500


def test_an_offset_server_has_one_partition(spark: Spark) -> None:
    with Sandbox(1000, manner="v1.0") as sandbox:
        given = options(sandbox, partitions=4)
        assert spark.ask("describe", options=given)["partitions"] == 1
        assert sorted(spark.ask("ids", options=given)["ids"]) == everybody(sandbox)


def test_a_worker_that_is_killed_loses_and_doubles_nobody(spark: Spark) -> None:
    with Sandbox(4000, latency_ms=50) as sandbox:
        answers: list[dict[str, Any]] = []
        given = options(sandbox, page_size=20)
        job = threading.Thread(target=lambda: answers.append(spark.ask("ids", options=given)))
        job.start()
        while sandbox.requests.count < 40:
            job.join(0.02)
            assert job.is_alive()
        killed = spark.workers()
        for worker in killed:
            os.kill(worker, signal.SIGKILL)
        before = sandbox.requests.count
        job.join(120)
        (answer,) = answers
        assert killed
        assert sorted(answer["ids"]) == everybody(sandbox)
        # What was read by then was read again.
        assert sandbox.requests.count > before > 40


#: One of each kind; `test_source.py` has all of them, without a JVM.
FAULTS = (
    "401 in mid-run",
    "null",
    "500 once",
    "chunked body cut: id",
    "connection reset before the headers",
    "a next that leads back to the start",
    "an empty page in the place of a full one, with its next",
    "rows created and deleted around the cursor",
    "Kratos v1.0: rows come and go on both sides",
    "users: all pages clamped",
)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_fails_the_job_or_loses_and_doubles_nobody(spark: Spark, name: str) -> None:
    (case,) = (each for each in CASES if each.name == name)
    with FaultySandbox(400, faults=case.faults, manner=case.manner) as sandbox:
        before = {*everybody(sandbox)}
        answer = spark.ask("ids", options=options(sandbox, page_size=20, stream=case.stream))
        if "error" in answer:
            assert "ory_reader.errors." in answer["error"]
        else:
            found = answer["ids"]
            assert len(found) == len(set(found))
            # Who was there throughout.
            assert before & {*everybody(sandbox)} <= {*found}


def test_an_unreadable_identity_fails_the_job_or_is_a_row(spark: Spark) -> None:
    with Sandbox(100) as sandbox:
        expected = everybody(sandbox)
        sandbox.make_unreadable(expected[30])
        given = options(sandbox, page_size=20)
        assert f"up to {expected[30]}" in spark.ask("ids", options=given)["error"]
        assert sorted(spark.ask("ids", options={**given, "mode": "PERMISSIVE"})["ids"]) == expected


@pytest.mark.parametrize("partitions", [None, 4, 8])
def test_shares_of_a_bucket_see_no_429(spark: Spark, partitions: int | None) -> None:
    with Counting(1500, manner="network", api_token=KEY, rate_limit="12;w=2,30;w=5") as sandbox:
        given = options(sandbox, page_size=20, columns="id", **({"partitions": partitions} if partitions else {}))
        answer = spark.ask("ids", options=given)
        assert sorted(answer["ids"]) == everybody(sandbox)
        assert sandbox.refused == 0
        assert spark.ask("describe", options=given)["partitions"] == (partitions or 1)


def test_no_key_is_in_any_plan_event_or_error(spark: Spark) -> None:
    told = []
    with Sandbox(100, manner="network", api_token=KEY) as sandbox:
        told.append(spark.ask("describe", options=options(sandbox)))
        assert len(spark.ask("ids", options=options(sandbox))["ids"]) == 100
        for name in ("api_token", "http_headers"):
            refused = spark.ask("ids", options=options(sandbox, **{name: KEY}))
            assert f"Setting {name} is an option" in refused["error"]
            told.append(refused)
    with Sandbox(100, manner="network", api_token="ory_pat_another") as sandbox:
        told.append(spark.ask("describe", options={**options(sandbox), "base_url": "http://127.0.0.1:1/"}))
        told.append(spark.ask("ids", options=options(sandbox)))
        assert "401" in told[-1]["error"]
    logs = [file.read_text(errors="replace") for file in spark.events.rglob("*") if file.is_file()]
    texts = [*map(json.dumps, told), *logs, spark.log.read_text(errors="replace")]
    assert any("BatchScan ory" in text for text in logs)
    assert not [text for text in texts if KEY in text or KEY.encode().hex() in text]


def test_the_notebook(spark: Spark) -> None:
    with Sandbox(300) as sandbox:
        answer = spark.ask("notebook", path=str(ROOT / "docs" / "spark.ipynb"), admin_api=sandbox.url)
        assert answer == {"cells": 12}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pagesize": "3"}, "did you mean 'page_size'?"),
        ({"mode": "DROPMALFORMED"}, "choose FAILFAST or PERMISSIVE"),
        ({"partitions": "0"}, "Setting partitions is '0'"),
        ({"columns": "id,mail"}, "has no column 'mail'"),
        ({"stream": "nobody"}, "There is no stream 'nobody'"),
        ({"base_url": ""}, "Setting base_url is empty"),
    ],
)
def test_what_cannot_be_right_is_said_before_a_job(spark: Spark, given: dict[str, str], message: str) -> None:
    answer = spark.ask("describe", options={"base_url": "http://127.0.0.1:1/", **given})
    assert message in answer["error"]
