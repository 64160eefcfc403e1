"""The floor: fetch, decode into a struct whose leaves stay raw bytes, write RECORD lines. Usage: floor.py URL."""

import sys
from typing import Any

import msgspec
import requests

FIELDS = ["id", "external_id", "schema_id", "schema_url", "state", "state_changed_at", "traits", "verifiable_addresses"]
FIELDS += ["recovery_addresses", "metadata_public", "metadata_admin", "created_at", "updated_at"]
FIELDS += ["organization_id", "region"]
Row = msgspec.defstruct("Row", [(f, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for f in FIELDS], gc=False)
decoder, encoder = msgspec.json.Decoder(list[Row]), msgspec.json.Encoder()  # type: ignore[valid-type]
prefix, suffix = b'{"type":"RECORD","stream":"identities","record":', b',"time_extracted":"2026-01-01T00:00:00Z"}\n'
session, params = requests.Session(), {"page_size": "500"}
while True:
    page = session.get(sys.argv[1] + "admin/identities", params=params)
    rows: list[Any] = decoder.decode(page.content)
    lines = encoder.encode_lines(rows)[:-1].replace(b"\n", suffix + prefix)
    sys.stdout.buffer.write(prefix + lines + suffix)
    if "next" not in page.links:
        break
    params["page_token"] = page.links["next"]["url"].partition("page_token=")[2]
