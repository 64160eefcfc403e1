"""Singer tap for the identities of one Ory project (Ory Network or self-hosted Ory Kratos): the command `tap-ory`.

To read them in a notebook or a program of your own, `import ory_reader`: `help(ory_reader)`, docs/library.md.
"""

from typing import Any

__all__ = ["__version__"]

__version__: str


def __getattr__(name: str) -> Any:
    """Look up the version when it is asked for, as no command has to be told it at its start."""
    if name == "__version__":
        from command_basics.version import version  # noqa: PLC0415

        return version()
    msg = f"module {__name__!r} has no attribute {name!r}; what reads from Python is ory_reader"
    raise AttributeError(msg)
