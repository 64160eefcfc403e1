"""The floor of sessions: fetch, decode, keep of the identity its id and of a session one row, write RECORD lines.

Tokens are moved on by the 10 microseconds that they are cut to, as rows are lost otherwise. Usage: FILE URL.
"""

import base64
import sys
from datetime import datetime, timedelta
from typing import Any

import msgspec
import requests

FIELDS = ["active", "expires_at", "authenticated_at", "authenticator_assurance_level", "authentication_methods"]
FIELDS += ["issued_at"]
Whose = msgspec.defstruct("Whose", [("id", msgspec.Raw)], gc=False)
Row = msgspec.defstruct("Row", [("id", str), *((f, msgspec.Raw) for f in FIELDS), ("identity", Whose)], gc=False)
decoder, encoder = msgspec.json.Decoder(list[Row]), msgspec.json.Encoder()  # type: ignore[valid-type]
prefix, suffix = b'{"type":"RECORD","stream":"sessions","record":', b',"time_extracted":"2026-01-01T00:00:00Z"}\n'
session, params, met = requests.Session(), {"page_size": "500", "expand": "identity"}, set()
while True:
    page = session.get(sys.argv[1] + "admin/sessions", params=params)
    rows: list[Any] = [row for row in decoder.decode(page.content) if row.id not in met]
    met.update(row.id for row in rows)
    for row in rows:
        row.identity = row.identity.id
    lines = encoder.encode_lines(rows)[:-1].replace(b"\n", suffix + prefix)
    sys.stdout.buffer.write(prefix + lines + suffix)
    if "next" not in page.links:
        break
    token = page.links["next"]["url"].partition("page_token=")[2]
    parts = dict(part.split("=", 1) for part in base64.urlsafe_b64decode(token + "===").decode().split("/"))
    moved = datetime.fromisoformat(parts["created_at"]) + timedelta(microseconds=10)
    text = f"id={parts['id']}/created_at={moved.isoformat(' ')}"
    params["page_token"] = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
