"""OAuth2 clients, trusted issuers, consents, as Hydra lists them: v2.3 by offset, newer ones by encrypted tokens."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ory_sandbox import paging
from ory_sandbox.answers import MALFORMED, NOT_CACHED, json_answer
from ory_sandbox.http import Response
from ory_sandbox.render import to_json
from ory_sandbox.tokens import BadTokenError, ExpiredTokenError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ory_sandbox.answers import Handlers
    from ory_sandbox.holdings import Holdings
    from ory_sandbox.http import Request
    from ory_sandbox.tokens import OpaqueTokens

    Row = Mapping[str, Any]

CLIENTS = "/admin/clients"
ISSUERS = "/admin/trust/grants/jwt-bearer/issuers"
CONSENTS = "/admin/oauth2/auth/sessions/consent"
_OFFSET_LIMIT = 1000
_DEFAULT_SIZE, _LIMIT = 100, 500
_NO_SUBJECT = (
    "The request is missing a required parameter, includes an invalid parameter value, includes a parameter more than "
    "once, or is otherwise malformed. Query parameter 'subject' is not defined but should have been."
)


class OAuth2:
    """Answers for what one project holds."""

    def __init__(self, holdings: Holdings, tokens: OpaqueTokens | None) -> None:
        """Answer as v2.3 does, or with encrypted tokens as newer ones do."""
        self._holdings = holdings
        self._tokens = tokens

    def handlers(self, path: str) -> Handlers | None:
        """What the methods of a path do; None where there is nothing."""
        lists: dict[str, Callable[[Request], Response]] = {
            CLIENTS: partial(self._list, CLIENTS, self._holdings.clients, "client_id", ("client_name", "owner")),
            ISSUERS: partial(self._list, ISSUERS, self._holdings.issuers, "id", ("issuer",)),
            CONSENTS: self._consents,
        }
        return {"GET": lists[path]} if path in lists else None

    def _consents(self, request: Request) -> Response:
        subject = paging.first_value(request, "subject")
        if not subject:
            return _error("invalid_request", _NO_SUBJECT)
        rows = [row for row in self._holdings.consents if row["consent_request"]["subject"] == subject]
        return self._list(CONSENTS, rows, "handled_at", (), request) if rows else json_answer([b"[]"])

    def _list(self, path: str, rows: Sequence[Row], key: str, filters: Sequence[str], request: Request) -> Response:
        wanted = {name: value for name in filters if (value := paging.first_value(request, name))}
        found = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
        if self._tokens is None:
            if path != CONSENTS:
                found.sort(key=lambda row: row[key])
            # What is counted, and leads on, are all clients: also those that a filter leaves out.
            return self._by_offset(path, found, len(rows), request)
        found.sort(key=lambda row: row[key])
        return self._by_key(path, found, key, request, self._tokens)

    @staticmethod
    def _by_offset(path: str, rows: Sequence[Row], total: int, request: Request) -> Response:
        size = paging.page_size(paging.first_value(request, "page_size"), _OFFSET_LIMIT)
        number = paging.parse_offset_token(paging.first_value(request, "page_token")) // size

        def url(size: int, offset: int) -> str:
            return paging.with_query(path, request.query, page_size=size, page_token=paging.offset_token(offset))

        page = paging.OffsetPage(number, size)
        if path == CONSENTS:
            # Hydra takes one for the other here: what it links to is no next page, and rows get lost on the way.
            page = paging.OffsetPage(size, max(number * size, 1))
        links = paging.offset_links(page, total, url)
        return _page(rows[number * size :][:size], [paging.link_header(links), ("X-Total-Count", str(total))])

    @staticmethod
    def _by_key(path: str, rows: Sequence[Row], key: str, request: Request, tokens: OpaqueTokens) -> Response:
        text = paging.first_value(request, "page_size")
        size = paging.go_integer(text) if text else 0
        if size is None:
            return _unparsed(f"strconv.Atoi: parsing '{text}': invalid syntax")
        size = min(size, _LIMIT) if size > 0 else _DEFAULT_SIZE
        token = paging.first_value(request, "page_token")
        try:
            behind = tokens.position(token) if token else ""
        except BadTokenError:
            return _unparsed("invalid pagination token")
        except ExpiredTokenError:
            return _unparsed("page token expired, do not persist page tokens")
        left = [row for row in rows if row[key] > behind]
        page = left[:size]
        positions = {"first": ""} | ({"next": page[-1][key]} if len(left) > size else {})
        links = [
            (
                relation,
                paging.with_query(path, request.query, page_size=size, page_token=tokens.make(position)),
            )
            for relation, position in positions.items()
        ]
        return _page(page, [paging.link_header(links)])


def _page(rows: Sequence[Row], headers: list[tuple[str, str]]) -> Response:
    return json_answer([b"[", ",".join(map(to_json, rows)).encode(), b"]"], headers)


def _unparsed(what: str) -> Response:
    return _error(MALFORMED, f"Unable to parse pagination parameters: {what}")


def _error(error: str, description: str) -> Response:
    """An error in OAuth2's own form, not in that of Ory's other services."""
    body = to_json({"error": error, "error_description": description}).encode() + b"\n"
    return Response(HTTPStatus.BAD_REQUEST, [NOT_CACHED, ("Content-Type", "application/json")], [body])
