"""A client that shows everything of an answer; not the one of the tap."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# A walk of more pages than any test's goes in circles.
_MOST_PAGES = 100


@dataclass(frozen=True)
class Answer:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def ids(self) -> list[str]:
        return [row["id"] for row in self.json]

    @property
    def links(self) -> dict[str, str]:
        parts = [part.split("; rel=") for part in (self.header("Link") or "").split(",") if part]
        return {relation.strip('"'): url.strip("<>") for url, relation in parts}


def fetch(
    url: str,
    target: str,
    *,
    method: str = "GET",
    token: str | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request(method, target, headers=authorization | (headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.reason, response.getheaders(), response.read())
    finally:
        connection.close()


def walk(url: str, target: str, token: str | None = None) -> list[Answer]:
    """Follow ``next`` to the end."""
    pages = [fetch(url, target, token=token)]
    while "next" in pages[-1].links and pages[-1].ids:
        following = urlsplit(pages[-1].links["next"])
        pages.append(fetch(url, f"/admin/identities?{following.query}", token=token))
        assert len(pages) <= _MOST_PAGES
    return pages
