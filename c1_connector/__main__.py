"""The command `ory-connector`: starts, if what its extra installs is there."""

from __future__ import annotations

import sys


def main() -> None:
    """Do what the command line says; never returns."""
    try:
        from c1_connector.command import run  # noqa: PLC0415 - needs the extra, which may be missing

        run()
    except ModuleNotFoundError as error:
        sys.exit(f"ory-connector needs {error.name}: pip install 'tap-ory[connector]'.")


if __name__ == "__main__":
    main()
