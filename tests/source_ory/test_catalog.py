"""Configured catalogs as PyAirbyte writes them: how each stream is read."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL

from ory_reader.errors import SettingsError
from source_ory.catalog import singer_catalog


def stream(name: str, *fields: str) -> Any:
    properties = {field: {"type": "string"} for field in ("id", *fields)}
    return SimpleNamespace(name=name, schema={"properties": properties}, primary_keys=("id",))


STREAMS = {"changing": stream("changing", "changed_at"), "still": stream("still")}


def configured(name: str, mode: str, **more: Any) -> dict[str, Any]:
    return {"stream": {"name": name, "json_schema": {}}, "sync_mode": mode, **more}


def test_a_stream_that_knows_no_changes_is_read_in_full_where_changes_are_asked_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    catalog = {"streams": [configured(name, "incremental") for name in STREAMS]}
    with caplog.at_level(logging.WARNING):
        read = singer_catalog(catalog, STREAMS)
    methods = {name: read[name].replication_method for name in STREAMS}
    assert methods == {"changing": REPLICATION_INCREMENTAL, "still": REPLICATION_FULL_TABLE}
    assert all(read[name].metadata.root.selected for name in STREAMS)
    assert [record.getMessage() for record in caplog.records] == [
        "The stream 'still' knows no changes: sync_mode incremental is read as full_refresh."
    ]


@pytest.mark.parametrize("cursor", [None, [], ["changed_at"]])
def test_the_own_cursor_may_be_named(cursor: Any) -> None:
    catalog = {"streams": [configured("changing", "incremental", cursor_field=cursor)]}
    assert singer_catalog(catalog, STREAMS)["changing"].replication_method == REPLICATION_INCREMENTAL


@pytest.mark.parametrize("cursor", [["updated_at"], ["a", "b"], "updated_at", {"a": 1}])
def test_another_cursor_is_refused_and_not_ignored(cursor: Any) -> None:
    catalog = {"streams": [configured("changing", "incremental", cursor_field=cursor)]}
    with pytest.raises(SettingsError, match=r"'changing' has no cursor .*changed_at"):
        singer_catalog(catalog, STREAMS)
    # A full refresh has no use for it.
    catalog["streams"][0]["sync_mode"] = "full_refresh"
    assert singer_catalog(catalog, STREAMS)["changing"].replication_method == REPLICATION_FULL_TABLE
