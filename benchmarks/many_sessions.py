"""`python -m benchmarks.many_sessions SESSIONS PEOPLE`: a Kratos with so many sessions as no sandbox would make up.

Rows are made from a template as a page is asked for, half a minute apart: the server costs little and keeps nothing.
Prints its URL; serves until it is ended.
"""

from __future__ import annotations

import base64
import json
import sys
import uuid
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NEWEST = datetime(2026, 11, 20, tzinfo=timezone.utc)
TRAITS = {"email": "somebody@example.com", "name": {"first": "Some", "last": "Body"}, "newsletter": True}
#: Which person a session is of: far apart, as on a real server.
STRIDE = 7919


def identity_id(number: int, people: int) -> str:
    return str(uuid.UUID(int=(number + 1) * ((1 << 128) // (people + 2))))


def identity(number: int, people: int) -> dict[str, Any]:
    return {
        "id": identity_id(number, people),
        "schema_id": "person",
        "schema_url": "http://127.0.0.1:4433/schemas/cGVyc29u",
        "state": "active",
        "traits": {**TRAITS, "email": f"somebody{number}@example.com"},
        "metadata_public": None,
        "created_at": "2026-01-01T00:00:00.123456Z",
        "updated_at": "2026-01-01T00:00:00.123456Z",
        "organization_id": None,
    }


def session(number: int, people: int) -> dict[str, Any]:
    moment = (NEWEST - timedelta(seconds=30 * number)).isoformat().replace("+00:00", "")
    return {
        "id": str(uuid.UUID(int=(number * STRIDE % (1 << 32) << 96) + number)),
        "active": True,
        "expires_at": f"{moment}.123456789Z",
        "authenticated_at": f"{moment}.123456789Z",
        "authenticator_assurance_level": "aal1",
        "authentication_methods": [{"method": "password", "aal": "aal1", "completed_at": f"{moment}.1Z"}],
        "issued_at": f"{moment}.123456789Z",
        "identity": identity(number * STRIDE % people, people),
        "devices": None,
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    #: Head and body leave together: apart, the second would wait for an acknowledgement of the first.
    wbufsize = 1 << 20
    sessions, people = 0, 0

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        rows, link = ([], None) if url.path.endswith("/schemas") else self._page(url.path, query)
        body = json.dumps(rows, separators=(",", ":")).encode()
        links = [f'<{url.path}?page_token=first>; rel="first"', *([f'<{link}>; rel="next"'] if link else [])]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Link", ",".join(links))
        self.end_headers()
        self.wfile.write(body)

    def _page(self, path: str, query: dict[str, str]) -> tuple[list[dict[str, Any]], str | None]:
        size, token = int(query.get("page_size", "500")), query.get("page_token")
        if path.endswith("/sessions"):
            start = 0
            if token:
                parts = dict(each.split("=", 1) for each in base64.urlsafe_b64decode(token + "===").decode().split("/"))
                last = uuid.UUID(parts["id"]).int & ((1 << 96) - 1)
                # A token that was moved on brings its row again.
                start = last + ("00001" not in parts["created_at"])
            end = min(start + size, self.sessions)
            rows = [session(number, self.people) for number in range(start, end)]
            if end == self.sessions:
                return rows, None
            moment = rows[-1]["issued_at"][:19].replace("T", " ")
            text = base64.urlsafe_b64encode(f"id={rows[-1]['id']}/created_at={moment}".encode()).decode().rstrip("=")
            return rows, f"{path}?page_token={text}"
        width = (1 << 128) // (self.people + 2)
        start = uuid.UUID(token).int // width if token else 0
        end = min(start + size, self.people)
        rows = [identity(number, self.people) for number in range(start, end)]
        return rows, f"{path}?page_token={rows[-1]['id']}" if end < self.people and rows else None

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    Handler.sessions, Handler.people = map(int, sys.argv[1:3])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
