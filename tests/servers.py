"""The five servers that the tests talk to, made alike: three manners of the sandbox, two real Ory Kratos.

Knows how to start one and how to change what is in it; knows nothing of what a test expects of it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, Literal

import requests

from ory_sandbox import Sandbox
from ory_sandbox.holdings import Holdings
from tests.real.people import Json, people
from tests.real.running import running
from tests.real.server import Kratos, Release

Manner = Literal["v1.0", "v1.3", "network"]

API_TOKEN: Final = "ory_pat_a-key-of-the-tests"


@dataclass(frozen=True)
class Kind:
    """A kind of server: how it behaves, and which release of Kratos it is if it is a real one."""

    manner: Manner
    release: Release | None

    def __str__(self) -> str:
        return f"{'kratos' if self.release else 'sandbox'}-{self.manner}"


KINDS: Final = (
    Kind("v1.0", None),
    Kind("v1.3", None),
    Kind("network", None),
    Kind("v1.0", "v1.0.0"),
    Kind("v1.3", "v1.3.1"),
)


class Server(ABC):
    """A running server.

    Attributes:
        kind: what it is.
        admin_url: base URL of the Admin API, ending in a slash.
        public_url: base URL of the public port, likewise.
        api_token: the key that the Admin API asks for; None if it asks for none.
    """

    def __init__(self, kind: Kind, admin_url: str, public_url: str) -> None:
        self.kind = kind
        self.admin_url = admin_url
        self.public_url = public_url
        self.api_token = API_TOKEN if kind.manner == "network" else None
        self._http = requests.Session()

    def __str__(self) -> str:
        return str(self.kind)

    @property
    def family(self) -> Literal["offset", "keyset"]:
        """How it pages: "offset" (ids descending) or "keyset" (ids ascending)."""
        return "offset" if self.kind.manner == "v1.0" else "keyset"

    @property
    def clamp(self) -> int | None:
        """The most rows that it gives in a page; None if it gives as many as asked for."""
        return {"v1.0": 1000, "v1.3": None, "network": 500}[self.kind.manner]

    def get(self, path: str, base_url: str | None = None, **params: Any) -> requests.Response:
        """GET a path of the admin port (or of another base URL), with the key, following no redirect."""
        return self._http.get(
            (base_url or self.admin_url) + path,
            params=params,
            headers={"Authorization": f"Bearer {self.api_token}"} if self.api_token else {},
            allow_redirects=False,
            timeout=30,
        )

    def identities(self, **params: Any) -> requests.Response:
        """GET a page of identities."""
        return self.get("admin/identities", **params)

    @abstractmethod
    def all_ids(self) -> list[str]:
        """The ids of all identities in the order of the list, known other than through the list."""

    @abstractmethod
    def create(self, number: int = 1) -> list[str]:
        """Create some more people and return their ids."""

    @abstractmethod
    def delete(self, identity_id: str) -> None:
        """Delete one identity."""

    @abstractmethod
    def spoil(self, identity_id: str) -> None:
        """Make an identity one that the server can't serialise."""

    def close(self) -> None:
        """Close connections to it."""
        self._http.close()


class RealServer(Server):
    """A real Ory Kratos."""

    def __init__(self, kind: Kind, kratos: Kratos) -> None:
        super().__init__(kind, kratos.admin_url, kratos.public_url)
        self.kratos = kratos
        self._seeds = count(2)

    def all_ids(self) -> list[str]:
        return self.kratos.all_ids()

    def create(self, number: int = 1) -> list[str]:
        bodies = people(number, seed=next(self._seeds))
        return [self.kratos.create(body)["id"] for body in bodies]

    def delete(self, identity_id: str) -> None:
        self.kratos.delete(identity_id)

    def spoil(self, identity_id: str) -> None:
        # A bare number is valid JSON that Kratos takes and then can't read back from SQLite.
        self.kratos.execute("UPDATE identities SET metadata_public = 17 WHERE id = ?", identity_id)


class SandboxServer(Server):
    """The sandbox, in a thread of this process; `sandbox.requests` is what it was asked."""

    def __init__(self, kind: Kind, sandbox: Sandbox) -> None:
        super().__init__(kind, sandbox.url, sandbox.public_url)
        self.sandbox = sandbox
        self._numbers = count()

    def all_ids(self) -> list[str]:
        return [identity["id"] for identity in self.sandbox.identities]

    def create(self, number: int = 1) -> list[str]:
        traits = [{"email": f"created-{next(self._numbers)}@example.com"} for _ in range(number)]
        return [self.sandbox.put({"traits": each}) for each in traits]

    def delete(self, identity_id: str) -> None:
        self.sandbox.delete(identity_id)

    def spoil(self, identity_id: str) -> None:
        self.sandbox.make_unreadable(identity_id)


@contextmanager
def run_kratos(release: Release, number: int, schemas: Mapping[str, Json] | None = None) -> Iterator[Kratos]:
    """Run a real server with a number of people; where none can be had, the test is skipped, or fails in CI.

    `schemas` are identity schemas by id instead of those of the people.
    """
    with running(lambda: Kratos(release, number, schemas)) as kratos:
        yield kratos


@contextmanager
def run_server(kind: Kind, number: int) -> Iterator[Server]:
    """Run a server of a kind with a number of people; a real one as `run_kratos` does."""
    with ExitStack() as stack:
        server: Server
        if kind.release:
            server = RealServer(kind, stack.enter_context(run_kratos(kind.release, number)))
        else:
            # Real people that were made through the API hold nothing either.
            sandbox = Sandbox(number, manner=kind.manner, api_token=API_TOKEN, holdings=Holdings())
            server = SandboxServer(kind, stack.enter_context(sandbox))
        stack.callback(server.close)
        yield server
