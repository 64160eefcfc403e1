"""A session of `requests`, set up once for one project: key, headers, TLS, proxies; and GET requests by it.

Two thirds of what `requests` takes for a page go into preparing a request that is always the same but for its query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import requests
from requests.auth import AuthBase

from ory_reader.config.tls import trust
from ory_reader.http.decoders import ACCEPT_ENCODING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ory_reader.config.settings import Settings

    Query = Mapping[str, str | int | list[str]]


class _BearerAuth(AuthBase):
    """Sets the key, or nothing: an auth of our own also keeps `requests` from sending one out of ~/.netrc."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Session(requests.Session):
    """Sends requests of one thread at a time. Follows no redirect."""

    def __init__(self, settings: Settings) -> None:
        """Look up what the environment says of proxies and authorities.

        Raises:
            UnavailableError: if there are no authorities where they are said to be.
        """
        super().__init__()
        self._timeout = settings.request_timeout
        self._prepared: dict[str, tuple[str, requests.PreparedRequest]] = {}
        self.auth = _BearerAuth(settings.api_token)
        self.headers.update(
            {
                "Accept": "application/json",
                # Pinned: what else `requests` would offer depends on packages that happen to be there.
                "Accept-Encoding": ACCEPT_ENCODING,
                "User-Agent": settings.user_agent,
                **settings.http_headers,
            }
        )
        if settings.client_certificate:
            key = settings.client_key
            self.cert = (settings.client_certificate, key) if key else settings.client_certificate
        trust(self, settings)

    def ask(self, url: str, query: Query) -> requests.Response:
        """Send a GET request; the body of the answer is still to be read, within a `with` block."""
        if self.cookies:
            # A gateway has set some, which a prepared request could not have.
            return self.get(url, params=query, stream=True, allow_redirects=False, timeout=self._timeout)
        if url not in self._prepared:
            prepared = self.prepare_request(requests.Request("GET", url))
            self._prepared[url] = prepared.url or url, prepared
        address, prepared = self._prepared[url]
        prepared.url = f"{address}?{urlencode(query, doseq=True)}" if query else address
        return self.send(prepared, stream=True, allow_redirects=False, timeout=self._timeout)

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        """Nowhere; `requests` looks even if it is not to follow, and an address that is none would raise."""
        return None
