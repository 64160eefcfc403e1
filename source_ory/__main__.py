"""The command `source-ory`: files in, messages on stdout, every error as one TRACE and an exit code."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from command_basics import telemetry
from command_basics.exits import leave_closed_pipe, unforeseen, unwritable
from command_basics.log_level import log_level
from command_basics.signals import Terminated, Termination
from command_basics.startup import no_search_for_cycles
from command_basics.stdout import abandon_output, buffer_output
from command_basics.version import version
from ory_reader.config.environment import ENV_PREFIX
from ory_reader.errors import AccessError, SettingsError, TapOryError, UnavailableError
from source_ory.messages import FailureType, LogHandler, emit, emit_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

logger = logging.getLogger("tap-ory")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Raises:
        SystemExit: unless all went well: 1, or 128 + signal.
    """
    given = _parser().parse_args(arguments)
    if sys.stdout is None:
        sys.exit("source-ory writes to stdout, which is closed: leave it open.")
    buffer_output()
    _log_as_messages()
    # The import is the greater part of a short run.
    with no_search_for_cycles():
        run = _command(given.command)

    try:
        logging.getLogger().setLevel(log_level(os.environ, ENV_PREFIX, SettingsError))
        telemetry.set_up("source-ory", os.environ)
        run(given)
    except BrokenPipeError:
        leave_closed_pipe()
    except TapOryError as error:
        _fail(str(error), _failure_type(error))
    except Terminated as end:
        emit_error(
            f"The read was ended by signal {end.signum}. Run again: it goes on from the state.", "transient_error"
        )
        raise
    except OSError as error:
        _fail(unwritable(error), "system_error")
    except Exception as error:
        # The last line of defence: one line, no traceback.
        logger.debug("Traceback:", exc_info=error)
        _fail(unforeseen(error, "source-ory"), "system_error")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="source-ory", description="The identities of an Ory project, for Airbyte.")
    parser.add_argument("--version", action="version", version=f"source-ory {version()}")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("spec", help="the settings")
    for name, text in (("check", "try the connection"), ("discover", "the streams"), ("read", "the records")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings, as JSON")
    command.add_argument("--catalog", type=Path, required=True, metavar="FILE", help="what to read, as JSON")
    command.add_argument("--state", type=Path, metavar="FILE", help="where an earlier run stopped, as JSON")
    return parser


def _command(name: str) -> Callable[[argparse.Namespace], None]:
    """Return a command, with all that it needs imported: to tell of the settings nothing need be read."""
    if name == "spec":
        from source_ory.spec import specification  # noqa: PLC0415

        return lambda _: emit("SPEC", spec=specification())
    from source_ory import source  # noqa: PLC0415

    def run(given: argparse.Namespace) -> None:
        termination = Termination()
        termination.listen()
        config = _json(given.config, "--config")
        if name == "check":
            source.check(config)
        elif name == "discover":
            source.discover(config)
        else:
            catalog, state = _json(given.catalog, "--catalog"), given.state and _json(given.state, "--state")
            source.read(config, catalog, state, termination)

    return run


def _json(path: Path, option: str) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        msg = f"The file given to {option} cannot be read: {error.strerror}: {path}."
        raise SettingsError(msg) from None
    except (ValueError, RecursionError):
        msg = f"The file given to {option} is no JSON: {path}."
        raise SettingsError(msg) from None


def _log_as_messages() -> None:
    handler = LogHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)


def _failure_type(error: TapOryError) -> FailureType:
    """Whose turn it is: the user's, nobody's as it may pass, or ours and the server's."""
    if isinstance(error, (SettingsError, AccessError)):
        return "config_error"
    return "transient_error" if isinstance(error, UnavailableError) else "system_error"


def _fail(message: str, failure: FailureType) -> None:
    try:
        emit_error(message, failure)
    except BrokenPipeError:
        leave_closed_pipe()
    except OSError:
        # A full disk, where stdout is a file.
        abandon_output()
        sys.stderr.write(f"{message}\n")
    sys.exit(1)


if __name__ == "__main__":
    main()
