"""The organizations of a project, as the API behind Ory's console lists them to who has a key of the workspace."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ory_sandbox import paging
from ory_sandbox.answers import NOT_FOUND, error, json_answer
from ory_sandbox.render import to_json
from ory_sandbox.tokens import BadTokenError, ExpiredTokenError

if TYPE_CHECKING:
    from ory_sandbox.answers import Handlers
    from ory_sandbox.holdings import Holdings
    from ory_sandbox.http import Request, Response
    from ory_sandbox.tokens import OpaqueTokens

#: The id of the project of every sandbox.
PROJECT_ID = "7a1e2c3d-0000-4000-8000-00000000cafe"
ORGANIZATIONS = f"/projects/{PROJECT_ID}/organizations"
_DEFAULT_SIZE, _LIMIT = 250, 1000


class Console:
    """Answers for the organizations of one project."""

    def __init__(self, holdings: Holdings, tokens: OpaqueTokens) -> None:
        """Answer for what a project holds."""
        self._holdings = holdings
        self._tokens = tokens

    def handlers(self, path: str) -> Handlers | None:
        """What the methods of a path do; None where there is nothing."""
        if path == ORGANIZATIONS:
            return {"GET": self._list}
        if path.startswith("/projects/"):
            return {"GET": lambda _: error(HTTPStatus.NOT_FOUND, NOT_FOUND)}
        return None

    def _list(self, request: Request) -> Response:
        text = paging.first_value(request, "page_size")
        size = paging.go_integer(text) if text else 0
        token = paging.first_value(request, "page_token")
        try:
            start = int(self._tokens.position(token)) if token else 0
        except (BadTokenError, ExpiredTokenError):
            return error(HTTPStatus.BAD_REQUEST, "The page token is invalid.")
        if size is None:
            return error(HTTPStatus.BAD_REQUEST, f'strconv.Atoi: parsing "{text}": invalid syntax')
        domain = paging.first_value(request, "domain")
        rows = [each for each in self._holdings.organizations if not domain or domain in each["domains"]]
        stop = start + (min(size, _LIMIT) if size > 0 else _DEFAULT_SIZE)
        more = stop < len(rows)
        page = {
            "organizations": rows[start:stop],
            "next_page_token": self._tokens.make(str(stop)) if more else "",
            "has_next_page": more,
        }
        return json_answer([to_json(page).encode()])
