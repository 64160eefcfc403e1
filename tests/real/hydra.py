"""A real Ory Hydra: OAuth2 clients, trusted issuers of tokens, consents.

Knows how to fill the server through its API and how to ask its database for the truth.
"""

import json
import shutil
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qs, urlsplit

import requests

from tests.ports import free_ports
from tests.real.people import Json
from tests.real.process import OryServer

#: Ids that the server takes as it takes any other.
ODD_IDS: Final = ("my-own/id & co", "ünïcode <id>", "a?b=c#d", "%2F", " spaced ", "quote\"d'", "semi;colon,comma", "++")
#: A public key of an issuer, whose private half nobody has.
ISSUER_KEY: Final = {
    "kty": "EC",
    "crv": "P-256",
    "use": "sig",
    "alg": "ES256",
    "x": "CWGNIWgLqSWgZuc-YSdfT-A-TYNowZ22lZIlM7oz6_8",
    "y": "0u8a74LpxgUW72SO9hA2EuPMHJBijLkMLcbfqslD6dE",
}
CALLBACK: Final = "http://127.0.0.1:1/callback"


class Hydra(OryServer):
    """One server, from `with` to the end of the block, with a number of clients in it from the start.

    The first of them are made through the Admin API, the others are copies of one in the database.

    Attributes:
        admin_url: base URL of the Admin API, ending in a slash.
        public_url: base URL of the public port, likewise.
    """

    name, title = "hydra", "Ory Hydra"

    def __init__(self, clients: int = 0) -> None:
        super().__init__("v2.3.0")
        self._number = clients
        admin_port, public_port = free_ports(2)
        self.admin_url = f"http://127.0.0.1:{admin_port}/"
        self.public_url = f"http://127.0.0.1:{public_port}/"
        address = {"host": "127.0.0.1"}
        configuration = {
            "serve": {"admin": {**address, "port": admin_port}, "public": {**address, "port": public_port}},
            "urls": {
                "self": {"issuer": self.public_url, "public": self.public_url},
                "login": f"{self.public_url}no-login",
                "consent": f"{self.public_url}no-consent",
            },
            "secrets": {"system": ["0123456789abcdef0123456789abcdef"]},
            "log": {"level": "error"},
            "dev": True,
        }
        self._config.write_text(json.dumps(configuration))

    def create_client(self, **body: object) -> Json:
        """Create one client and return it as the server answers, with the secrets that it never shows again."""
        return self._post("admin/clients", {"token_endpoint_auth_method": "none", **body})

    def trust(self, issuer: str, key_id: str, **body: object) -> Json:
        """Trust an issuer's tokens."""
        grant = {
            "issuer": issuer,
            "jwk": {**ISSUER_KEY, "kid": key_id},
            "scope": [],
            "expires_at": "2036-01-01T00:00:00Z",
            **body,
        }
        return self._post("admin/trust/grants/jwt-bearer/issuers", grant)

    def consent(self, client_id: str, subject: str, scope: Sequence[str], session: Json) -> str:
        """Have a person let a client act for them; return the code that the client gets for it."""
        with requests.Session() as browser:
            query = {
                "client_id": client_id,
                "response_type": "code",
                "scope": " ".join(scope),
                "redirect_uri": CALLBACK,
                "state": "state-of-the-test",
            }
            challenge = self._led_to(browser, f"{self.public_url}oauth2/auth", "login_challenge", query)
            accepted = self._accept("login", challenge, {"subject": subject})
            challenge = self._led_to(browser, accepted, "consent_challenge")
            granted = {"grant_scope": list(scope), "remember": True, "remember_for": 0, "session": session}
            return self._led_to(browser, self._accept("consent", challenge, granted), "code")

    def client_ids(self) -> list[str]:
        """The ids of all clients in the order of the list, as the database says."""
        return [row[0] for row in self.rows("SELECT id FROM hydra_client ORDER BY id")]

    def copy_clients(self, number: int) -> None:
        """Add so many copies of one client, under other ids."""
        self.create_client(client_id="copied", client_name="Copied")
        (columns,) = self.rows("SELECT group_concat(name) FROM pragma_table_info('hydra_client')")
        others = [name for name in columns[0].split(",") if name not in {"id", "pk"}]
        self.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            f"INSERT INTO hydra_client (pk, id, {','.join(others)}) "
            f"SELECT printf('%08x-0000-4000-8000-000000000000', i), printf('copy-%06d', i), {','.join(others)} "
            "FROM hydra_client, n WHERE hydra_client.id = 'copied'",
            number,
        )

    def _migration(self) -> list[str]:
        return ["migrate", "sql", "-e", "--yes", "-c", str(self._config)]

    def _serving(self) -> list[str]:
        return ["serve", "all", "--dev", "--sqa-opt-out", "-c", str(self._config)]

    def _ready_urls(self) -> list[str]:
        return [f"{self.admin_url}health/ready", f"{self.public_url}health/ready"]

    def _make_database(self) -> None:
        # Migrating takes seconds.
        kept = self._binary.with_name("empty.sqlite")
        if kept.exists():
            shutil.copyfile(kept, self.database)
        else:
            super()._make_database()
            self._keep_database(kept)

    def start(self) -> None:
        """Serve, with the clients that are to be there from the start."""
        super().start()
        if self._number and not self.client_ids():
            for each in ODD_IDS[: self._number]:
                self.create_client(client_id=each, client_name=f"The client {each}")
            if (left := self._number - len(self.client_ids()) - 1) >= 0:
                self.copy_clients(left)

    def _post(self, path: str, body: Json) -> Json:
        response = self._http.post(self.admin_url + path, json=body)
        response.raise_for_status()
        created: Json = response.json()
        return created

    def _accept(self, what: str, challenge: str, body: Json) -> str:
        url = f"{self.admin_url}admin/oauth2/auth/requests/{what}/accept"
        response = self._http.put(url, params={f"{what}_challenge": challenge}, json=body)
        response.raise_for_status()
        return str(response.json()["redirect_to"])

    @staticmethod
    def _led_to(browser: requests.Session, url: str, wanted: str, query: Json | None = None) -> str:
        """Follow redirects until one has a parameter, and return that."""
        while wanted not in (found := parse_qs(urlsplit(url).query)):
            response = browser.get(url, params=query, allow_redirects=False)
            response.raise_for_status()
            url, query = response.headers["Location"], None
        return found[wanted][0]
