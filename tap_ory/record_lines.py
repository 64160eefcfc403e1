"""Singer's RECORD lines of decoded rows, a page at a time."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder()


class _Line(msgspec.Struct, gc=False):
    """A RECORD message. Encoding whole messages is several times cheaper than putting text around records."""

    type: str
    stream: str
    record: Any
    version: int | msgspec.UnsetType
    time_extracted: str


def record_lines(stream: str, records: list[Any], version: int | None = None) -> bytes:
    """Return records as RECORD lines, each ended by a newline; `version` goes into every one where given."""
    given, extracted = _common(version)
    return _encoder.encode_lines([_Line("RECORD", stream, record, given, extracted) for record in records])


def mixed_lines(records: list[tuple[str, Any]], version: int | None = None) -> bytes:
    """Return records of several streams, each with the name of its own, as `record_lines` does."""
    given, extracted = _common(version)
    return _encoder.encode_lines([_Line("RECORD", stream, record, given, extracted) for stream, record in records])


def _common(version: int | None) -> tuple[int | msgspec.UnsetType, str]:
    return msgspec.UNSET if version is None else version, datetime.now(timezone.utc).isoformat()
