"""How a command ends that did not end well: what is said of an error nobody foresaw, and of a closed pipe."""

from __future__ import annotations

import sys

from command_basics.places import place_of
from command_basics.stdout import abandon_output

#: What a shell reports for a program that a closed pipe ended: 128 + SIGPIPE.
CLOSED_PIPE = 141


def unforeseen(error: BaseException, program: str) -> str:
    """Name the kind and place of an error nobody foresaw; its text may hold anything, so it is left out."""
    return (
        f"Unforeseen {type(error).__name__} at {place_of(error)}. This is a fault of {program}: run again with "
        "TAP_ORY_LOGLEVEL=debug and report the traceback."
    )


def unwritable(error: OSError) -> str:
    """Say what could not be read or written; what names no file is our output, as requests have errors of their own."""
    what = error.strerror or type(error).__name__
    return f"{what}: {error.filename}." if error.filename else f"Standard output cannot be written to: {what}."


def leave_closed_pipe() -> None:
    """Whoever read our output has enough (`tap-ory | head`): end without a word."""
    abandon_output()
    sys.exit(CLOSED_PIPE)
