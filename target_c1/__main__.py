"""The command `target-c1`: runs the target and says in one line what went wrong."""

from __future__ import annotations

import gc
import logging
import os
import sys

from command_basics.log_format import settle_log_format
from command_basics.log_level import settle_log_level
from command_basics.places import place_of
from target_c1.errors import SettingsError, TargetC1Error

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
        _logger.error("Nothing is published: %s at %s", type(error).__name__, place_of(error))  # noqa: TRY400
        _logger.debug("The error in full", exc_info=True)
    sys.exit(1)


def _run() -> None:
    try:
        from target_c1.settings import PREFIX  # noqa: PLC0415

        settle_log_format(os.environ, PREFIX, SettingsError)
        from target_c1.target import TargetC1  # noqa: PLC0415 - needs the extra, which may be missing
    except ModuleNotFoundError as error:
        msg = f"target-c1 needs {error.name}: pip install 'tap-ory[c1]'."
        raise TargetC1Error(msg) from error
    settle_log_level(os.environ, PREFIX, SettingsError)
    try:
        command = TargetC1.cli
    except Exception as error:
        # All that can fail there is the logging that a file asks for.
        msg = f"Setting SINGER_SDK_LOG_CONFIG: logging cannot be set up as that file says ({type(error).__name__})."
        raise SettingsError(msg) from error
    # In the place of what the SDK has set up.
    settle_log_format(os.environ, PREFIX, SettingsError)
    command()


if __name__ == "__main__":
    main()
