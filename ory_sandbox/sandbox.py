"""The sandbox itself: a project's server on real ports, in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ory_sandbox.cache import cached_store
from ory_sandbox.holdings import Holdings, holdings_of
from ory_sandbox.http import Connection
from ory_sandbox.ratelimit import Bucket, parse_windows
from ory_sandbox.render import completed, render
from ory_sandbox.schemas import identity_schemas
from ory_sandbox.server_profiles import MANNERS
from ory_sandbox.site import SERVICES, Site
from ory_sandbox.store import Store, pack
from ory_sandbox.tokens import LIFETIME_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import TypeVar

    from typing_extensions import Self

    from ory_sandbox.http import Request, Response

    T = TypeVar("T")

# So generous that nobody meets it: only the headers show.
DEFAULT_RATE_LIMIT = "100000;w=1,6000000;w=60"
_REMEMBERED_REQUESTS = 10_000
_BACKLOG = 128


class Seen(NamedTuple):
    """A request as it came in: ``role`` is that of the port, header names are in lower case."""

    role: str
    method: str
    target: str
    headers: dict[str, str]


@dataclass
class Requests:
    """How many requests came in, and the latest of them."""

    count: int = 0
    log: deque[Seen] = field(default_factory=lambda: deque(maxlen=_REMEMBERED_REQUESTS))


def _listener(opened: ExitStack, host: str, port: int) -> socket.socket:
    return opened.enter_context(socket.create_server((host, port), backlog=_BACKLOG))


class Sandbox:
    """An Ory Admin API on this machine; a context manager that serves from entry to exit.

    Attributes:
        url: Where the admin role is, with a slash at the end; known from the start.
        public_url: Where the public role is; the same in the network manner.
        oauth2_url: Where Hydra's admin role is, likewise.
        permissions_url: Where Keto's read role is, likewise.
        requests: What has come in.
    """

    def __init__(  # noqa: PLR0913 the settings of a server
        self,
        identities: int | Iterable[Mapping[str, Any]] = 2000,
        *,
        manner: str = "v1.3",
        seed: int = 1,
        names: str = "mixed",
        schemas: Sequence[tuple[str, Mapping[str, Any]]] | None = None,
        holdings: Holdings | None = None,
        tuples: int | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        public_port: int = 0,
        api_token: str | None = None,
        rate_limit: str = DEFAULT_RATE_LIMIT,
        latency_ms: float = 0,
        cache_dir: Path | None = None,
    ) -> None:
        """Listen, but serve nobody yet.

        Args:
            identities: How many people to make up, or the identities to serve; those may leave out whatever
                Kratos would fill in.
            manner: ``v1.0``, ``v1.3`` or ``network``.
            seed: Another seed makes other people.
            names: Whose names are ASCII: those of some (``mixed``), everybody's (``ascii``), nobody's (``unicode``).
            schemas: The ids and JSON Schemas of the project instead of those of the made-up people.
            holdings: What the project holds beside identities; made up for made-up people, nothing for others.
            tuples: How many relation tuples to make up; about two for each of the people by default.
            host: The address to listen on.
            port: The admin port; 0 takes a free one.
            public_port: The public port, likewise; not in the network manner.
            api_token: The only key that is let in, in the network manner; without it any but a workspace's.
            rate_limit: Requests in seconds, such as ``5;w=1,300;w=60``, in the network manner.
            latency_ms: Milliseconds to wait before each answer.
            cache_dir: Where made-up people are kept for the next time.

        Raises:
            ValueError: There is no such manner, or the rate limit is none.
            OSError: A port is taken.
            OverflowError: A port is no port.
        """
        if manner not in MANNERS:
            message = f"no manner of the sandbox: {manner!r}"
            raise ValueError(message)
        self._manner = MANNERS[manner]
        limited = SERVICES if self._manner.network else ()
        buckets = {service: Bucket(parse_windows(rate_limit)) for service in limited}
        self.requests = Requests()
        self._latency = latency_ms / 1000
        self._schemas = identity_schemas(self._manner) if schemas is None else schemas
        with ExitStack() as opened:
            ports = {"admin": port}
            if not self._manner.network:
                ports |= {"public": public_port, "oauth2": 0, "permissions": 0}
            self._sockets = {role: _listener(opened, host, each) for role, each in ports.items()}
            self._addresses = {role: each.getsockname() for role, each in self._sockets.items()}
            urls = {role: f"http://{host}:{address[1]}/" for role, address in self._addresses.items()}
            self.url = urls["admin"]
            self.public_url, self.oauth2_url, self.permissions_url = (
                urls.get(role, self.url) for role in ("public", "oauth2", "permissions")
            )
            self._store = self._stored(identities, seed, cache_dir, names)
            self._opened = opened.pop_all()
        nothing = None if isinstance(identities, int) else Holdings()
        self._given = nothing if holdings is None else holdings
        self._seed, self._tuples = seed, tuples
        self._site = Site(
            self._manner,
            self._store,
            self._schemas,
            lambda: self.holdings,
            admin_url=self.url,
            public_url=self.public_url,
            api_token=api_token,
            buckets=buckets,
        )
        self._loop = asyncio.new_event_loop()
        self._opened.callback(self._loop.close)
        self._thread = threading.Thread(target=self._serve, name="ory-sandbox", daemon=True)
        self._ready = threading.Event()
        self._connections: set[Connection] = set()
        self._servers: list[asyncio.Server] = []
        self._coming_back: set[asyncio.Task[None]] = set()

    def _stored(
        self,
        identities: int | Iterable[Mapping[str, Any]],
        seed: int,
        cache_dir: Path | None,
        names: str,
    ) -> Store:
        if isinstance(identities, int):
            return cached_store(self._manner, identities, seed, self.public_url, cache_dir, names)
        descending = not self._manner.keyset
        whole = sorted(map(self._whole, identities), key=lambda identity: identity["id"], reverse=descending)
        return Store(*pack(map(render, whole), columns=2), descending=descending)

    def _whole(self, identity: Mapping[str, Any]) -> dict[str, Any]:
        return completed(
            identity,
            schema_id=self._schemas[0][0],
            public_url=self.public_url,
            organization_id=self._manner.organization_id,
        )

    def __enter__(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close all connections and stop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._opened.close()

    def _serve(self) -> None:
        loop = self._loop
        try:
            loop.run_until_complete(self._listen())
        finally:
            self._ready.set()
        loop.run_forever()
        for connection in list(self._connections):
            connection.drop()
        # What was dropped is closed in the next round.
        loop.run_until_complete(asyncio.sleep(0))

    async def _listen(self) -> None:
        if self._servers:
            return
        for role, listener in self._sockets.items():
            answering = partial(self._connection, role)
            self._servers.append(await self._loop.create_server(answering, sock=listener, backlog=_BACKLOG))

    def _outage(self, seconds: float | None) -> None:
        """Drop all connections and refuse new ones; listen again after so many seconds, if ever."""
        while self._servers:
            self._servers.pop().close()
        for connection in list(self._connections):
            connection.drop()
        for role, listener in self._sockets.items():
            # A socket that has the port and doesn't listen keeps others from taking it.
            self._sockets[role] = self._opened.enter_context(socket.socket(listener.family))
            self._sockets[role].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._sockets[role].bind(self._addresses[role])
        if seconds is not None:
            self._loop.call_later(seconds, lambda: self._coming_back.add(self._loop.create_task(self._listen())))

    def _connection(self, role: str) -> Connection:
        return Connection(partial(self._respond, role), self._connections)

    def _respond(self, role: str, request: Request) -> Response:
        """Answer one request."""
        self.requests.count += 1
        self.requests.log.append(Seen(role, request.method, request.target, request.headers))
        response = self._answer(role, request)
        response.delay += self._latency
        return response

    def _answer(self, role: str, request: Request) -> Response:
        answering: Callable[[Request], Response] = getattr(self._site, role)
        return answering(request)

    # While it serves, everything that touches the store happens in the thread that serves.

    def _run(self, action: Callable[[], T]) -> T:
        if not self._loop.is_running():
            return action()

        async def act() -> T:
            return action()

        return asyncio.run_coroutine_threadsafe(act(), self._loop).result()

    @cached_property
    def holdings(self) -> Holdings:
        """What the project holds beside identities; as it was when first asked for."""
        if self._given is not None:
            return self._given
        ids = [self._store.id(place) for place in range(len(self._store))]
        return holdings_of(ids if self._manner.keyset else ids[::-1], self._seed, tuples=self._tuples)

    def expire_page_tokens(self) -> None:
        """Let an hour pass for the tokens of the newest services that were given out so far."""
        self._run(partial(self._site.tokens.pass_seconds, LIFETIME_SECONDS + 1))

    @property
    def identities(self) -> list[dict[str, Any]]:
        """All identities as a list serves them, without credentials."""
        text = self._run(lambda: bytes(self._store.page(range(len(self._store)))))
        return list(json.loads(b"[" + text + b"]"))

    def identities_with_credentials(self, *types: str) -> list[dict[str, Any]]:
        """All identities with their credentials; configs only of those types."""
        text = self._run(lambda: self._store.rows_with_credentials(range(len(self._store)), types))
        return list(json.loads(b"[" + text + b"]"))

    def put(self, identity: Mapping[str, Any]) -> str:
        """Add an identity, or replace the one of its id; Kratos' own defaults for what it leaves out.

        Returns:
            Its id.
        """
        whole = self._whole(identity)
        row, credentials = render(whole)
        self._run(partial(self._store.put, whole["id"], row, credentials))
        return str(whole["id"])

    def delete(self, identity_id: str) -> None:
        """Delete an identity.

        Raises:
            KeyError: There is none of that id.
        """
        if not self._run(partial(self._store.remove, identity_id)):
            raise KeyError(identity_id)

    def make_unreadable(self, identity_id: str) -> None:
        """Make every page with this identity fail with a 500, as a row does that Kratos can't serialise."""
        self._run(partial(self._store.unreadable.add, identity_id))

    def mend(self) -> None:
        """End what goes wrong: all identities can be read, an outage is over."""

        async def act() -> None:
            self._store.unreadable.clear()
            await self._listen()

        asyncio.run_coroutine_threadsafe(act(), self._loop).result()
