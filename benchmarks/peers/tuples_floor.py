"""The floor for relation tuples: fetch, decode, name the subject, leave out what came before, write RECORD lines.

Usage: tuples_floor.py URL.
"""

import sys
from typing import Any

import msgspec
import requests

Subjects = msgspec.defstruct("Subjects", [("namespace", str), ("object", str), ("relation", str)], gc=False)
FIELDS = [("namespace", str), ("object", str), ("relation", str), ("subject", str, "")]
OPTIONAL = [(name, kind | None, None) for name, kind in (("subject_id", str), ("subject_set", Subjects))]
Row = msgspec.defstruct("Row", [*FIELDS, *OPTIONAL], gc=False, omit_defaults=True)
Page = msgspec.defstruct("Page", [("relation_tuples", list[Row]), ("next_page_token", str)])  # type: ignore[valid-type]
decoder, encoder = msgspec.json.Decoder(Page), msgspec.json.Encoder()
prefix, suffix = (
    b'{"type":"RECORD","stream":"relation_tuples","record":',
    b',"time_extracted":"2026-01-01T00:00:00Z"}\n',
)
session, params, met = requests.Session(), {"page_size": "500"}, set()
while True:
    page: Any = decoder.decode(session.get(sys.argv[1] + "relation-tuples", params=params).content)
    rows = []
    for row in page.relation_tuples:
        each = row.subject_set
        row.subject = f"{each.namespace}:{each.object}#{each.relation}" if each else row.subject_id
        key = (row.namespace, row.object, row.relation, row.subject)
        if key not in met:
            met.add(key)
            rows.append(row)
    lines = encoder.encode_lines(rows)[:-1].replace(b"\n", suffix + prefix)
    sys.stdout.buffer.write(prefix + lines + suffix)
    if not page.next_page_token:
        break
    params["page_token"] = page.next_page_token
