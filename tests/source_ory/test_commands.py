"""spec, check, discover and read as commands against the sandbox and real servers."""

import json
import shlex
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from ory_sandbox import Sandbox
from source_ory.spec import specification
from tests.real.server import Kratos
from tests.servers import API_TOKEN, Server
from tests.source_ory.support import ENVIRONMENT, ROOT, SOURCE, Files, by_id, records_of_the_tap, run, said
from tests.stuck import wait_until_stuck


def test_spec_is_one_message() -> None:
    told = run("spec")
    assert told.code == 0
    assert told.of("SPEC") == [specification()]


def test_check_tells_the_taps_sentence(files: Files, server: Server) -> None:
    told = run("check", "--config", files.write({"base_url": server.admin_url, "api_token": server.api_token}))
    (status,) = told.of("CONNECTION_STATUS")
    assert told.code == 0
    assert status["status"] == "SUCCEEDED"
    assert status["message"].startswith(f"Connected to {server.admin_url.rstrip('/')}, ")


def test_check_tells_wrong_settings_apart(files: Files, sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    wrong = [
        ({"base_url": "https://slug.projects.oryapis.com/", "api_token": "ory_wak_x"}, "workspace API key"),
        ({"base_url": sandbox.public_url}, "public"),
        ({"base_url": nobody}, "connection refused"),
        ({}, "base_url is missing"),
        ({"base_url": ""}, "base_url is empty"),
    ]
    for config, sentence in wrong:
        told = run("check", "--config", files.write(config))
        (status,) = told.of("CONNECTION_STATUS")
        assert (told.code, status["status"]) == (0, "FAILED")
        assert sentence in status["message"]
        assert "ory_wak_x" not in told.output.decode()


def test_discover(files: Files, sandbox: Sandbox) -> None:
    streams = {stream["name"]: stream for stream in files.discovered(files.write({"base_url": sandbox.url}))}
    identities = streams["identities"]
    assert identities["supported_sync_modes"] == ["full_refresh", "incremental"]
    assert identities["default_cursor_field"] == ["changed_at"]
    for stream in streams.values():
        assert stream["source_defined_primary_key"] == [["id"]]
        assert stream["source_defined_cursor"] is True
        assert stream["is_resumable"] is True
        assert '"additionalProperties": false' not in json.dumps(stream)


def test_records_are_the_taps_stream_by_stream(files: Files, server: Server) -> None:
    config = files.write({"base_url": server.admin_url, "api_token": server.api_token})
    told = run("read", "--config", config, "--catalog", files.catalog(files.discovered(config)))
    assert told.code == 0
    taps = records_of_the_tap(files, config)
    assert sorted(record["id"] for record in taps["identities"]) == sorted(server.all_ids())
    assert sorted(told.records) == sorted(taps)
    for stream, records in taps.items():
        assert by_id(told.records[stream]) == by_id(records)


def test_a_read_tells_how_it_goes(files: Files, sandbox: Sandbox) -> None:
    config = files.write({"base_url": sandbox.url})
    told = run("read", "--config", config, "--catalog", files.catalog(files.discovered(config)[:1]))
    assert told.statuses == [("identities", "STARTED"), ("identities", "RUNNING"), ("identities", "COMPLETE")]
    assert told.traces("ESTIMATE") == [{"name": "identities", "type": "STREAM", "row_estimate": 1200}]
    assert sum(float(state["sourceStats"]["recordCount"]) for state in told.of("STATE")) == 1200
    # The protocol: a number with a decimal point.
    assert all("." in state["sourceStats"]["recordCount"] for state in told.of("STATE"))
    assert set(told.of("STATE")[-1]["stream"]["stream_state"]) == {"finished", "typed_traits"}
    assert told.messages[-1]["trace"]["stream_status"]["status"] == "COMPLETE"


def test_an_empty_project_is_read_whole(files: Files, empty_server: Server) -> None:
    config = files.write({"base_url": empty_server.admin_url, "api_token": empty_server.api_token})
    told = run("read", "--config", config, "--catalog", files.catalog(files.discovered(config)[:1]))
    assert (told.code, told.records) == (0, {})
    assert told.statuses == [("identities", "STARTED"), ("identities", "COMPLETE")]


def test_only_configured_fields_are_read(files: Files, sandbox: Sandbox) -> None:
    config = files.write({"base_url": sandbox.url})
    stream = {"name": "identities", "json_schema": {"type": "object", "properties": {"state": {}}}}
    told = run("read", "--config", config, "--catalog", files.catalog([stream]))
    assert {key for record in told.records["identities"] for key in record} == {"id", "state"}


def test_an_incremental_read_keeps_its_cursor(files: Files, sandbox: Sandbox) -> None:
    config = files.write({"base_url": sandbox.url})
    stream = {"name": "identities", "json_schema": {"type": "object", "properties": {"state": {}}}}
    told = run("read", "--config", config, "--catalog", files.catalog([stream], "incremental"))
    assert {key for record in told.records["identities"] for key in record} == {"id", "state", "changed_at"}


def test_incremental_reads_what_changed(files: Files, start_kratos: Callable[[str, int], Kratos]) -> None:
    kratos = start_kratos("v1.3.1", 50)
    config = files.write({"base_url": kratos.admin_url, "lookback_seconds": 0, "credential_metadata": "true"})
    catalog = files.catalog(files.discovered(config)[:1], "incremental")
    first = run("read", "--config", config, "--catalog", catalog)
    assert len(first.records["identities"]) == 50
    created = kratos.create({"schema_id": "person", "traits": {"email": "later@example.com"}})
    state = files.write([first.of("STATE")[-1]])
    second = run("read", "--config", config, "--catalog", catalog, "--state", state)
    told = [record["id"] for record in second.records["identities"]]
    assert created["id"] in told
    assert len(told) < 50
    assert second.statuses[-1] == ("identities", "COMPLETE")
    assert second.traces("ESTIMATE") == []


def test_a_cut_read_says_incomplete_and_is_gone_on_with(files: Files, servers: ExitStack) -> None:
    slow = servers.enter_context(Sandbox(3000, manner="v1.3", latency_ms=150))
    config = files.write({"base_url": slow.url, "page_size": 100, "concurrency": 2})
    catalog = files.catalog(files.discovered(config)[:1])
    command = [*SOURCE, "read", "--config", str(config), "--catalog", str(catalog)]
    with subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith(b'{"type":"RECORD"') and len(lines) > 300:
                break
        process.send_signal(signal.SIGTERM)
        lines += process.stdout.readlines()
    cut = said(process.returncode, b"".join(lines))
    assert cut.code == 128 + signal.SIGTERM
    assert cut.statuses[-1] == ("identities", "INCOMPLETE")
    assert ("identities", "COMPLETE") not in cut.statuses
    assert cut.error[0] == "transient_error"
    states = [message for message in cut.messages if message["type"] == "STATE"]
    assert float(states[-1]["state"]["sourceStats"]["recordCount"]) == len(cut.records["identities"])
    rest = run("read", "--config", config, "--catalog", catalog, "--state", files.write([states[-1]["state"]]))
    assert rest.statuses[-1] == ("identities", "COMPLETE")
    ids = [[record["id"] for record in told.records["identities"]] for told in (cut, rest)]
    assert sorted(ids[0] + ids[1]) == sorted(identity["id"] for identity in slow.identities)
    assert len(ids[1]) < 3000


def test_a_signal_cuts_no_line_where_stdout_has_no_buffer(files: Files, servers: ExitStack) -> None:
    people = servers.enter_context(Sandbox(5000))
    config = files.write({"base_url": people.url})
    catalog = files.catalog([{"name": "identities", "json_schema": {"type": "object"}}])
    command = [*SOURCE, "read", "--config", str(config), "--catalog", str(catalog)]
    environment = {**ENVIRONMENT, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout
        lines = [process.stdout.readline()]
        # It stands in the middle of a block once the pipe is full.
        wait_until_stuck(people)
        process.send_signal(signal.SIGTERM)
        lines += process.stdout.readlines()
    cut = said(process.returncode, b"".join(lines))
    assert (cut.code, cut.statuses[-1]) == (128 + signal.SIGTERM, ("identities", "INCOMPLETE"))
    assert sum(float(state["sourceStats"]["recordCount"]) for state in cut.of("STATE")) == len(
        cut.records["identities"]
    )


def test_errors_say_whose_turn_it_is(files: Files, servers: ExitStack) -> None:
    network = servers.enter_context(Sandbox(5, manner="network", api_token=API_TOKEN))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    catalog = files.catalog([{"name": "identities", "json_schema": {"type": "object"}}])
    wrong = [
        ({"base_url": network.url, "api_token": "ory_pat_another"}, "config_error"),
        ({"base_url": "not a url"}, "config_error"),
        ({"base_url": nobody}, "transient_error"),
    ]
    for config, failure in wrong:
        told = run("read", "--config", files.write(config), "--catalog", catalog)
        assert (told.code, told.error[0]) == (1, failure), told.error
        assert "ory_pat_another" not in told.output.decode()
        assert ("identities", "COMPLETE") not in told.statuses


ANOTHER_CURSOR = json.dumps(
    {
        "streams": [
            {
                "stream": {"name": "identities", "json_schema": {}},
                "sync_mode": "incremental",
                "cursor_field": ["updated_at"],
            }
        ]
    }
)


@pytest.mark.parametrize(
    ("catalog", "sentence"),
    [
        ("[]", "no configured catalog"),
        ('{"streams": [{"stream": {"name": "identities", "json_schema": {}}, "sync_mode": "x"}]}', "no configured"),
        ('{"streams": [{"stream": {"name": "x", "json_schema": {}}, "sync_mode": "full_refresh"}]}', "stream 'x'"),
        ('{"streams": []}', "configures no stream"),
        (ANOTHER_CURSOR, "has no cursor 'updated_at'"),
        ("{", "is no JSON"),
    ],
)
def test_a_catalog_that_cannot_be_read_is_refused(files: Files, sandbox: Sandbox, catalog: str, sentence: str) -> None:
    told = run("read", "--config", files.write({"base_url": sandbox.url}), "--catalog", files.write(catalog))
    assert (told.code, told.error[0]) == (1, "config_error")
    assert sentence in told.error[1]


def test_a_closed_pipe_ends_it_without_a_word(files: Files, sandbox: Sandbox) -> None:
    config = files.write({"base_url": sandbox.url})
    catalog = files.catalog(files.discovered(config)[:1])
    command = [*SOURCE, "read", "--config", str(config), "--catalog", str(catalog)]
    with subprocess.Popen(
        command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize(("where", "sentence"), [(">/dev/full", "No space left"), (">&-", "closed")])
def test_an_output_that_takes_nothing_is_told_elsewhere(where: str, sentence: str) -> None:
    command = f"{shlex.join(SOURCE)} spec {where}"
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["check", "discover"])
def test_who_has_the_answer_may_end_it(files: Files, sandbox: Sandbox, command: str) -> None:
    config = files.write({"base_url": sandbox.url})
    with subprocess.Popen(
        [*SOURCE, command, "--config", str(config)], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        next(line for line in process.stdout if line.startswith((b'{"type":"CONN', b'{"type":"CATALOG')))
        process.terminate()
    assert process.returncode in {0, -signal.SIGTERM}
