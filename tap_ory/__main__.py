"""The command `tap-ory`, also `python -m tap_ory`. Turns every error into one line and an exit code."""

from __future__ import annotations

import errno
import json
import logging
import os
import sys
import traceback
from pathlib import Path

from tap_ory.errors import TapOryError

#: What a shell reports for a program that a closed pipe ended: 128 + SIGPIPE.
CLOSED_PIPE = 141

logger = logging.getLogger("tap-ory")


def main() -> None:
    """Run the command line; never returns."""
    # The import is the greater part of a short run, so an error in it is none of ours to explain.
    from tap_ory.tap import TapOry  # noqa: PLC0415

    try:
        TapOry.cli.main(prog_name="tap-ory", standalone_mode=True)
    except TapOryError as error:
        _fail(str(error), error)
    except BrokenPipeError:
        _leave_pipe()
    except json.JSONDecodeError as error:
        _fail(
            f"A file given to --config, --catalog or --state is no JSON: {error.msg} in line {error.lineno}.",
            error,
        )
    except OSError as error:
        if error.errno == errno.EPIPE:
            _leave_pipe()
        _fail(f"{error.strerror or type(error).__name__}: {error.filename or 'no file named'}.", error)
    except Exception as error:  # noqa: BLE001 - the last line of defence: one line, no traceback
        _fail(_unforeseen(error), error)


def _unforeseen(error: Exception) -> str:
    """Name the kind and place of an error nobody foresaw; its text may hold anything, so it is left out."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    return (
        f"Unforeseen {type(error).__name__} at {place}. This is a fault of tap-ory: run again with "
        "TAP_ORY_LOGLEVEL=debug and report the traceback."
    )


def _fail(message: str, error: Exception) -> None:
    debugging = logger.isEnabledFor(logging.DEBUG)
    logger.error("%s", message, exc_info=error if debugging else None)
    sys.exit(1)


def _leave_pipe() -> None:
    """Whoever read our output has enough (`tap-ory | head`): end without a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(CLOSED_PIPE)


if __name__ == "__main__":
    main()
