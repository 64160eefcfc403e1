"""The command `target-c1`: runs the target and says in one line what went wrong."""

from __future__ import annotations

import gc
import logging
import sys
import traceback

from target_c1.errors import TargetC1Error

_logger = logging.getLogger("target-c1")


def main() -> None:
    """Run; the exit code is 0 only if a file was published, or what else was asked for is done."""
    # A record is a tree and gone with its last reference: searching for cycles between records is lost time.
    gc.disable()
    try:
        _run()
    except TargetC1Error as error:
        _logger.error("%s", error)  # noqa: TRY400 - a line for the user, no traceback
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _logger.error("Nothing is published: %s%s", error.strerror or error, where)  # noqa: TRY400
    except Exception as error:
        # Its text may hold a person's data: only its kind and place are shown.
        place = traceback.extract_tb(error.__traceback__)[-1]
        _logger.error("Nothing is published: %s at %s:%s", type(error).__name__, place.filename, place.lineno)  # noqa: TRY400
        _logger.debug("The error in full", exc_info=True)
    sys.exit(1)


def _run() -> None:
    try:
        from target_c1.target import TargetC1  # noqa: PLC0415 - needs the extra, which may be missing
    except ModuleNotFoundError as error:
        msg = f"target-c1 needs {error.name}: pip install 'tap-ory[c1]'."
        raise TargetC1Error(msg) from error
    TargetC1.cli()


if __name__ == "__main__":
    main()
