"""Decoded records as lines, and the states with their counts."""

import json
import subprocess
from typing import Any

import pytest

from ory_reader.config.settings import Settings
from ory_reader.project import Project
from ory_reader.records.decoder import RecordDecoder
from ory_reader.records.projection import project
from ory_reader.streams import STREAMS
from source_ory.catalog import Chosen, Mask
from source_ory.output import Output, record_lines
from tests.source_ory.support import SOURCE, said

SCHEMA = {"properties": {"id": {"type": "string"}, "traits": {}}}
#: What could be taken for an envelope if a record were cut in the wrong place.
TRAPS = [
    '{"type":"RECORD","stream":"identities","record":{',
    ',"time_extracted":"2026-01-01T00:00:00+00:00"}\n',
    '"}\n{"type":"RECORD","stream":"identities","record":{"id":"x"',
    ',"version":7,"time_extracted":"',
    "\u2028\x85\r\n",
]


def decoder_and_rows(rows: list[dict[str, Any]]) -> tuple[RecordDecoder, list[Any]]:
    decoder = RecordDecoder(project(SCHEMA, Mask()))
    return decoder, decoder.rows(json.dumps(rows).encode())


@pytest.mark.parametrize("number", [1, 2, 5])
def test_records_come_through_as_they_are(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("source_ory.output.now_ms", lambda: 12345)
    rows: list[dict[str, Any]] = [{"id": str(n), "traits": {trap: trap}} for n, trap in enumerate(TRAPS[:number])]
    decoder, decoded = decoder_and_rows(rows)
    lines = record_lines("identities", decoder.records(decoded))
    expected = [
        {"type": "RECORD", "record": {"stream": "identities", "data": row, "emitted_at": 12345}} for row in rows
    ]
    assert [json.loads(line) for line in lines.decode().split("\n")[:-1]] == expected
    # As Airbyte's protocol has it, and as the messages beside them are written: without spaces, type first.
    assert lines.startswith(b'{"type":"RECORD","record":{"stream":"identities","data":{"id":"0",')
    assert lines.endswith(b'},"emitted_at":12345}}\n')


def outputs(*names: str) -> list[Output]:
    settings = Settings.from_config({"base_url": "http://127.0.0.1:1", "identity_schemas": False}, "0")
    return [Output(STREAMS[name], Project(settings), Chosen(changes_only=False, mask=Mask()), {}) for name in names]


def test_states_account_for_every_record_once(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    identities, others = outputs("identities", "users")
    identities.write_state()
    identities.begin(1)
    identities.write(*decoder_and_rows([{"id": "1"}, {"id": "2"}]))
    identities.stream_state["snapshot"] = 1
    identities.write_state()
    identities.write_state()
    identities.write(*decoder_and_rows([{"id": "3"}]))
    identities.write(*decoder_and_rows([]))
    del identities.stream_state["snapshot"]
    identities.write_state(last=True)
    # It never began.
    others.write_state(last=True)
    others.end("COMPLETE")
    told = said(0, capsysbinary.readouterr().out)
    states = [(state["stream"], state["sourceStats"]) for state in told.of("STATE")]
    descriptor = {"stream_descriptor": {"name": "identities"}}
    assert states == [
        ({**descriptor, "stream_state": {"snapshot": 1}}, {"recordCount": "2.0"}),
        ({**descriptor, "stream_state": {}}, {"recordCount": "1.0"}),
    ]
    assert told.statuses == [("identities", "STARTED"), ("identities", "RUNNING")]


def test_the_last_state_accounts_for_records_though_nothing_else_is_new(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    (identities,) = outputs("identities")
    identities.begin(1)
    for _ in range(3):
        identities.write(*decoder_and_rows([{"id": "1"}]))
        identities.write_state()
    identities.write_state(last=True)
    states = said(0, capsysbinary.readouterr().out).of("STATE")
    assert [state["sourceStats"]["recordCount"] for state in states] == ["1.0", "2.0"]


@pytest.mark.parametrize("command", ["import source_ory.source", "import source_ory.__main__", "spec", "--help"])
def test_nothing_of_singer_is_loaded(command: str) -> None:
    run = command if command.startswith("import") else f"import source_ory.__main__ as m; m.main([{command!r}])"
    code = f"""
import sys
try:
    {run}
except SystemExit:
    pass
sys.stderr.write(" ".join(name for name in sys.modules if name.split(".")[0] in ("singer_sdk", "tap_ory", "click")))
"""
    done = subprocess.run([SOURCE[0], "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
