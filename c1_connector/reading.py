"""The read itself: the tap's users go straight into the target, which publishes the file only if they are all.

`python -m c1_connector.reading` is a process of its own, so that a read that C1 does not want any more can be ended
at any moment, whatever it waits for, and leaves nothing behind. Its settings are in the environment, and the line on
stdin is its scope as JSON; it ends with exit code 0 if the file is there, else its last line on stdout is a sentence in
JSON.
"""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, Any, cast

import msgspec
from singer_sdk.singerlib import StateMessage

from c1_connector import logs
from command_basics.exits import unforeseen
from command_basics.log_level import settle_log_level
from ory_reader.config.environment import ENV_PREFIX
from ory_reader.errors import SettingsError, TapOryError
from tap_ory.block_writer import BlockWriter
from tap_ory.tap import TapOry
from target_c1.errors import TargetC1Error
from target_c1.scope import Scope
from target_c1.settings import PREFIX
from target_c1.target import TargetC1

if TYPE_CHECKING:
    from typing import NoReturn

    from c1_connector.logs import Secrets

STREAM = "users"


class Feed(BlockWriter):
    """Where the tap writes: lines go to the target, in the same thread."""

    def __init__(self, target: TargetC1) -> None:
        """Feed `target`."""
        super().__init__()
        self._target = target

    def write_block(self, block: bytes) -> None:
        """Hand over whole lines; what the target raises ends the read."""
        self._target.process_lines(cast("Any", io.BytesIO(block)))

    def write_message(self, message: Any) -> None:
        """Hand over a message; a state has nobody to keep it, as each read is a whole one."""
        if not isinstance(message, StateMessage):
            self.write_block(f"{self.format_message(message)}\n".encode())


def write_users(secrets: Secrets | None = None, scope: Scope | None = None) -> None:
    """Read all users and publish the file of those in `scope` (of all), as the environment says.

    The tap's secret settings are added to `secrets`.

    Raises:
        TapOryError: if they could not be read whole.
        TargetC1Error: if they could not be written, or too many are missing. Nothing is published then.
    """
    set_log_level()
    # The tap is made last, for its way to take a signal: between two blocks.
    target = TargetC1(parse_env_config=True)
    tap = TapOry(parse_env_config=True, message_writer=Feed(target))
    if secrets:
        _hide_settings(tap, secrets)
    for stream in tap.streams.values():
        stream.selected = stream.name == STREAM
    with target.opened(scope=scope):
        tap.sync_all()
        target.process_endofpipe()


def _hide_settings(tap: TapOry, secrets: Secrets) -> None:
    for name, setting in tap.config_jsonschema["properties"].items():
        value = tap.config.get(name) if setting.get("secret") else None
        for each in value.values() if isinstance(value, dict) else (value,):
            if each:
                secrets.add(str(each), lasting=True)


def set_log_level() -> None:
    """Let the tap say as much as the environment asks for.

    Raises:
        TapOryError: if it asks for a level that does not exist.
    """
    logging.getLogger(TapOry.name).setLevel(settle_log_level(os.environ, ENV_PREFIX, SettingsError))
    settle_log_level(os.environ, PREFIX, SettingsError)


def explain(error: Exception) -> str:
    """Return the sentence for what ended a read; TAP_ORY_LOGLEVEL=debug has its traceback logged as well."""
    logging.getLogger(TapOry.name).debug("What has ended the read:", exc_info=error)
    if isinstance(error, (TapOryError, TargetC1Error)):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.strerror or type(error).__name__}: {error.filename or 'no file named'}."
    return unforeseen(error, "ory-connector")


def main() -> NoReturn:
    """Read for the service, whose end is ours: its side of stdin closes with it."""
    secrets = logs.Secrets()
    logs.set_up(os.environ["BATON_LOG_FORMAT"], os.environ["BATON_LOG_LEVEL"], secrets)
    asked = sys.stdin.buffer.readline()
    threading.Thread(target=_end_with_service, name="service", daemon=True).start()
    try:
        write_users(secrets, msgspec.json.decode(asked, type=Scope))
    except Exception as error:  # noqa: BLE001 - whatever it was, the service has to tell C1
        sys.stdout.write(f"{json.dumps(explain(error))}\n")
        sys.stdout.flush()
        sys.exit(1)
    sys.exit(0)


def _end_with_service() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    main()
