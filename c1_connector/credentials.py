"""What C1 gives a connector to prove itself with, and the access tokens that it buys.

A client id is `NAME@HOST/SUFFIX`, a secret `secret-token:conductorone.com:v1:` and a private Ed25519 JWK in unpadded
base64url. A token is bought with a JWT signed by that key (OAuth 2 client credentials, RFC 7523).
Knows HTTP, nothing of gRPC.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from c1_connector.errors import DEADLINE_EXCEEDED, UNAUTHENTICATED, UNAVAILABLE, C1Error, ConnectorError, UntrustedError

if TYPE_CHECKING:
    from c1_connector.logs import Secrets

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_PATH = "/auth/v1/token"  # noqa: S105 - an address
#: Seconds before and after now in which an assertion holds.
LEEWAY = 120
#: A token is renewed so many seconds before it expires.
RENEW_EARLY = 10.0
#: Seconds that a token is taken to last where the answer does not say.
DEFAULT_LIFE = 300.0
REQUEST_SECONDS = 30.0
_PREFIX = ("secret-token", "conductorone.com")
_VERSION = "v1"
_SERVER_ERRORS = 500
_TOO_MANY = 429
_HEADER_WORD = re.compile(r"[\x21-\x7e]+")


def split_client_id(client_id: str) -> str:
    """Return the host in a client id, with its port if it names one.

    Raises:
        ConnectorError: if it is none.
    """
    _, _, rest = client_id.partition("@")
    host, _, suffix = rest.partition("/")
    if not host or not suffix:
        msg = "BATON_CLIENT_ID is no client id of C1: it looks like NAME@HOST/SUFFIX."
        raise ConnectorError(msg)
    return host


@dataclass(frozen=True)
class Key:
    """The private key of a client secret, and the name that C1 gave it, if any."""

    private: Ed25519PrivateKey
    kid: str | None

    @classmethod
    def parse(cls, secret: str) -> Key:
        """Read a client secret.

        Raises:
            ConnectorError: if it is none; nothing of it is repeated.
        """
        parts = secret.split(":", 3)
        try:
            if tuple(parts[:2]) != _PREFIX or parts[2] != _VERSION:
                raise ValueError  # noqa: TRY301 - one sentence for all that can be wrong
            jwk = json.loads(_from_base64url(parts[3]))
            kid = jwk.get("kid") or None
            if (jwk["kty"], jwk["crv"]) != ("OKP", "Ed25519") or not isinstance(kid, str | None):
                raise ValueError  # noqa: TRY301
            private = _from_base64url(jwk["d"])
            return cls(Ed25519PrivateKey.from_private_bytes(private), kid)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, binascii.Error):
            msg = (
                "BATON_CLIENT_SECRET is no client secret of C1 (secret-token:conductorone.com:v1:...): copy it once "
                "more, or rotate the connector's credentials in C1."
            )
            raise ConnectorError(msg) from None


@dataclass(frozen=True)
class Credentials:
    """A client id, its host, and the secret."""

    client_id: str
    host: str
    client_secret: str = field(repr=False)


class TokenSource:
    """Access tokens, each kept until shortly before it expires or until C1 refuses it. Safe for several threads."""

    def __init__(self, credentials: Credentials, api_host: str, ca_bundle: str, hidden: Secrets) -> None:
        """Buy nothing yet.

        Raises:
            ConnectorError: if the client secret is none.
        """
        self._credentials = credentials
        self._key = Key.parse(credentials.client_secret)
        self._url = f"https://{api_host}{TOKEN_PATH}"
        self._ca_bundle = ca_bundle
        self._hidden = hidden
        self._lock = threading.Lock()
        self._header = ""
        self._expires = 0.0

    def authorization(self) -> str:
        """Return what goes into the metadata `authorization` of a call.

        Raises:
            C1Error: if C1 gives none.
        """
        with self._lock:
            if not self._header or time.monotonic() >= self._expires - RENEW_EARLY:
                self._renew()
            return self._header

    def refuse(self, authorization: str) -> None:
        """C1 did not take it: the next call buys another."""
        with self._lock:
            if self._header == authorization:
                self._header = ""

    def assertion(self) -> str:
        """Return a signed JWT that says who we are."""
        now = int(time.time())
        client_id = self._credentials.client_id
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": self._credentials.host.partition(":")[0],
            "iat": now,
            "nbf": now - LEEWAY,
            "exp": now + LEEWAY,
        }
        named = {"kid": self._key.kid} if self._key.kid else {}
        headers = {"typ": None, "nonce": secrets.token_hex(16), **named}
        return jwt.encode(claims, self._key.private, "EdDSA", headers)

    def _renew(self) -> None:
        began = time.monotonic()
        answer = self._ask()
        try:
            token, kind = answer["access_token"], answer.get("token_type") or "Bearer"
            life = float(answer.get("expires_in") or DEFAULT_LIFE)
            # What gRPC cannot send it would repeat in its error.
            if not (_HEADER_WORD.fullmatch(token) and _HEADER_WORD.fullmatch(kind) and math.isfinite(life)):
                raise ValueError  # noqa: TRY301 - one sentence for every strange shape
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            msg = f"{self._url} answered with no access token."
            raise C1Error(UNAVAILABLE, msg) from None
        self._hidden.add(token)
        self._header = f"{'Bearer' if kind.lower() == 'bearer' else kind} {token}"
        self._expires = began + life

    def _ask(self) -> Any:
        form = {
            "client_id": self._credentials.client_id,
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
        }
        try:
            response = requests.post(
                self._url,
                data=form,
                timeout=REQUEST_SECONDS,
                verify=self._ca_bundle,
                allow_redirects=False,
                # Without an auth of our own, `requests` would send one out of ~/.netrc.
                auth=lambda request: request,
            )
        except requests.RequestException as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                msg = f"The certificate of {self._url} is not trusted: if C1's is private, set BATON_C1_CA_BUNDLE."
                raise UntrustedError(DEADLINE_EXCEEDED, msg) from error
            msg = f"{self._url} cannot be reached ({_cause(error)}): check BATON_C1_API_HOST and the network."
            raise C1Error(DEADLINE_EXCEEDED, msg) from error
        if response.status_code >= _SERVER_ERRORS or response.status_code == _TOO_MANY:
            msg = f"{self._url} answered {response.status_code}."
            raise C1Error(UNAVAILABLE, msg)
        if response.status_code != requests.codes.ok:
            msg = (
                f"C1 refused the client id and secret ({self._url} answered {response.status_code}): check both, or "
                "rotate the connector's credentials in C1. Is this machine's clock right?"
            )
            raise C1Error(UNAUTHENTICATED, msg)
        try:
            return response.json()
        except ValueError:
            return None


def _cause(error: BaseException) -> str:
    """Return what the system says of it, else the kind of error."""
    inner = error
    while following := inner.__cause__ or inner.__context__:
        inner = following
    return str(getattr(inner, "strerror", None) or type(error).__name__)


def _from_base64url(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
