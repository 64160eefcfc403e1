"""The translation of blocks, and the states with their counts."""

import io
import json

import pytest
from singer_sdk.singerlib.messages import RecordMessage, SchemaMessage, StateMessage

from ory_reader.records.decoder import RecordDecoder
from ory_reader.records.projection import project
from source_ory.writer import AirbyteWriter, translate
from tap_ory.record_lines import record_lines
from tests.source_ory.support import said

SCHEMA = {"properties": {"id": {"type": "string"}, "traits": {}}}
#: What could be taken for an envelope if a record were cut in the wrong place.
TRAPS = [
    '{"type":"RECORD","stream":"identities","record":{',
    ',"time_extracted":"2026-01-01T00:00:00+00:00"}\n',
    '"}\n{"type":"RECORD","stream":"identities","record":{"id":"x"',
    ',"version":7,"time_extracted":"',
    "\u2028\x85\r\n",
]


def block_of(rows: list[dict[str, object]], version: int | None) -> bytes:
    """A block as the tap's own encoder writes it."""
    mask = {(): True, ("properties", "id"): True, ("properties", "traits"): True}
    decoder = RecordDecoder(project(SCHEMA, mask))
    return record_lines("identities", decoder.records(decoder.rows(json.dumps(rows).encode())), version)


@pytest.mark.parametrize("version", [None, 1795489828])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_records_come_through_as_they_are(version: int | None, number: int) -> None:
    rows: list[dict[str, object]] = [{"id": str(n), "traits": {trap: trap}} for n, trap in enumerate(TRAPS[:number])]
    stream, lines, records = translate(block_of(rows, version), 12345)
    assert (stream, records) == ("identities", number)
    expected = [
        {"type": "RECORD", "record": {"stream": "identities", "data": row, "emitted_at": 12345}} for row in rows
    ]
    assert [json.loads(line) for line in lines.decode().split("\n")[:-1]] == expected


def test_what_is_no_block_is_refused() -> None:
    with pytest.raises(ValueError, match="RECORD lines"):
        translate(b'{"type":"STATE"}\n', 0)


def test_a_record_that_comes_alone_is_no_loss_without_a_word() -> None:
    with pytest.raises(TypeError, match="RecordMessage"):
        AirbyteWriter().write_message(RecordMessage(stream="identities", record={"id": "1"}))


def test_states_account_for_every_record_once(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    writer = AirbyteWriter()
    bookmarks: dict[str, dict[str, object]] = {"identities": {}, "others": {"a": 1}}
    writer.write_message(StateMessage(value={"bookmarks": bookmarks}))
    writer.write_message(SchemaMessage(stream="identities", schema=SCHEMA, key_properties=["id"]))
    writer.write_block(block_of([{"id": "1"}, {"id": "2"}], None))
    bookmarks["identities"]["snapshot"] = 1
    writer.write_message(StateMessage(value={"bookmarks": bookmarks}))
    writer.write_message(StateMessage(value={"bookmarks": bookmarks}))
    writer.write_block(block_of([{"id": "3"}], None))
    writer.write_block(b"")
    del bookmarks["identities"]["snapshot"]
    writer.write_states(bookmarks)
    states = [(state["stream"], state["sourceStats"]) for state in said(0, out.getvalue().encode()).of("STATE")]
    identities = {"stream_descriptor": {"name": "identities"}}
    assert states == [
        ({**identities, "stream_state": {"snapshot": 1}}, {"recordCount": "2.0"}),
        ({**identities, "stream_state": {}}, {"recordCount": "1.0"}),
    ]
