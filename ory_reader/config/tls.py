"""Certificates: which authorities are trusted, and who we are to a server that wants to know (mTLS).

Knows the settings' names and the variables that `requests`, curl, OpenSSL and Go programs read; sends nothing.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter

from ory_reader.errors import UnavailableError, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests
    from urllib3.connectionpool import ConnectionPool

    from ory_reader.config.declaration import Declaration

#: Variables for a file or a directory, in the order in which they win; a setting wins over all.
BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
#: OpenSSL's and Go's own: the file, and the directories (with OpenSSL's names of files in them) beside it.
FILE_VARIABLE, DIRECTORY_VARIABLE = "SSL_CERT_FILE", "SSL_CERT_DIR"


@dataclass(frozen=True)
class Authorities:
    """Whom to trust: a file or directory as `requests` takes it (True: its own), directories beside it, who says so."""

    verify: str | bool = True
    directories: str | None = None
    named_by: str = ""

    @classmethod
    def find(cls, ca_bundle: str | None, environ: Mapping[str, str]) -> Authorities:
        """Return those of the setting, else of the environment; an empty variable says nothing."""
        for name, path in (("ca_bundle", ca_bundle), *((name, environ.get(name)) for name in BUNDLE_VARIABLES)):
            if path:
                return cls(path, None, name)
        file, directories = environ.get(FILE_VARIABLE), environ.get(DIRECTORY_VARIABLE)
        named_by = FILE_VARIABLE if file else DIRECTORY_VARIABLE
        return cls(file or True, directories, named_by) if file or directories else cls()

    def check(self, host: str) -> None:
        """Make sure that there are any, before `host` is blamed.

        Raises:
            UnavailableError: if nothing is there, or no certificate is in it.
        """
        paths = [self.verify] if isinstance(self.verify, str) else (self.directories or "").split(os.pathsep)
        if self.named_by and not any(Path(path).exists() for path in paths if path):
            msg = (
                f"TLS to {host} failed: no certificate authorities are where {self.named_by} says. Give the path of a "
                "PEM file, or unset it."
            )
            raise UnavailableError(msg)
        if isinstance(self.verify, str) and Path(self.verify).is_file():
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(self.verify)
            except OSError as error:  # as ssl's own errors are
                msg = f"TLS to {host} failed: {self.named_by} names a file that holds no certificate. Give a PEM file."
                raise UnavailableError(msg) from error


class OneServerAdapter(HTTPAdapter):
    """Talks to one server, whose pool of connections is looked up once; trusts directories of authorities too."""

    __attrs__ = (*HTTPAdapter.__attrs__, "directories")
    _pool: ConnectionPool | None = None

    def __init__(self, directories: str | None) -> None:
        """Keep the directories, separated as PATH is."""
        self.directories = directories
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Let every pool of connections know them."""
        super().init_poolmanager(*args, **kwargs, ca_cert_dir=self.directories)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> ConnectionPool:
        """As `requests` finds it, the first time."""
        self._pool = self._pool or super().get_connection_with_tls_context(*args, **kwargs)
        return self._pool


def trust(session: requests.Session, settings: Declaration) -> None:
    """Give the session proxies and authorities of the environment, looked up once: `requests` would for each request.

    Raises:
        UnavailableError: if there are no authorities where they are said to be.
    """
    found = session.merge_environment_settings(settings.base_url, {}, None, None, None)
    authorities = Authorities.find(settings.ca_bundle, os.environ)
    parts = urlsplit(settings.base_url)
    if parts.scheme == "https":
        authorities.check(parts.netloc)
    session.proxies, session.verify, session.trust_env = dict(found["proxies"]), authorities.verify, False
    session.mount(f"{parts.scheme}://", OneServerAdapter(authorities.directories))


def is_loopback(host: str) -> bool:
    """Tell whether what is sent to this host stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost" or host.lower().rstrip(".").endswith(".localhost")


def check_client_certificate(certificate: str | None, key: str | None, base_url: str) -> None:
    """Make sure that the certificate can be shown to a server.

    Raises:
        SettingsError: in one line, if a file is missing or none, the two differ, or the key is encrypted.
    """
    if not certificate:
        if key:
            refuse("client_key", "is set without client_certificate", "set both")
        return
    for name, path in (("client_certificate", certificate), ("client_key", key)):
        if path and not Path(path).is_file():
            refuse(name, f"names {path!r}, which is no file", "give the path of a PEM file")
    if not base_url.startswith("https:"):
        refuse("client_certificate", "needs TLS", "begin base_url with https://")
    _load(certificate, key)


def _load(certificate: str, key: str | None) -> None:
    owner = "client_key" if key else "client_certificate"

    def password() -> NoReturn:
        # OpenSSL would ask for it on the terminal.
        refuse(owner, "names a key that is encrypted", "give one without a passphrase, readable for this user alone")

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            refuse(owner, "is not the key of client_certificate", "give the two that were made together")
        if not key:
            refuse("client_certificate", "names a file without a certificate and its key", "set client_key as well")
        refuse("client_certificate", "and client_key are no certificate and its key", "give PEM files of both")
    except OSError as error:
        refuse("client_certificate", f"and client_key cannot be read: {error.strerror}", "check who may read them")
