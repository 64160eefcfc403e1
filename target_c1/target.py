"""target-c1: from Singer messages to a published file, on the SDK's target.

The SDK does the command line, the settings and the loop over lines; records do not go through its sinks, for those
keep records in memory, check each against its schema and are drained before the end of the input.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import click
from singer_sdk import Target
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.plugin_base import JSONSchemaValidator

from command_basics.reader import unknown_settings
from command_basics.values import is_unset
from command_basics.violations import explain_violation
from target_c1.blocks import Blocks
from target_c1.errors import InputError, PublishError, SettingsError
from target_c1.inspection import inspect_file
from target_c1.lines import LineReader
from target_c1.losses import warn_of_losses
from target_c1.run import Run, open_run
from target_c1.settings import CONFIG_SCHEMA, PREFIX, READER, Settings
from target_c1.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from target_c1.c1z import Stamp

_logger = logging.getLogger("target-c1")


class TargetC1(Target):
    """Writes the users of any Singer tap as a file that C1 (ConductorOne) imports: .c1z, CSV or baton-file JSON."""

    name = "target-c1"
    package_name = "tap-ory"
    config_jsonschema = CONFIG_SCHEMA
    capabilities: ClassVar = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    message_reader_class = LineReader
    message_reader: LineReader
    _run: Run

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add none of the SDK's settings: they are about sinks, batches and stream maps."""

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805
        """What the environment says; a value of the wrong type is one line."""
        parse_environment_config({}, "")  # which adds what a .env file says to the environment
        for warning in READER.unknown_variables(os.environ, CONFIG_SCHEMA):
            _logger.warning("%s", warning)
        return READER.from_environment(os.environ, CONFIG_SCHEMA)

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the configuration files; with none given, the environment.

        Raises:
            SettingsError: if one is no JSON.
        """
        try:
            return super().cb_config(ctx, param, value or ("ENV",))
        except ValueError as error:
            msg = f"A configuration file is no JSON: {error}."
            raise SettingsError(msg) from error

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """Return the SDK's command with `--inspect` and `--force`, and `--input` read as bytes."""
        command = super().get_singer_command()
        for parameter in command.params:
            if parameter.name == "file_input":
                parameter.type = click.File("rb")
        command.params += [
            click.Option(["--inspect"], metavar="FILE", help="Print what is in a .c1z, check it, and end."),
            click.Option(
                ["--force"],
                is_flag=True,
                help="Publish this once in spite of min_users and max_drop_percent.",
            ),
        ]
        return command

    @classmethod
    def invoke(  # type: ignore[override] # noqa: PLR0913 - the command's options, by name
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        file_input: Any = None,
        inspect: str | None = None,
        force: bool = False,
    ) -> None:
        """Do what the command line says; `file_input` is a binary file, standard input if None."""
        if inspect is not None:
            sys.exit(0 if inspect_file(inspect, click.echo) else 1)
        if about:
            super().invoke(about=about, about_format=about_format)
        given = {**config.config, **(cls._env_var_config if config.parse_env else {})}
        target = cls(config={**given, "force": True} if force else given)
        with target.opened():
            target.listen(file_input)

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check types and bounds.

        Raises:
            SettingsError: with all that is wrong, in one line.
        """
        empty = {name for name, value in self._config.items() if is_unset(value)}
        self._config = READER.from_mapping(self._config, CONFIG_SCHEMA)
        violations = JSONSchemaValidator(CONFIG_SCHEMA).iter_errors(self._config)
        errors = [explain_violation(each, PREFIX, self.name, empty) for each in violations]
        if raise_errors:
            if errors:
                raise SettingsError(" ".join(errors))
            for warning in unknown_settings(self._config, CONFIG_SCHEMA["properties"]):
                _logger.warning("%s", warning)
        return errors

    @contextmanager
    def opened(self, stamp: Stamp | None = None) -> Iterator[None]:
        """Hold what one run needs; `stamp` gives its ids and times."""
        with open_run(Settings.from_config(self.config), stamp) as run:
            self._run, self._snapshot, self._blocks = run, Snapshot(run), Blocks(run.maker)
            self._blocks.accept, self._blocks.redo = self._snapshot.take_rows, self._take_one_by_one
            self.message_reader.blocks = self._blocks
            yield

    def process_endofpipe(self) -> None:
        """Publish, if the read is complete and not too many users are missing; then pass the last state on."""
        self._snapshot.finish()
        if warning := warn_of_losses(self._snapshot.stream, self._run.settings.mapping):
            _logger.warning(warning)
        self._run.publish(self._snapshot.tally, self.message_reader.repairs)
        if self._snapshot.state is not None:
            _pass_on(self._snapshot.state)

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        self._blocks.end()
        self._snapshot.take_schema(self._stream_of(message_dict))

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        line = self.message_reader.line
        try:
            self._snapshot.take_record(message_dict)
        except RecursionError:
            self._snapshot.take_record(self.message_reader.shallow_message())
        self._snapshot.take_repairs(message_dict["stream"], self.message_reader.take_line_repairs())
        if message_dict["stream"] == self._snapshot.stream:
            self._blocks.begin(line, message_dict["stream"], message_dict.get("version"))

    def _take_one_by_one(self, number: int, lines: list[bytes]) -> None:
        for message in self.message_reader.read_again(number, lines):
            self._process_record_message(message)

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self._snapshot.take_state(message_dict.get("value"))

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        self._snapshot.take_activate_version(self._stream_of(message_dict), message_dict.get("version"))

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        msg = f"Stream {self._stream_of(message_dict)!r} comes as BATCH files: take batch_config away from the tap."
        raise InputError(msg)

    def _stream_of(self, message: dict[str, Any]) -> str:
        stream = message.get("stream")
        if type(stream) is not str:
            msg = f"Line {self.message_reader.number} of the input names no stream."
            raise InputError(msg)
        return stream

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """End without publishing; the SDK's way would call it a success."""
        is_published = hasattr(self, "_run") and self._run.is_published
        outcome = "the new file is published" if is_published else "nothing is published"
        _logger.error("Stopped by signal %d: %s", signum, outcome)
        sys.exit(128 + signum)


def _pass_on(state: Any) -> None:
    """Write the state to standard output.

    Raises:
        PublishError: if nobody takes it; the file is published by then.
    """
    try:
        if sys.stdout is None:
            raise BrokenPipeError(errno.EPIPE, "standard output is closed")
        sys.stdout.write(f"{json.dumps(state)}\n")
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer would fail once more when Python ends.
        sys.stdout = None
        msg = f"The file is published, but its state could not be passed on: {error.strerror or error}."
        raise PublishError(msg) from error
