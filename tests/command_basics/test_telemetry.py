"""What the commands send to an OpenTelemetry collector, as one receives it; and what they do where nobody asks."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from ory_sandbox import Sandbox
from tests.command import KEY, Finished, clean_environment, run_tap
from tests.faults.sandbox import FaultySandbox
from tests.otlp import Receiver, attributes_of, receiver
from tests.ports import refusing_port

PEOPLE = 300


@pytest.fixture
def collector() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(PEOPLE, api_token=KEY) as running:
        yield running


def told(collector: Receiver, sandbox: Sandbox, **variables: str) -> Finished:
    """Run the tap, which is to tell the collector."""
    settings = {"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_API_TOKEN": KEY, "TAP_ORY_PAGE_SIZE": "100"}
    return run_tap(environment={**settings, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **variables})


def test_a_read_is_told_as_the_server_saw_it(collector: Receiver, sandbox: Sandbox) -> None:
    sandbox.requests.log.clear()
    began = time.time()
    done = told(collector, sandbox, TAP_ORY_LOGLEVEL="debug")
    assert done.code == 0, done.stderr
    asked = len(sandbox.requests.log)
    metrics = collector.metrics
    assert began <= metrics.pop("ory.read.last_whole.timestamp") <= time.time()
    assert metrics == {"ory.records": PEOPLE, "ory.requests": asked, "ory.read.whole": 1, "ory.read.unreadable": 0}
    assert collector.services == {"tap-ory"}
    (read,) = [span for span in collector.spans if span.name == "read identities"]
    assert attributes_of(read) == {"ory.records": PEOPLE, "ory.outcome": "whole"}
    requests = [span for span in collector.spans if span.name.startswith("GET ")]
    assert len(requests) == asked
    pages = [span for span in requests if span.name == "GET /admin/identities"]
    assert {(span.trace_id, span.parent_span_id) for span in pages} == {(read.trace_id, read.span_id)}
    assert {attributes_of(span)["http.response.status_code"] for span in pages} == {200}
    assert not any(KEY.encode() in body for body in collector.bodies)


def test_refusals_and_waits(collector: Receiver) -> None:
    fault = {"do": "status", "status": 429, "retry_after": 1, "at": 2}
    with FaultySandbox(PEOPLE, faults=[fault], api_token=KEY) as sandbox:
        done = told(collector, sandbox, TAP_ORY_CONCURRENCY="1", OTEL_SERVICE_NAME="nightly")
    assert done.code == 0, done.stderr
    assert collector.metrics["ory.requests.refused"] == 1
    assert 1 <= collector.metrics["ory.requests.waited"] < 3
    assert collector.services == {"nightly"}


def test_rows_that_cannot_be_read(collector: Receiver) -> None:
    with FaultySandbox(20, faults=[{"do": "unreadable", "place": 7, "at": 1}], api_token=KEY) as sandbox:
        done = told(collector, sandbox, TAP_ORY_PAGE_SIZE="10")
    assert done.code == 1
    assert (collector.metrics["ory.read.whole"], collector.metrics["ory.read.unreadable"]) == (0, 1)
    assert "ory.read.last_whole.timestamp" not in collector.metrics
    (read,) = [span for span in collector.spans if span.name == "read identities"]
    assert (read.status.code, read.status.message) == (2, "IncompleteError")
    assert attributes_of(read) == {"ory.records": 19, "ory.outcome": "incomplete"}


def test_the_other_commands_that_read(collector: Receiver, sandbox: Sandbox, tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}.json" for name in ("config", "catalog")}
    files["config"].write_text(json.dumps({"base_url": sandbox.url, "api_token": KEY}))
    stream = {"stream": {"name": "identities", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}}
    modes = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    files["catalog"].write_text(json.dumps({"streams": [{**stream, **modes}]}))
    source = ["source_ory", "read", *(word for name, file in files.items() for word in (f"--{name}", str(file)))]
    connector = ["c1_connector", "--file", str(tmp_path / "sync.c1z"), "--base-url", sandbox.url]
    for command in (source, connector):
        collector.metric_sets.clear()
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "BATON_API_TOKEN": KEY}
        program = [sys.executable, "-m", *command]
        done = subprocess.run(program, env=clean_environment(variables), capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        assert collector.metrics["ory.records"] == PEOPLE
    assert collector.services == {"source-ory", "ory-connector"}


def loaded(arguments: Sequence[str], variables: dict[str, str], before: str = "") -> subprocess.CompletedProcess[str]:
    """Run the tap in a Python that does `before` first; on stderr it names in the end what it has of OpenTelemetry."""
    code = f"""
import atexit, runpy, sys
{before}
atexit.register(lambda: print("LOADED", *[name for name in sys.modules if "opentelemetry" in name], file=sys.stderr))
sys.argv = ["tap-ory", *{list(arguments)!r}]
runpy.run_module("tap_ory", run_name="__main__")
"""
    program = [sys.executable, "-c", code]
    return subprocess.run(program, env=clean_environment(variables), capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"OTEL_SERVICE_NAME": "nightly"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"},
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
        },
    ],
)
def test_nothing_is_imported_where_nobody_asks(more: dict[str, str], sandbox: Sandbox) -> None:
    done = loaded([], {"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_API_TOKEN": KEY, **more})
    assert done.returncode == 0
    assert done.stderr.endswith("LOADED\n")
    assert not [line for line in done.stderr.splitlines() if " | WARNING" in line]


@pytest.mark.parametrize(
    ("more", "before", "words"),
    [
        ({}, "sys.modules['opentelemetry'] = None", "Install tap-ory with the extra otel"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "", "OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf"),
        ({"OTEL_METRICS_EXPORTER": "console"}, "", "OTEL_METRICS_EXPORTER must be otlp or none"),
    ],
)
def test_what_cannot_be_told_is_said_in_one_line_and_stops_no_read(
    more: dict[str, str], before: str, words: str, sandbox: Sandbox
) -> None:
    settings = {"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_API_TOKEN": KEY}
    done = loaded([], {**settings, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", **more}, before)
    assert done.returncode == 0
    assert done.stdout.count('{"type":"RECORD"') == PEOPLE
    (warning,) = [line for line in done.stderr.splitlines() if " | WARNING" in line]
    assert words in warning


def test_only_what_is_wanted_is_sent(collector: Receiver, sandbox: Sandbox) -> None:
    assert told(collector, sandbox, OTEL_TRACES_EXPORTER="none").code == 0
    assert (bool(collector.spans), bool(collector.metrics)) == (False, True)


def test_a_collector_that_is_down_stops_no_read(sandbox: Sandbox) -> None:
    with ExitStack() as stack:
        nowhere = f"http://127.0.0.1:{refusing_port(stack)}"
        settings = {"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_API_TOKEN": KEY}
        otel = {"OTEL_EXPORTER_OTLP_ENDPOINT": nowhere, "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
        done = run_tap(environment={**settings, **otel})
    assert done.code == 0
    assert len([each for each in done.messages if each["type"] == "RECORD"]) == PEOPLE
    assert "Traceback" not in done.stderr
