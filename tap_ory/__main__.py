"""The command `tap-ory`, also `python -m tap_ory`. Turns every error into one line and an exit code."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

import click

from command_basics import telemetry
from command_basics.exits import leave_closed_pipe, unforeseen, unwritable
from command_basics.log_format import settle_log_format
from command_basics.log_level import settle_log_level
from command_basics.startup import no_search_for_cycles
from command_basics.stdout import buffer_output
from ory_reader.errors import SettingsError, TapOryError

if TYPE_CHECKING:
    from tap_ory.tap import TapOry

logger = logging.getLogger("tap-ory")


def main() -> None:
    """Run the command line; never returns."""
    # The import is the greater part of a short run, so an error in it is none of ours to explain.
    with no_search_for_cycles():
        from ory_reader.config.environment import ENV_PREFIX  # noqa: PLC0415
        from tap_ory.tap import TapOry  # noqa: PLC0415

    buffer_output()
    try:
        settle_log_format(os.environ, ENV_PREFIX, SettingsError)
        settle_log_level(os.environ, ENV_PREFIX, SettingsError)
        command = _set_up(TapOry)
        # In the place of what the SDK has set up.
        settle_log_format(os.environ, ENV_PREFIX, SettingsError)
        telemetry.set_up("tap-ory", os.environ)
        # Not by click's `main`, to which a closed pipe is an exit code of 1, as every other failure.
        with command.make_context("tap-ory", sys.argv[1:]) as context:
            command.invoke(context)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except TapOryError as error:
        _fail(str(error), error)
    except BrokenPipeError:
        leave_closed_pipe()
    except OSError as error:
        if error.errno == errno.EPIPE:
            leave_closed_pipe()
        _fail(unwritable(error), error)
    except Exception as error:  # noqa: BLE001 - the last line of defence: one line, no traceback
        _fail(unforeseen(error, "tap-ory"), error)


def _set_up(tap: type[TapOry]) -> click.Command:
    """Set up logging as the SDK does, and make sure that there is an output."""
    try:
        command: click.Command = tap.cli
    except Exception as error:
        # All that can fail there is the logging that a file asks for.
        msg = f"Setting SINGER_SDK_LOG_CONFIG: logging cannot be set up as that file says ({type(error).__name__})."
        raise SettingsError(msg) from error
    if sys.stdout is None:
        msg = "tap-ory writes to standard output, which is closed: leave it open, or send it to a file."
        raise SettingsError(msg)
    return command


def _fail(message: str, error: Exception) -> None:
    debugging = logger.isEnabledFor(logging.DEBUG)
    logger.error("%s", message, exc_info=error if debugging else None)
    sys.exit(1)


if __name__ == "__main__":
    main()
