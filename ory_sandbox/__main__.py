"""``python -m ory_sandbox``: serve made-up identities until told to stop."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ory_sandbox.sample_data import NAMES
from ory_sandbox.sandbox import DEFAULT_RATE_LIMIT, Sandbox
from ory_sandbox.server_profiles import MANNERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def command_line() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m ory_sandbox",
        description="Serve an Ory Admin API with made-up identities, and what else a project holds. Prints four URLs, a"
        " line each: of its admin role, of its public role, of the OAuth2 server's admin role, of the permission"
        " server's read role.",
        allow_abbrev=False,
    )
    parser.add_argument("--identities", type=int, default=2000, metavar="N", help="how many (2000)")
    parser.add_argument("--tuples", type=int, metavar="N", help="how many relation tuples (two an identity)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="admin port (0: a free one)")
    parser.add_argument("--public-port", type=int, default=0, help="public port, not for network (0: a free one)")
    parser.add_argument(
        "--manner",
        choices=sorted(MANNERS),
        default="v1.3",
        help="the server to behave like: Kratos v1.0 or v1.3, or Ory Network (v1.3)",
    )
    parser.add_argument("--api-token", metavar="KEY", help="the key to let in, for network (any but ory_wak_...)")
    parser.add_argument(
        "--rate-limit",
        default=DEFAULT_RATE_LIMIT,
        metavar="WINDOWS",
        help='for network, such as "5;w=1,300;w=60" (none to speak of)',
    )
    parser.add_argument("--latency-ms", type=float, default=0, metavar="MS", help="wait before each answer (0)")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other people (1)")
    parser.add_argument(
        "--names", choices=sorted(NAMES), default="mixed", help="whose are ASCII: some, all or none (mixed)"
    )
    parser.add_argument("--cache-dir", type=Path, metavar="DIR", help="keep the people there for the next time")
    return parser


def serve(make: Callable[..., Sandbox], options: Mapping[str, Any]) -> None:
    """Serve what `make` makes of the options until SIGTERM or SIGINT; then exit with 0."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        sandbox = make(**options)
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"ory_sandbox: {error}")
    with sandbox:
        urls = (sandbox.url, sandbox.public_url, sandbox.oauth2_url, sandbox.permissions_url)
        sys.stdout.write("".join(f"{url}\n" for url in urls))
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    serve(Sandbox, vars(command_line().parse_args()))
