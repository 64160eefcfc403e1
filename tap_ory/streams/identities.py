"""The `identities` stream: every identity of the project, as the server gives it."""

from __future__ import annotations

from typing import ClassVar

from singer_sdk import StreamSchema

from tap_ory.streams.base import SCHEMAS, OryStream


class IdentitiesStream(OryStream):
    """One record per identity; `schemas/identities.json` says what is in it."""

    name = "identities"
    primary_keys: ClassVar[tuple[str, ...]] = ("id",)
    schema: ClassVar[StreamSchema] = StreamSchema(SCHEMAS)
