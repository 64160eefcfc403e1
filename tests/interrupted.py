"""A read that was cut, and the run that is given its state."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from ory_reader.errors import AccessError
from tap_ory.block_writer import BlockWriter
from tap_ory.tap import TapOry
from tests.command import records, sync, unchanged_signals
from tests.faults.sandbox import FaultySandbox

if TYPE_CHECKING:
    from typing_extensions import Self


def both(*names: str) -> dict[str, Any]:
    """A catalog with these streams selected."""
    with unchanged_signals():
        made: dict[str, Any] = TapOry(validate_config=False).catalog_dict
    for stream in made["streams"]:
        (own,) = (entry for entry in stream["metadata"] if not entry["breadcrumb"])
        own["metadata"]["selected"] = stream["stream"] in names
    return made


def ids_by_stream(output: bytes) -> dict[str, set[str]]:
    """The ids of the records among Singer messages, by stream."""
    found: dict[str, set[str]] = {}
    for message in map(json.loads, output.splitlines()):
        if message["type"] == "RECORD":
            found.setdefault(message["stream"], set()).add(message["record"]["id"])
    return found


class Interrupted:
    """A read of both streams that was cut: what it wrote, and the state that it left."""

    def __init__(self) -> None:
        self.sandbox = FaultySandbox(200, faults=[{"do": "status", "status": 401, "at": 6}])
        self.config = {"base_url": self.sandbox.url, "page_size": 20}
        self.written = io.BytesIO()

    def __enter__(self) -> Self:
        self.sandbox.__enter__()
        taps: list[TapOry] = []
        kept = mock.patch.object(BlockWriter, "write_block", lambda _, block: self.written.write(block))
        with kept, pytest.raises(AccessError):
            sync(self.config, catalog=both("identities", "users"), prepare=taps.append)
        self.state = json.loads(json.dumps(taps[0].state))
        return self

    def __exit__(self, *_: object) -> None:
        self.sandbox.__exit__(None, None, None)

    def resumed(self, *names: str, **changes: Any) -> tuple[bytes, bool]:
        """What a run given that state writes, and whether it left out what had been written before."""
        output = sync({**self.config, **changes}, catalog=both(*names), state=self.state)
        left = json.loads(output.splitlines()[-1])["value"]["bookmarks"]
        assert not any("snapshot" in left[name] for name in names)
        return output, len(records(output)) < len(names) * 200
