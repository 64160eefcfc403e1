"""The identity schemas of a project, read from `/schemas`: one try, quickly, and never an error.

Only a rate limit is waited for, as its bucket is shared with everybody who reads the project: to go on without
types for one run would change a target's columns.

Knows HTTP and the list's shape; nothing of what a schema says. The list is public: on Ory Network it is at
the API's own host, with or without the key; a self-hosted Kratos' admin port redirects to the public address
(v1.0.0 and v1.3.1 by way of `/admin/schemas`, v26.2.0 at once). Such redirects are followed for this list
only, and the key goes to the origin of `base_url` alone.
"""

from __future__ import annotations

import json
import logging
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import requests

from tap_ory.bodies import ACCEPT_ENCODING, read_body
from tap_ory.errors import AnswerError
from tap_ory.pacing import Governor, server_wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_ory.settings import Settings

logger = logging.getLogger("tap-ory")

#: Seconds for a connection, and for each piece of an answer: discovery runs before every run of Meltano.
TIMEOUT = 5.0
#: Seconds and bytes that one page of the list may take in all.
MAX_SECONDS, MAX_BYTES = 10.0, 32 * 1024 * 1024
MAX_REDIRECTS = 3
#: Seconds of waiting for rate limits in all, and what is waited for where a server does not say how long.
MAX_WAIT, USUAL_WAIT = 15.0, 1.0
#: Schemas asked for at once, and pages read at most.
PAGE_SIZE, MAX_PAGES = 250, 20

#: JSON Schemas by schema id.
IdentitySchemas = dict[str, dict[str, Any]]


class _UnreadableError(Exception):
    """The list cannot be had; the message says why, without anything that a server said."""


def read_identity_schemas(settings: Settings, governor: Governor | None = None) -> IdentitySchemas | None:
    """Return the project's identity schemas, or None (with one warning) where they cannot be read.

    What is asked of `base_url` itself is counted by `governor`: identities and schemas share a rate limit.
    """
    try:
        with requests.Session() as session:
            session.headers.update(
                {
                    "Accept": "application/json",
                    "Accept-Encoding": ACCEPT_ENCODING,
                    "User-Agent": settings.user_agent,
                }
            )
            return _read_pages(_fetcher(session, settings, governor or Governor()))
    except (_UnreadableError, requests.RequestException, ValueError) as error:
        reason = str(error) if isinstance(error, _UnreadableError) else f"no answer ({type(error).__name__})"
        logger.warning(
            "The identity schemas could not be read: %s. Traits are passed on untyped, and users are read by "
            "well-known names of traits. If the schemas are at another address, set public_url.",
            reason,
        )
        return None


def _read_pages(fetch: Callable[[int], requests.Response]) -> IdentitySchemas:
    """Read page by page up to an empty one: not every server ends its links.

    A server's `X-Total-Count` saves the request for the empty page. Kratos v1.3.1 and others repeat schemas on
    later pages, so one that brings nothing new is the end as well.
    """
    schemas: IdentitySchemas = {}
    for page in range(MAX_PAGES):
        response = fetch(page)
        listed = _decoded(response)
        known = len(schemas)
        for item in listed:
            if isinstance(item, dict) and isinstance(item.get("id"), str) and isinstance(item.get("schema"), dict):
                schemas.setdefault(item["id"], item["schema"])
        total = response.headers.get("X-Total-Count", "")
        told = int(total) if re.fullmatch(r"\d{1,9}", total, re.ASCII) else None
        if not listed or len(schemas) == known or (told is not None and len(schemas) >= told):
            break
    return schemas


def _decoded(response: requests.Response) -> list[Any]:
    try:
        listed = json.loads(read_body(response, seconds=MAX_SECONDS, most=MAX_BYTES))
    except (AnswerError, requests.exceptions.ReadTimeout) as error:
        msg = f"the answer of {_shown(response.url)} has no end"
        raise _UnreadableError(msg) from error
    except (ValueError, RecursionError, requests.exceptions.ChunkedEncodingError):
        listed = ""
    # A page behind the last one is `null`: Go's way to write a list that nobody made.
    if listed is not None and not isinstance(listed, list):
        msg = f"{_shown(response.url)} answered something else than a list of schemas"
        raise _UnreadableError(msg)
    return listed or []


def _fetcher(session: requests.Session, settings: Settings, governor: Governor) -> Callable[[int], requests.Response]:
    """Return the function that gets a page of the list; where redirects led is where later pages are."""
    where = (settings.public_url or settings.base_url) + "/schemas"
    patience = MAX_WAIT

    def fetch(page: int) -> requests.Response:
        nonlocal where, patience
        for _ in range(MAX_REDIRECTS + 1):
            response = _get(session, settings, governor, where, page)
            if response.status_code == requests.codes.too_many_requests:
                wait = server_wait(response.headers)
                patience -= USUAL_WAIT if wait is None else wait
                if patience < 0:
                    break
                response.close()
                time.sleep(USUAL_WAIT if wait is None else wait)
            elif response.is_redirect:
                where = _target(response)
            else:
                break
        if response.status_code != requests.codes.ok:
            msg = f"{_shown(where)} answered {response.status_code}"
            raise _UnreadableError(msg)
        return response

    return fetch


def _get(session: requests.Session, settings: Settings, governor: Governor, url: str, page: int) -> requests.Response:
    if _origin(url) != _origin(settings.base_url):
        return _send(session, settings, None, url, page)
    governor.wait_turn()
    try:
        response = _send(session, settings, settings.api_token, url, page)
    except BaseException:
        governor.forget()
        raise
    if response.status_code == requests.codes.too_many_requests:
        # Waited for here within bounds; what is asked for next meets its own.
        governor.forget()
    else:
        governor.learn(response.status_code, response.headers)
    return response


def _send(session: requests.Session, settings: Settings, token: str | None, url: str, page: int) -> requests.Response:

    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        # An auth of our own also keeps `requests` from sending one out of ~/.netrc.
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        return request

    return session.get(
        url,
        params={"page": page, "per_page": PAGE_SIZE},
        auth=authorize,
        allow_redirects=False,
        stream=True,
        timeout=min(settings.request_timeout, TIMEOUT),
        verify=settings.ca_bundle or True,
    )


def _target(response: requests.Response) -> str:
    """Where a redirect leads, without its query, which is set anew."""
    target = urljoin(response.url, response.headers.get("Location", "")).split("?")[0].split("#")[0]
    if urlsplit(target).scheme not in {"http", "https"}:
        msg = f"{_shown(response.url)} redirects to no web address"
        raise _UnreadableError(msg)
    response.close()
    return target


def _shown(url: str) -> str:
    """The host alone: what else is in the address of a redirect is the server's choice."""
    scheme, host, port = _origin(url)
    return f"{scheme}://{host}:{port}"


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
