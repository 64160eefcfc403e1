"""Each stream that is a list as it is, of what real servers were recorded to answer: every row, nothing withheld."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

import ory_reader
from ory_reader.streams import PLAIN, STREAMS
from tests.ory_reader.streams.recorded import recording, server_of

#: The stream, and the recordings of its list.
RECORDED = {
    "oauth2_clients": ("hydra-v2.3.0/clients", "hydra-main/clients"),
    "permission_namespaces": ("keto-v0.13.0/namespaces", "keto-v26.2.0/namespaces"),
    "trust_issuers": ("hydra-v2.3.0/trust-grants", "hydra-main/trust-grants"),
}


def rows_of(name: str) -> list[dict[str, Any]]:
    body = json.loads(recording(name)[2])
    rows: list[dict[str, Any]] = body if isinstance(body, list) else next(iter(body.values()))
    return rows


def test_every_list_is_recorded() -> None:
    assert set(RECORDED) == {each.name for each in PLAIN}


@pytest.mark.parametrize(("stream", "name"), [(stream, name) for stream in RECORDED for name in RECORDED[stream]])
def test_every_row_comes_as_it_is_and_fits_its_schema(stream: str, name: str) -> None:
    with server_of(name) as server:
        project = ory_reader.settings(base_url="http://127.0.0.1:1", **at(stream, server.url))
        records = ory_reader.decoder(stream, project)
        with ory_reader.open_read(project, stream=stream) as read:
            found = [record for page in read.pages() for record in records(page)]
        assert read.whole
        assert len(server.asked) == 1
    # With its setting alone comes what is any JSON.
    withheld = {place.strip("/") for place in STREAMS[stream].resource.withheld} | {"metadata"}
    assert found == [{key: row[key] for key in row if key not in withheld} for row in rows_of(name)]
    assert found
    validator = Draft7Validator(STREAMS[stream].schema())
    assert not [error.message for record in found for error in validator.iter_errors(record)]


@pytest.mark.parametrize("stream", RECORDED)
def test_every_field_is_described(stream: str) -> None:
    schema = STREAMS[stream].schema()
    assert all(field["description"].endswith(".") for field in schema["properties"].values())
    assert schema["required"] == list(STREAMS[stream].key)


def at(stream: str, url: str) -> dict[str, str]:
    """The setting that says where a stream's server is."""
    return {STREAMS[stream].resource.service.url: url}
