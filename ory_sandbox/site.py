"""What is at which path of which service, and in the network manner at which path of one host; who may ask, how often.

``Site.admin``, ``.public``, ``.oauth2`` and ``.permissions`` answer a request each. Knows nothing of sockets.
"""

from __future__ import annotations

import base64
import binascii
from functools import cached_property, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ory_sandbox import paging
from ory_sandbox.answers import (
    NOT_CACHED,
    NOT_FOUND,
    error,
    json_answer,
    not_allowed,
    options,
    plain_not_found,
    redirect,
)
from ory_sandbox.console import Console
from ory_sandbox.http import Response
from ory_sandbox.identities import Identities
from ory_sandbox.oauth2 import OAuth2
from ory_sandbox.permissions import Permissions
from ory_sandbox.render import to_json
from ory_sandbox.sessions import SESSIONS, Sessions
from ory_sandbox.tokens import OpaqueTokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ory_sandbox.answers import Handlers
    from ory_sandbox.holdings import Holdings
    from ory_sandbox.http import Request
    from ory_sandbox.ratelimit import Bucket
    from ory_sandbox.server_profiles import Manner
    from ory_sandbox.store import Store

_VARY = ("Vary", "Cookie")
#: By the name of its rate limit, how the paths of a service begin.
SERVICES = {
    "kratos": ("/schemas", "/admin/schemas", "/admin/identities", "/admin/sessions"),
    "hydra": ("/admin/clients", "/admin/trust", "/admin/oauth2"),
    "keto": ("/relation-tuples", "/namespaces"),
    "console": ("/projects",),
}
_STATUS = {
    "/version": b'{"version":"master"}',
    "/health/alive": b'{"status":"ok"}',
    "/health/ready": b'{"status":"ok"}',
}


class Site:
    """A project: its identities, its schemas, what else it holds, and the roles of its servers.

    Attributes:
        tokens: The page tokens of the newest services.
    """

    def __init__(  # noqa: PLR0913 a project has that many parts
        self,
        manner: Manner,
        store: Store,
        schemas: Sequence[tuple[str, Mapping[str, Any]]],
        holdings: Callable[[], Holdings],
        *,
        admin_url: str,
        public_url: str,
        api_token: str | None,
        buckets: Mapping[str, Bucket],
    ) -> None:
        """Serve a store, identity schemas (ids and JSON Schemas), and holdings, which are asked for when needed.

        The URLs end with a slash. Without ``api_token`` any key but a workspace's will do; without a bucket
        for a service it has no rate limit. Both matter in the network manner only.
        """
        self._manner = manner
        self._identities = Identities(manner, store, admin_url)
        self._schemas = [(name, to_json(schema).encode()) for name, schema in schemas]
        self._admin_url = admin_url
        self._public_url = public_url
        self._api_token = api_token
        self._buckets = buckets
        self._holdings = holdings
        self.tokens = OpaqueTokens()
        # Kratos v1.0 pages through its sessions in a way of its own: nobody is signed in there.
        sessions = Sessions(manner, store, lambda: holdings().sessions if manner.keyset else ())
        self._lone_handlers: Mapping[str, Handlers] = {
            **{f"/admin{path}": {"GET": partial(_status, body, [NOT_CACHED])} for path, body in _STATUS.items()},
            SESSIONS: {"GET": sessions.list_page},
        }

    @cached_property
    def _oauth2(self) -> OAuth2:
        return OAuth2(self._holdings(), self.tokens if self._manner.network else None)

    @cached_property
    def _permissions(self) -> Permissions:
        return Permissions(self._holdings(), self.tokens if self._manner.network else None)

    @cached_property
    def _console(self) -> Console:
        return Console(self._holdings(), self.tokens)

    def admin(self, request: Request) -> Response:
        """Answer on the admin port, which in the network manner is the only one."""
        if self._manner.network:
            return self._network(request)
        path = request.path
        if not path.startswith("/admin"):
            return redirect(HTTPStatus.TEMPORARY_REDIRECT, request, ("/admin/" + path.strip("/")).rstrip("/"))
        return self._dispatch(request, self._admin_handlers, path) or plain_not_found()

    def public(self, request: Request) -> Response:
        """Answer on the public port."""
        answer = self._dispatch(request, self._public_handlers, request.path) or plain_not_found()
        if _VARY not in answer.headers:
            answer.headers = [*answer.headers, _VARY]
        return answer

    def oauth2(self, request: Request) -> Response:
        """Answer on the admin port of Hydra v2.3."""
        path = request.path
        if path in _STATUS:
            return _status(_STATUS[path], [], request)
        if self._oauth2.handlers(f"/admin{path}"):
            return redirect(HTTPStatus.TEMPORARY_REDIRECT, request, f"http:///admin{path}", [NOT_CACHED])
        return self._dispatch(request, self._oauth2.handlers, path) or _html_not_found()

    def permissions(self, request: Request) -> Response:
        """Answer on the read port of Keto v0.13."""
        path = request.path
        if path in _STATUS:
            return _status(_STATUS[path], [], request)
        return self._dispatch(request, self._permissions.handlers, path) or plain_not_found()

    def _network(self, request: Request) -> Response:
        """Ory Network: no redirects; the key and the rate are looked at before anything else."""
        path = request.path
        handlers = self._public_handlers(path) if path.startswith("/schemas") else None
        if handlers is None:
            refused = self._refused(request)
            if refused:
                return refused
            handlers = self._console.handlers(path) or self._permissions.handlers(path)
        if handlers is None:
            path = path if path.startswith("/admin") else f"/admin{path}"
            handlers = self._admin_handlers(path) or self._oauth2.handlers(path)
        if handlers is None:
            return plain_not_found([NOT_CACHED])
        bucket = next((each for name, each in self._buckets.items() if path.startswith(SERVICES[name])), None)
        if bucket is None:
            return _handle(request, handlers)
        granted, headers = bucket.take()
        if not granted:
            return error(HTTPStatus.TOO_MANY_REQUESTS, "API rate limit exceeded", headers=headers)
        answer = _handle(request, handlers)
        answer.headers = [*answer.headers, *headers]
        return answer

    def _refused(self, request: Request) -> Response | None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        of_console = request.path.startswith(SERVICES["console"])
        if scheme.lower() == "bearer" and key and of_console is not key.startswith("ory_wak_"):
            message = "Access credentials are not sufficient to access this resource"
            return error(HTTPStatus.FORBIDDEN, message)
        known = bool(key) if self._api_token is None or of_console else key == self._api_token
        if scheme.lower() != "bearer" or not known:
            return error(HTTPStatus.UNAUTHORIZED, "Access credentials are invalid")
        return None

    def _dispatch(
        self,
        request: Request,
        handlers_of: Callable[[str], Handlers | None],
        path: str,
    ) -> Response | None:
        handlers = handlers_of(path)
        if handlers is not None:
            return _handle(request, handlers)
        if not path.endswith("/") or handlers_of(path[:-1]) is None:
            return None
        status = HTTPStatus.MOVED_PERMANENTLY if request.method == "GET" else HTTPStatus.PERMANENT_REDIRECT
        return redirect(status, request, path[:-1])

    def _admin_handlers(self, path: str) -> Handlers | None:
        """What the methods of a path on the admin port do; None where there is nothing."""
        area, name = _split(path)
        if area == "identities":
            if name is None:
                return {"GET": self._identities.list_page}
            return {
                "GET": partial(self._identities.get, identity_id=name),
                "DELETE": lambda _: self._identities.delete(name),
            }
        if area == "schemas":
            if self._manner.network:
                return self._public_handlers(path)
            return {"GET": partial(self._redirect, base_url=self._public_url)}
        return self._lone_handlers.get(path)

    def _public_handlers(self, path: str) -> Handlers | None:
        """What the methods of a path on the public port do; None where there is nothing."""
        area, name = _split(path)
        if area == "schemas":
            return {"GET": self._list_schemas if name is None else partial(self._schema, name=name)}
        if area == "identities":
            onward = partial(self._redirect, base_url=f"{self._admin_url}admin/")
            return {"GET": onward} if name is None else {"GET": onward, "DELETE": onward}
        return None

    def _redirect(self, request: Request, base_url: str) -> Response:
        path = request.path.removeprefix("/admin").removeprefix("/")
        return redirect(HTTPStatus.TEMPORARY_REDIRECT, request, base_url + path, [NOT_CACHED])

    def _list_schemas(self, request: Request) -> Response:
        page = paging.offset_page(request, limit=1000)
        start = page.number * page.size
        # Kratos counts a page's length from the first page on: later pages go on too far.
        listed = self._schemas[start : start + (page.number + 1) * page.size]
        members = [b'{"id":%b,"schema":%b}' % (to_json(name).encode(), schema) for name, schema in listed]

        def url(size: int, offset: int) -> str:
            pages: dict[str, object] = {"page": int(offset / size), "per_page": size}
            if not self._manner.keyset:
                return paging.with_query(f"{self._public_url}schemas", [], **pages)
            pages |= {"page_size": size, "page_token": paging.offset_token(offset)}
            return paging.with_query(request.path, request.query, **pages)

        total = len(self._schemas)
        links = paging.link_header(paging.offset_links(page, total, url))
        # A page without rows is Go's nil slice.
        body = [b"[", b",".join(members), b"]"] if members else [b"null"]
        return json_answer(body, [links, ("X-Total-Count", str(total)), _VARY])

    def _schema(self, request: Request, name: str) -> Response:  # noqa: ARG002 as all handlers
        found = dict(self._schemas)
        if name not in found:
            name = _decoded(name)
        if name not in found:
            reason = f"Identity schema `{name}` could not be found."
            return error(HTTPStatus.NOT_FOUND, NOT_FOUND, reason=reason, headers=[_VARY])
        return Response(HTTPStatus.OK, [NOT_CACHED, ("Content-Type", "application/json"), _VARY], [found[name]])


def _status(body: bytes, headers: Sequence[tuple[str, str]], _request: Request) -> Response:
    """A service's version or health."""
    kind = ("Content-Type", "application/json; charset=utf-8")
    return Response(HTTPStatus.OK, [*headers, kind], [body, b"\n"])


def _html_not_found() -> Response:
    """The 404 of Hydra v2.3, a whole page."""
    page = b"<!DOCTYPE html><html><head><title>Not Found</title></head><body><h1>404 Not Found</h1></body></html>\n"
    return Response(HTTPStatus.NOT_FOUND, [("Content-Type", "text/html; charset=utf-8")], [page])


def _split(path: str) -> tuple[str, str | None]:
    """The area of a path below / or /admin/, and what is named in it; neither has a slash."""
    area, slash, name = path[len("/admin/") if path.startswith("/admin/") else 1 :].partition("/")
    if not slash:
        return area, None
    return ("", None) if not name or "/" in name else (area, name)


def _decoded(name: str) -> str:
    """A schema's id out of base64url without padding, if it is."""
    try:
        padded = name + "=" * (-len(name) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode(errors="replace")
    except binascii.Error:
        return name


def _handle(request: Request, handlers: Handlers) -> Response:
    handler = handlers.get(request.method)
    if handler:
        return handler(request)
    return options([*handlers]) if request.method == "OPTIONS" else not_allowed([*handlers])
