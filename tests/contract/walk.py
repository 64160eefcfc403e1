"""A plain walk over the pages of a list, the tests' own: it takes `page_token` from the Link header, no more."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from tests.servers import Server


def token_of(response: requests.Response, rel: str = "next") -> str | None:
    """The page token that a response links to."""
    link = response.links.get(rel)
    return parse_qs(urlsplit(link["url"]).query)["page_token"][0] if link else None


def pages(server: Server, **params: Any) -> Iterator[requests.Response]:
    """Yield the pages of identities, from a token on if one is among the parameters."""
    seen = set()
    while True:
        response = server.identities(**params)
        assert response.status_code == requests.codes.ok, response.text
        yield response
        token = token_of(response)
        if token is None:
            return
        assert token not in seen, f"the list turns in a circle at {token}"
        seen.add(token)
        params["page_token"] = token


def ids(response: requests.Response) -> list[str]:
    """The ids of a page, in its order."""
    return [row["id"] for row in response.json()]


def walk(server: Server, **params: Any) -> list[str]:
    """The ids of all pages, in their order."""
    return [each for page in pages(server, **params) for each in ids(page)]
