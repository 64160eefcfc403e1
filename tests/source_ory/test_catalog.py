"""Configured catalogs as PyAirbyte writes them: how each stream is read."""

import logging
from typing import Any

import pytest

from ory_reader.errors import SettingsError
from source_ory.catalog import chosen


def schema(*fields: str) -> dict[str, Any]:
    return {"properties": {field: {"type": "string"} for field in ("id", "state", *fields)}}


STREAMS = {"changing": schema("changed_at"), "still": schema()}


def configured(name: str, mode: str, **more: Any) -> dict[str, Any]:
    return {"stream": {"name": name, "json_schema": {}}, "sync_mode": mode, **more}


def test_a_stream_that_knows_no_changes_is_read_in_full_where_changes_are_asked_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    catalog = {"streams": [configured(name, "incremental") for name in STREAMS]}
    with caplog.at_level(logging.WARNING):
        read = chosen(catalog, STREAMS)
    assert {name: each.changes_only for name, each in read.items()} == {"changing": True, "still": False}
    assert [record.getMessage() for record in caplog.records] == [
        "The stream 'still' knows no changes: sync_mode incremental is read as full_refresh."
    ]


@pytest.mark.parametrize("cursor", [None, [], ["changed_at"]])
def test_the_own_cursor_may_be_named(cursor: Any) -> None:
    catalog = {"streams": [configured("changing", "incremental", cursor_field=cursor)]}
    assert chosen(catalog, STREAMS)["changing"].changes_only


@pytest.mark.parametrize("cursor", [["updated_at"], ["a", "b"], "updated_at", {"a": 1}])
def test_another_cursor_is_refused_and_not_ignored(cursor: Any) -> None:
    catalog = {"streams": [configured("changing", "incremental", cursor_field=cursor)]}
    with pytest.raises(SettingsError, match=r"'changing' has no cursor .*changed_at"):
        chosen(catalog, STREAMS)
    # A full refresh has no use for it.
    catalog["streams"][0]["sync_mode"] = "full_refresh"
    assert not chosen(catalog, STREAMS)["changing"].changes_only


def test_streams_come_in_their_own_order_and_no_other_is_read() -> None:
    names = ["still", "changing"]
    assert list(chosen({"streams": [configured(name, "full_refresh") for name in names]}, STREAMS)) == list(STREAMS)
    assert list(chosen({"streams": [configured("still", "full_refresh")]}, STREAMS)) == ["still"]


@pytest.mark.parametrize(
    ("mode", "fields", "read"),
    [
        ("full_refresh", (), {"id": True, "state": True, "changed_at": True}),
        ("full_refresh", ("state",), {"id": False, "state": True, "changed_at": False}),
        ("incremental", ("state",), {"id": False, "state": True, "changed_at": True}),
    ],
)
def test_a_field_is_read_with_all_that_is_below(mode: str, fields: tuple[str, ...], read: dict[str, bool]) -> None:
    entry = configured("changing", mode)
    entry["stream"]["json_schema"] = {"properties": {field: {} for field in fields}}
    mask = chosen({"streams": [entry]}, STREAMS)["changing"].mask
    for field, selected in read.items():
        place = ("properties", field)
        for below in ((), ("items",), ("additionalProperties",), ("properties", "a"), ("items", "properties", "b")):
            assert mask[place + below] == selected
