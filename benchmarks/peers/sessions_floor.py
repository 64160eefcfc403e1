"""The floor of sessions: fetch, decode into a struct, keep of the identity its id, write RECORD lines.

Usage: sessions_floor.py URL.
"""

import sys
from typing import Any

import msgspec
import requests

FIELDS = ["id", "active", "expires_at", "authenticated_at", "authenticator_assurance_level", "authentication_methods"]
FIELDS += ["issued_at"]
Whose = msgspec.defstruct("Whose", [("id", msgspec.Raw)], gc=False)
Read = msgspec.defstruct("Read", [*((f, msgspec.Raw) for f in FIELDS), ("identity", Whose)], gc=False)
decoder, encoder = msgspec.json.Decoder(list[Read]), msgspec.json.Encoder()  # type: ignore[valid-type]
prefix, suffix = b'{"type":"RECORD","stream":"sessions","record":', b',"time_extracted":"2026-01-01T00:00:00Z"}\n'
session, params = requests.Session(), {"page_size": "500", "expand": "identity"}
while True:
    page = session.get(sys.argv[1] + "admin/sessions", params=params)
    rows: list[Any] = decoder.decode(page.content)
    for row in rows:
        row.identity = row.identity.id
    lines = encoder.encode_lines(rows)[:-1].replace(b"\n", suffix + prefix)
    sys.stdout.buffer.write(prefix + lines + suffix)
    if "next" not in page.links:
        break
    params["page_token"] = page.links["next"]["url"].partition("page_token=")[2]
