"""The identity schemas of a project, read from `/schemas` by the conversation that reads the pages: as patiently.

Knows where the list is and what shape it has; nothing of what a schema says. The list is public: on Ory Network it
is at the API's own host, with or without the key; a self-hosted Kratos' admin port redirects to the public address,
`/admin/schemas` at once (v1.0.0, v1.3.1, v26.2.0), `/schemas` up to v1.3.1 by way of `/admin/schemas` without the
path prefix of a proxy before it. Such redirects are followed for this list only, and only to a `/schemas`; nothing
but the origin of `base_url` is told the key.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

from ory_reader.config.services import KRATOS
from ory_reader.errors import AccessError, AnswerError, TapOryError, UnavailableError, refuse
from ory_reader.http.client import OryClient, RetryableError
from ory_reader.http.error_messages import REDIRECTS, leads_nowhere
from ory_reader.http.rate_limiter import TOO_MANY_REQUESTS, RateLimiter
from ory_reader.pagination.id_ranges import Slice
from ory_reader.pagination.links import total_count
from ory_reader.pagination.paginators import OFFSET
from ory_reader.pagination.prefetch import PrefetchedPage
from ory_reader.resources.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ory_reader.config.settings import Settings
    from ory_reader.http.client import Response

IDENTITY_SCHEMAS = Resource(
    name="identity_schemas",
    service=KRATOS,
    path="/schemas",
    paginators=(OFFSET,),
    bucket="kratos-admin-medium",
    key=("id",),
)
MAX_REDIRECTS = 3
#: Schemas asked for at once, and pages read at most.
PAGE_SIZE, MAX_PAGES = 250, 20
NOT_FOUND = 404

#: JSON Schemas by schema id.
IdentitySchemas = dict[str, dict[str, Any]]


class NoSchemasError(AccessError):
    """The server definitely has no list of identity schemas: 404, or a redirect that leads nowhere."""


class IdentitySchemasRead:
    """All identity schemas as one page: they are few, and read whole or not at all."""

    resource = IDENTITY_SCHEMAS
    undelivered: tuple[str, ...] = ()

    def __init__(self, api: OryClient) -> None:
        """Make no request yet.

        Raises:
            SettingsError: if the settings say that there are none.
        """
        if not api.settings.identity_schemas:
            refuse("identity_schemas", "is off", "set it to on to read the stream identity_schemas")
        self.api = api
        self.whole = False

    def resume(self, slices: list[Slice]) -> None:  # noqa: ARG002
        """Refuse: there is nothing between none and all.

        Raises:
            ValueError: always.
        """
        raise ValueError

    def pages(self) -> Iterator[PrefetchedPage]:
        """Yield the page."""
        rows = [{"id": name, "schema": schema} for name, schema in read_identity_schemas(self.api).items()]
        yield PrefetchedPage(json.dumps(rows).encode(), Slice(), None, None, len(rows))
        self.whole = True

    def mark_written(self, page: PrefetchedPage) -> None:
        """Do nothing: no later run goes on."""

    def remaining(self) -> None:
        """Tell that no later run goes on."""

    def count(self) -> None:
        """Tell nothing: to ask costs as much as to read."""


def read_identity_schemas(api: OryClient) -> IdentitySchemas:
    """Return the project's identity schemas by their ids.

    Raises:
        NoSchemasError: if there are none to be had, by a definite answer of each place where they could be.
        TapOryError: if they could not be read, which says nothing of whether there are any.
    """
    path = _Path(api)
    failures = []
    for place in _places(api.settings):
        try:
            return _read_pages(path, place)
        except (AccessError, AnswerError) as error:  # noqa: PERF203 - there are two places
            failures.append(error)
    raise next((each for each in failures if not isinstance(each, NoSchemasError)), failures[0])


def _places(settings: Settings) -> list[str]:
    """Where the list may be, in the order in which to ask."""
    if settings.public_url:
        return [settings.public_url + IDENTITY_SCHEMAS.path]
    if settings.is_on_network:
        return [settings.base_url + IDENTITY_SCHEMAS.path]
    return [f"{settings.base_url}/admin{IDENTITY_SCHEMAS.path}", settings.base_url + IDENTITY_SCHEMAS.path]


def _read_pages(path: _Path, url: str) -> IdentitySchemas:
    """Read page by page until all are there, or up to an empty one where the server does not tell how many there are.

    Kratos v1.3.1 and others repeat schemas on later pages, so one that brings nothing new is the end as well.
    """
    schemas: IdentitySchemas = {}
    for page in range(MAX_PAGES):
        try:
            url, answer = path.get(url, page)
        except NoSchemasError as error:
            if not page:
                raise
            raise AccessError(str(error)) from error
        listed = _decoded(url, answer)
        known = len(schemas)
        for schema_id, schema in listed:
            schemas.setdefault(schema_id, schema)
        total = total_count(answer.headers)
        if not schemas and not total:
            msg = f"GET {url} lists none."
            raise NoSchemasError(msg)
        if total is not None and max(len(schemas), 0 if page else len(listed)) >= total:
            return schemas
        if len(schemas) == known:
            if total is None:
                return schemas
            msg = f"GET {url} gave {len(schemas)} of {total} identity schemas and no more."
            raise AnswerError(msg)
    msg = f"GET {url} goes on after {MAX_PAGES} pages."
    raise AnswerError(msg)


def _decoded(url: str, answer: Response) -> list[tuple[str, dict[str, Any]]]:
    """The ids and schemas of a page; one behind the last is `null`, Go's way to write a list that nobody made."""
    try:
        listed = [] if (value := json.loads(answer.body)) is None else value
        found = [(each["id"], each["schema"]) for each in listed]
        if isinstance(listed, list) and all(
            isinstance(schema_id, str) and isinstance(schema, dict) for schema_id, schema in found
        ):
            return found
    except (ValueError, RecursionError, KeyError, TypeError):
        pass
    msg = f"GET {url} answered something else than a list of identity schemas."
    raise AnswerError(msg)


class _Path:
    """The way to the list: a conversation for each address that redirects lead to."""

    def __init__(self, api: OryClient) -> None:
        self._api = api
        self._elsewhere: dict[str, OryClient] = {}
        self._nowhere: dict[str, NoSchemasError] = {}

    def get(self, url: str, page: int) -> tuple[str, Response]:
        """Return a page of the list, and the address that it came from in the end."""
        asked = url
        for _ in range(MAX_REDIRECTS + 1):
            if url in self._nowhere:
                raise self._nowhere[url]
            client, path = self._client(url)
            try:
                return url, client.get(path, OFFSET.numbered(page, PAGE_SIZE))
            except AccessError as error:
                if error.status not in REDIRECTS:
                    raise self._refused(client, error) from error
                url = self._target(url, client, error)
            except AnswerError as error:
                raise AnswerError(self._told(client, error)) from error
            except UnavailableError as error:
                if isinstance(error, RetryableError) and error.status == TOO_MANY_REQUESTS:
                    raise
                sentence = self._told(client, error)
                if url == asked or not leads_nowhere(error):
                    raise UnavailableError(sentence) from error
                self._nowhere[url] = NoSchemasError(sentence)
                raise self._nowhere[url] from error
        msg = f"GET {asked} leads to redirects without end."
        raise NoSchemasError(msg)

    def _refused(self, client: OryClient, error: AccessError) -> AccessError:
        kind = NoSchemasError if error.status == NOT_FOUND else AccessError
        return kind(self._told(client, error))

    def _client(self, url: str) -> tuple[OryClient, str]:
        """The conversation with an address, and the path in it. Another host has its own rate limit, and no key."""
        settings = self._api.settings
        if url.startswith(f"{settings.base_url}/"):
            return self._api, url[len(settings.base_url) :]
        origin = url[: url.index("/", len("https://"))]
        if origin not in self._elsewhere:
            if _origin(url) == _origin(settings.base_url):
                self._elsewhere[origin] = OryClient(
                    replace(settings, base_url=origin), self._api.rate_limiter, self._api.go_on
                )
            else:
                limiter = RateLimiter(traffic=self._api.rate_limiter.traffic)
                self._elsewhere[origin] = OryClient(settings.elsewhere(origin), limiter, self._api.go_on)
        return self._elsewhere[origin], url[len(origin) :]

    def _target(self, url: str, client: OryClient, error: AccessError) -> str:
        """Where a redirect leads, without its query, which is set anew."""
        try:
            target = urljoin(url, error.location).partition("#")[0].partition("?")[0].rstrip("/")
        except ValueError:
            target = ""
        if not re.fullmatch(r"https?://[\x21-\x7e]+", target) or not _origin(target):
            msg = f"GET {url} redirects to no web address."
            raise NoSchemasError(msg) from error
        shown = unquote(target)
        if not urlsplit(target).path.endswith(IDENTITY_SCHEMAS.path) or any(
            each in shown for each in self._api.settings.secrets
        ):
            # A login page, or what nobody should read in a log.
            raise AccessError(self._told(client, error)) from error
        return target

    def _told(self, client: OryClient, error: TapOryError) -> str:
        """What went wrong, without advice that holds for the list of identities or the host of `base_url` alone."""
        advice = (
            " base_url seems"
            if client is self._api
            else " (?:base_url seems|Check base_url|Set api_token|This is not Ory's)"
        )
        sentence = re.split(advice, str(error), maxsplit=1)[0]
        return sentence if client is self._api else sentence.replace("base_url", "public_url")


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; None where an address names none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None
