"""The connector's settings, as flags and as environment variables with C1's own names.

What a read needs is left among the variables, where it looks for it. Knows nothing of C1's answers.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from c1_connector.config_file import with_file
from c1_connector.errors import ConnectorError
from command_basics import baton
from command_basics.log_format import FORMATS, log_format
from command_basics.log_level import log_level
from command_basics.reader import FILE_SUFFIX, Reader
from command_basics.version import version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from c1_connector.credentials import Credentials

MAX_CONCURRENCY = 100
MAX_HOST_ID = 256
MAX_PORT = 65535
CONFIG, CAPABILITIES, HEALTH_CHECK = SHOWN = ("config", "capabilities", "health-check")
DEFAULT_PORT = 443
#: As flags and as BATON_*.
SCHEMA: dict[str, Any] = {
    "properties": {
        "client_id": {
            "type": "string",
            "description": "C1's client id, NAME@HOST/SUFFIX; switches service mode on",
        },
        "client_secret": {
            "type": "string",
            "secret": True,
            "description": "C1's client secret; better set as the variable",
        },
        "c1_api_host": {
            "type": "string",
            "description": "host[:port] of C1; default: the client id's host, port 443",
        },
        "c1_ca_bundle": {
            "type": "string",
            "description": "PEM file of the authorities to trust; default: SSL_CERT_FILE",
        },
        "host_id": {"type": "string", "description": "this machine's name for C1; default: the host name"},
        "task_concurrency": {"type": "integer", "default": 3, "description": "tasks at the same time, 1 to 100 (3)"},
        "file": {"type": "string", "default": "sync.c1z", "description": "the file of a single sync (sync.c1z)"},
        "log_format": {"type": "string", "description": f"{' or '.join(FORMATS)} ({FORMATS[0]})"},
        "log_level": {"type": "string", "default": "info", "description": "debug, info, warn or error (info)"},
        "health_check": {"type": "boolean", "default": False, "description": "answer /health, /ready, /live by HTTP"},
        "health_check_port": {"type": "integer", "default": 8081, "description": "where it listens for that (8081)"},
        "health_check_bind_address": {
            "type": "string",
            "default": "127.0.0.1",
            "description": "its address there; 0.0.0.0 for probes of a cluster (127.0.0.1)",
        },
    }
}
READER = Reader(
    prefix=baton.PREFIX, error=ConnectorError, foreign={baton.PREFIX: baton.NAMES | baton.ORY_NAMES}, has_files=False
)
#: The tap's settings that have a flag; the tap's own name, as it is the one that wins.
ORY_FLAGS = {"base_url": "TAP_ORY_BASE_URL", "api_token": "TAP_ORY_API_TOKEN", "project_slug": "TAP_ORY_PROJECT_SLUG"}
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
    log_level: str
    check: bool
    show: str | None
    serves_health: bool
    health: tuple[str, int]
    environ: Mapping[str, str] = field(repr=False)
    ory: Mapping[str, str] = field(repr=False)

    def reader_environment(self, path: Path | str) -> dict[str, str]:
        """Return the variables of a read into the file at `path`: without the secrets of C1's side."""
        ory_names = {baton.PREFIX + name for name in baton.ORY_NAMES}
        own = {
            name: value
            for name, value in self.environ.items()
            if (name in ory_names or not name.startswith(baton.PREFIX))
            and name.removesuffix(FILE_SUFFIX) not in self.ory
        }
        target = {**_FIXED, "TARGET_C1_PATH": str(path)}
        return {**own, **self.ory, **target, "BATON_LOG_LEVEL": self.log_level}


def parse(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read the command line, and the environment where it is silent.

    Raises:
        ConnectorError: in one line, if a setting cannot be right.
    """
    flags = vars(_parser().parse_args(arguments))
    environ = with_file(environ)
    given = {baton.PREFIX + name.upper(): flags[name] for name in SCHEMA["properties"] if flags[name] is not None}
    # A flag wins over the file that a variable names, too.
    environ = {name: value for name, value in environ.items() if name.removesuffix(FILE_SUFFIX) not in given} | given
    found = {name: each.get("default", "") for name, each in SCHEMA["properties"].items()}
    found |= READER.from_environment(environ, SCHEMA)
    # Pasted, they come with a line break.
    credentials = _credentials(found["client_id"].strip(), found["client_secret"].strip())
    host = found["c1_api_host"] or (credentials.host if credentials else "")
    return Settings(
        credentials=credentials,
        api_host=_with_port(host) if host else "",
        host_id=_host_id(found["host_id"]),
        task_concurrency=_concurrency(found["task_concurrency"]),
        file=found["file"],
        ca_bundle=_ca_bundle(found["c1_ca_bundle"]),
        log_format=log_format(environ, baton.PREFIX, ConnectorError),
        log_level=log_level(environ, baton.PREFIX, ConnectorError),
        check=flags["check"],
        show=flags["show"],
        serves_health=found["health_check"],
        health=_health(found),
        environ=environ,
        ory={variable: flags[name] for name, variable in ORY_FLAGS.items() if flags[name] is not None},
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ory-connector",
        description="The users of an Ory project as a connector of C1 (ConductorOne). With a client id and secret it "
        "serves the syncs that C1 asks for, else it syncs once into a file. All settings of tap-ory (TAP_ORY_*) and "
        "target-c1 (TARGET_C1_*) hold as well.",
        allow_abbrev=False,
    )
    for name, definition in SCHEMA["properties"].items():
        variable = baton.PREFIX + name.upper()
        alone: dict[str, Any] = {"nargs": "?", "const": "true"} if definition["type"] == "boolean" else {}
        parser.add_argument(f"--{flag(name)}", help=f"{definition['description']} [{variable}]", **alone)
    for name in ORY_FLAGS:
        # Each read looks at the variable.
        parser.add_argument(f"--{flag(name)}", help=f"tap-ory's setting of that name [{baton.PREFIX}{name.upper()}]")
    parser.add_argument(
        "show",
        nargs="?",
        choices=SHOWN,
        help="print its settings, or what it can do, as baton connectors do; or ask a running one whether it is well",
    )
    parser.add_argument("--check", action="store_true", help="check C1's credentials and the Ory project, and end")
    parser.add_argument("--version", action="version", version=f"ory-connector {version()}")
    return parser


def flag(name: str) -> str:
    """Return what a setting is called on the command line, without the dashes before it."""
    return name.replace("_", "-")


def _credentials(client_id: str, client_secret: str) -> Credentials | None:
    if not client_id and not client_secret:
        return None
    if not (client_id and client_secret):
        missing = "BATON_CLIENT_SECRET" if client_id else "BATON_CLIENT_ID"
        msg = f"Service mode needs both client id and client secret: set {missing}."
        raise ConnectorError(msg)
    from c1_connector.credentials import Credentials, split_client_id  # noqa: PLC0415 - a single sync has no use for it

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


def _health(found: Mapping[str, Any]) -> tuple[str, int]:
    address, port = found["health_check_bind_address"], found["health_check_port"]
    if not 1 <= port <= MAX_PORT:
        msg = f"BATON_HEALTH_CHECK_PORT is {port}: give 1 to {MAX_PORT}."
        raise ConnectorError(msg)
    return address, port


def _concurrency(number: int) -> int:
    if not 1 <= number <= MAX_CONCURRENCY:
        msg = f"BATON_TASK_CONCURRENCY is {number}: give 1 to {MAX_CONCURRENCY}."
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
