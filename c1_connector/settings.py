"""The connector's settings, as flags and as environment variables with C1's own names.

What the tap and the target need is left in the environment, where they look for it. Knows nothing of C1's answers.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from c1_connector.credentials import Credentials, split_client_id
from c1_connector.errors import ConnectorError
from c1_connector.logs import FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_CONCURRENCY = 100
MAX_HOST_ID = 256
DEFAULT_PORT = 443
#: The reader has no use for them.
_C1_ONLY = ("BATON_CLIENT_ID", "BATON_CLIENT_SECRET")
#: The tap's settings that have a flag; the tap's own name, as it is the one that wins.
_ORY_FLAGS = {"base_url": "TAP_ORY_BASE_URL", "api_token": "TAP_ORY_API_TOKEN", "project_slug": "TAP_ORY_PROJECT_SLUG"}
#: What decides whether a part could be taken for the whole is not for the user to set.
_FIXED = {
    "TAP_ORY_EMIT_ACTIVATE_VERSION_MESSAGES": "true",
    "TARGET_C1_REQUIRE_ACTIVATE_VERSION": "true",
    "TARGET_C1_STREAM": "users",
    "TARGET_C1_FORMAT": "c1z",
}


@dataclass(frozen=True)
class Settings:
    """One validated set of settings. Without `credentials` it syncs once into `file`."""

    credentials: Credentials | None
    api_host: str
    host_id: str
    task_concurrency: int
    file: str
    ca_bundle: str
    log_format: str
    check: bool
    ory: Mapping[str, str] = field(repr=False)

    def reader_environment(self, path: Path | str) -> dict[str, str]:
        """Return the environment of a read into the file at `path`: without the secrets of C1's side."""
        own = {name: value for name, value in os.environ.items() if name not in _C1_ONLY}
        return {**own, **self.ory, **_FIXED, "TARGET_C1_PATH": str(path), "BATON_LOG_FORMAT": self.log_format}


def parse(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read the command line, and the environment where it is silent.

    Raises:
        ConnectorError: in one line, if a setting cannot be right.
    """
    given = _parser(environ).parse_args(arguments)
    if given.log_format not in FORMATS:
        msg = f"BATON_LOG_FORMAT is {given.log_format!r}: give {' or '.join(FORMATS)}."
        raise ConnectorError(msg)
    # Out of a file they come with a line break.
    credentials = _credentials(given.client_id.strip(), given.client_secret.strip())
    host = given.c1_api_host or (credentials.host if credentials else "")
    return Settings(
        credentials=credentials,
        api_host=_with_port(host) if host else "",
        host_id=_host_id(given.host_id),
        task_concurrency=_concurrency(given.task_concurrency),
        file=given.file,
        ca_bundle=_ca_bundle(given.c1_ca_bundle),
        log_format=given.log_format,
        check=given.check,
        ory={name: value for flag, name in _ORY_FLAGS.items() if (value := getattr(given, flag)) is not None},
    )


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ory-connector",
        description="The users of an Ory project as a connector of C1 (ConductorOne). With a client id and secret it "
        "serves the syncs that C1 asks for, else it syncs once into a file. All settings of tap-ory (TAP_ORY_*) and "
        "target-c1 (TARGET_C1_*) hold as well.",
        allow_abbrev=False,
    )

    def add(flag: str, variable: str, text: str, default: str = "") -> None:
        value = environ.get(variable) or default
        parser.add_argument(flag, default=value, help=f"{text} [{variable}]")

    add("--client-id", "BATON_CLIENT_ID", "C1's client id, NAME@HOST/SUFFIX; switches service mode on")
    add("--client-secret", "BATON_CLIENT_SECRET", "C1's client secret; better set as the variable")
    add("--c1-api-host", "BATON_C1_API_HOST", "host[:port] of C1; default: the client id's host, port 443")
    add("--c1-ca-bundle", "BATON_C1_CA_BUNDLE", "PEM file of the authorities to trust; default: SSL_CERT_FILE")
    add("--host-id", "BATON_HOST_ID", "this machine's name for C1; default: the host name")
    add("--task-concurrency", "BATON_TASK_CONCURRENCY", "tasks at the same time, 1 to 100 (3)", "3")
    add("--file", "BATON_FILE", "the file of a single sync (sync.c1z)", "sync.c1z")
    add("--log-format", "BATON_LOG_FORMAT", "console or json", "console")
    for flag, variable in (
        ("--base-url", "BATON_BASE_URL"),
        ("--api-token", "BATON_API_TOKEN"),
        ("--project-slug", "BATON_PROJECT_SLUG"),
    ):
        # The tap itself reads the variable.
        parser.add_argument(flag, help=f"tap-ory's setting of that name [{variable}]")
    parser.add_argument("--check", action="store_true", help="check C1's credentials and the Ory project, and end")
    return parser


def _credentials(client_id: str, client_secret: str) -> Credentials | None:
    if not client_id and not client_secret:
        return None
    if not (client_id and client_secret):
        missing = "BATON_CLIENT_SECRET" if client_id else "BATON_CLIENT_ID"
        msg = f"Service mode needs both client id and client secret: set {missing}."
        raise ConnectorError(msg)
    return Credentials(client_id, split_client_id(client_id), client_secret)


def _with_port(host: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?", host):
        msg = f"BATON_C1_API_HOST is {host!r}: write it as host or host:port."
        raise ConnectorError(msg)
    return host if re.search(r":\d+$", host) else f"{host}:{DEFAULT_PORT}"


def _host_id(value: str) -> str:
    host_id = value or socket.gethostname() or "baton-sdk"
    if len(host_id) > MAX_HOST_ID:
        msg = f"BATON_HOST_ID has {len(host_id)} characters: give 1 to {MAX_HOST_ID}."
        raise ConnectorError(msg)
    return host_id


def _concurrency(value: str) -> int:
    number = int(value) if re.fullmatch(r"\d{1,3}", value, re.ASCII) else 0
    if not 1 <= number <= MAX_CONCURRENCY:
        msg = f"BATON_TASK_CONCURRENCY is {value!r}: give 1 to {MAX_CONCURRENCY}."
        raise ConnectorError(msg)
    return number


def _ca_bundle(value: str) -> str:
    path = value or os.environ.get("SSL_CERT_FILE") or DEFAULT_CA_BUNDLE_PATH
    if not Path(path).is_file():
        msg = f"BATON_C1_CA_BUNDLE names {path!r}, which is no file: give the path of a PEM file."
        raise ConnectorError(msg)
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:  # as ssl's own errors are
        reason = "no certificate in it" if isinstance(error, ssl.SSLError) else error.strerror
        msg = f"BATON_C1_CA_BUNDLE names {path!r}, which cannot be read ({reason}): give the path of a PEM file."
        raise ConnectorError(msg) from error
    return path
