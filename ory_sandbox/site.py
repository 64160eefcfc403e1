"""What is at which path, on the admin port and on the public one; who may ask, and how often.

``Site.admin`` and ``Site.public`` answer a request each. Knows nothing of sockets.
"""

from __future__ import annotations

import base64
import binascii
from functools import partial
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
from ory_sandbox.http import Response
from ory_sandbox.identities import Identities
from ory_sandbox.render import to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ory_sandbox.http import Request
    from ory_sandbox.ratelimit import Bucket
    from ory_sandbox.server_profiles import Manner
    from ory_sandbox.store import Store

    Handlers = Mapping[str, Callable[[Request], Response]]

_VARY = ("Vary", "Cookie")
_SESSIONS_LIMIT = 1000
#: What shares one rate limit.
_LIMITED = ("/schemas", "/admin/schemas", "/admin/identities", "/admin/sessions")
# What Kratos calls the page before the first of its sessions: up to v1.0 an id, then also a time.
_FIRST_SESSION_1_3 = "aWQ9MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwL2NyZWF0ZWRfYXQ9MjIwMC0xMi0zMSAyMzo1OTo1OQ"


class Site:
    """A project: its identities, its schemas, and the two roles of its server."""

    def __init__(  # noqa: PLR0913 a project has that many parts
        self,
        manner: Manner,
        store: Store,
        schemas: Sequence[tuple[str, Mapping[str, Any]]],
        *,
        admin_url: str,
        public_url: str,
        api_token: str | None,
        bucket: Bucket | None,
    ) -> None:
        """Serve a store and identity schemas (ids and JSON Schemas).

        The URLs end with a slash. Without ``api_token`` any key but a workspace's will do; without
        ``bucket`` there is no rate limit. Both matter in the network manner only.
        """
        self._manner = manner
        self._identities = Identities(manner, store, admin_url)
        self._schemas = [(name, to_json(schema).encode()) for name, schema in schemas]
        self._admin_url = admin_url
        self._public_url = public_url
        self._api_token = api_token
        self._bucket = bucket
        self._lone_handlers: Mapping[str, Handlers] = {
            "/admin/version": {"GET": lambda _: json_answer([b'{"version":"master"}'])},
            "/admin/health/alive": {"GET": lambda _: json_answer([b'{"status":"ok"}'])},
            "/admin/health/ready": {"GET": lambda _: json_answer([b'{"status":"ok"}'])},
            "/admin/sessions": {"GET": self._sessions},
        }

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

    def _network(self, request: Request) -> Response:
        """Ory Network: no redirects; the key and the rate are looked at before anything else."""
        path = request.path
        handlers = self._public_handlers(path) if path.startswith("/schemas") else None
        if handlers is None:
            refused = self._refused(request)
            if refused:
                return refused
            path = path if path.startswith("/admin") else f"/admin{path}"
            handlers = self._admin_handlers(path)
        if handlers is None:
            return plain_not_found([NOT_CACHED])
        if self._bucket is None or not path.startswith(_LIMITED):
            return _handle(request, handlers)
        granted, headers = self._bucket.take()
        if not granted:
            return error(HTTPStatus.TOO_MANY_REQUESTS, "API rate limit exceeded", headers=headers)
        answer = _handle(request, handlers)
        answer.headers = [*answer.headers, *headers]
        return answer

    def _refused(self, request: Request) -> Response | None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if key.startswith("ory_wak_"):
            message = "Access credentials are not sufficient to access this resource"
            return error(HTTPStatus.FORBIDDEN, message)
        known = bool(key) if self._api_token is None else key == self._api_token
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

    def _sessions(self, request: Request) -> Response:
        """Nobody is signed in."""
        text = paging.first_value(request, "page_size")
        size = paging.go_integer(text) if text else paging.DEFAULT_SIZE
        if size is None:
            return error(HTTPStatus.BAD_REQUEST, "could not parse parameter page_size")
        token = _FIRST_SESSION_1_3 if self._manner.keyset else paging.FIRST_TOKEN
        size = min(size, _SESSIONS_LIMIT)
        url = paging.with_query("/admin/sessions", request.query, page_size=size, page_token=token)
        total = [] if self._manner.network else [("X-Total-Count", "0")]
        return json_answer([b"[]"], [paging.link_header([("first", url)]), *total])

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
