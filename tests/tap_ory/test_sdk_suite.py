"""The SDK's own suite for taps, and the tests that it cannot fail: unique keys, and a state that stands."""

import io
import json
import sys
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from ory_sandbox import Sandbox
from tap_ory.tap import TapOry

# Fields that a server leaves out are in the catalog all the same.
pytestmark = pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records")

# Started here and not by a fixture: the SDK makes its tests from the settings while they are collected.
_SANDBOX = Sandbox(300)


@pytest.fixture(scope="module", autouse=True)
def sandbox() -> Iterator[Sandbox]:
    with _SANDBOX as running:
        yield running


@pytest.fixture(autouse=True)
def no_signal_handlers() -> Iterator[None]:
    with mock.patch("tap_ory.tap.TapOry._setup_signal_handlers"):
        yield


def everything_selected() -> dict[str, Any]:
    """A catalog with both streams, made without a server."""
    catalog: dict[str, Any] = TapOry(validate_config=False).catalog_dict
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = True
    return catalog


TestSuite = get_tap_test_class(
    TapOry,
    config={"base_url": _SANDBOX.url},
    catalog=everything_selected(),
    # Those assume one JSON type a field, where metadata may be of any; records are validated elsewhere.
    include_stream_attribute_tests=False,
    suite_config=SuiteConfig(ignore_no_records=False, max_records_limit=300),
)


def test_keys_are_unique_and_the_state_stands_at_the_end(sandbox: Sandbox) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with mock.patch.object(sys, "stdout", out):
        TapOry(config={"base_url": sandbox.url}, catalog=everything_selected()).sync_all()
    out.seek(0)
    messages = [json.loads(line) for line in out]
    streams = {message["stream"] for message in messages if message["type"] == "SCHEMA"}
    assert streams == {"identities", "users"}
    for stream in streams:
        ids = [m["record"]["id"] for m in messages if m["type"] == "RECORD" and m["stream"] == stream]
        assert len(ids) == len(set(ids)) == 300
    assert messages[-1]["type"] == "STATE"
    kept = {stream: set(own) for stream, own in messages[-1]["value"]["bookmarks"].items()}
    # The catalog was made without a server, so nothing has types; users are made of identity schemas.
    assert kept == {"identities": {"finished"}, "users": {"finished", "identity_schemas"}}
