"""A stock singer-sdk tap: a RESTStream as the SDK's documentation builds one, with nothing taken from tap_ory.

The schema comes from a file, pages from the SDK's own paginator for Link headers; everything else is the SDK's
default. Usage: stock_tap.py --config FILE, with `base_url` in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from singer_sdk import RESTStream, SchemaDirectory, Stream, StreamSchema, Tap
from singer_sdk import typing as th
from singer_sdk.pagination import HeaderLinkPaginator

SCHEMAS = SchemaDirectory(Path(__file__).parents[2] / "schemas")


class Identities(RESTStream):
    name = "identities"
    path = "admin/identities"
    primary_keys: ClassVar[tuple[str, ...]] = ("id",)
    records_jsonpath = "$[*]"
    schema: ClassVar[StreamSchema] = StreamSchema(SCHEMAS)

    @property
    def url_base(self) -> str:
        return str(self.config["base_url"])

    def get_new_paginator(self) -> HeaderLinkPaginator:
        return HeaderLinkPaginator()

    def get_url_params(self, context: Any, next_page_token: Any) -> dict[str, Any]:  # noqa: ARG002
        params: dict[str, Any] = {"page_size": 500}
        if next_page_token:
            params.update(parse_qsl(next_page_token.query))
        return params


class StockTap(Tap):
    name = "stock-tap"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("base_url", th.StringType, required=True)
    ).to_dict()

    def discover_streams(self) -> list[Stream]:
        return [Identities(self)]


if __name__ == "__main__":
    StockTap.cli()
