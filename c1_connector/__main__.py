"""The command `ory-connector`: starts, if what its extra installs is there."""

from __future__ import annotations

import sys
from importlib.util import find_spec

#: What a single sync does not load, and the extra brings.
LATER = "grpc"


def main() -> None:
    """Do what the command line says; never returns."""
    if find_spec(LATER) is None:
        sys.exit(_missing(LATER))
    try:
        from c1_connector.command import run  # noqa: PLC0415 - needs the extra, which may be missing

        run()
    except ModuleNotFoundError as error:
        sys.exit(_missing(error.name))


def _missing(name: str | None) -> str:
    return f"ory-connector needs {name}: pip install 'tap-ory[connector]'."


if __name__ == "__main__":
    main()
