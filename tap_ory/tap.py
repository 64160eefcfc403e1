"""TapOry: the settings, the list of streams, and the few places where the command line leaves the SDK's."""

from __future__ import annotations

import json
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import click
from singer_sdk import Tap
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.plugin_base import JSONSchemaValidator

from command_basics.reader import unknown_settings
from command_basics.signals import Termination
from ory_reader.config.declaration import CONFIG_SCHEMA
from ory_reader.config.environment import READER
from ory_reader.config.settings import Settings, read
from ory_reader.errors import SettingsError
from ory_reader.project import Project
from ory_reader.streams import STREAMS
from ory_reader.sync import states
from ory_reader.sync.fingerprint import REVISION, deciding
from tap_ory import chosen, files
from tap_ory.block_writer import BlockWriter
from tap_ory.catalogs import check_catalog
from tap_ory.mapping import Mapper
from tap_ory.replication import methods_in_metadata
from tap_ory.sdk_settings import sdk_settings
from tap_ory.stream import OryStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import FrameType

    from singer_sdk import Stream
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.plugin_base import _ConfigInput

    from ory_reader.streams import Stream as Definition


#: The streams of a run that names none, and of one with a catalog, whatever it lists.
USUAL = ("identities", "users")


class TapOry(Tap):
    """Singer tap for the identities of one Ory project (Ory Network or self-hosted Ory Kratos)."""

    name = "tap-ory"
    config_jsonschema: ClassVar[dict[str, Any]] = {
        **CONFIG_SCHEMA,
        "properties": {**CONFIG_SCHEMA["properties"], **sdk_settings()},
    }
    message_writer_class = BlockWriter
    #: Not BATCH: the SDK's batches ignore deselection, so a deselected field would leave the tap.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        capability for capability in Tap.capabilities if capability is not PluginCapabilities.BATCH
    ]

    #: Whether all streams are asked for, and not only those that a run may read.
    _discovers = False

    def __init__(self, *, catalog: Any = None, **given: Any) -> None:
        """Note what the SDK does not read of a catalog; for the rest see there."""
        self.methods_in_metadata = methods_in_metadata(catalog)
        super().__init__(catalog=catalog, **given)

    @cached_property
    def settings(self) -> Settings:
        """The validated settings.

        Raises:
            SettingsError: if a value cannot be right.
        """
        return Settings.from_config(self.config, self.get_plugin_version())

    @cached_property
    def project(self) -> Project:
        """The project that is read, shared by all streams."""
        return Project(self.settings)

    def check(self) -> None:
        """Make sure, before a SCHEMA goes out, that all that is selected can be read as it must be.

        Raises:
            TapOryError: if something is missing for that, as identity schemas or the address of a server.
        """
        for stream in self.ory_streams:
            if stream.selected:
                stream.check()

    @property
    def catalog_json_text(self) -> str:
        """The catalog as `--discover` prints it, by the same rule as a read of what it selects."""
        self._discovers = True
        if self.config.get("base_url"):
            self.check()
        return super().catalog_json_text

    def fingerprint(self) -> list[Any]:
        """All that decides which records of any stream there are and what they look like: programs and settings."""
        # The SDK maps and flattens.
        programs = [REVISION, self.get_plugin_version(), self.get_sdk_version()]
        return [*programs, deciding(self.config, self.config_jsonschema["properties"])]

    def discover_streams(self) -> list[Stream]:
        """Return the streams; their schemas are read from the project when first asked for."""
        names = chosen.chosen_streams()
        streams: list[Stream] = [OryStream(self, definition) for definition in self._definitions(names)]
        if names is not None:
            for stream in streams:
                stream.selected_by_default = stream.name in names
        return streams

    def _definitions(self, names: set[str] | None) -> Iterable[Definition]:
        """What a discovery lists; of a run those that it may read, as each costs its start something."""
        if self._discovers:
            from ory_reader.availability import available_streams  # noqa: PLC0415 - a run has no use for it

            return available_streams(self.project) if self.config.get("base_url") else STREAMS.values()
        if self.input_catalog is not None:
            names = {*self.input_catalog}.union(USUAL)
        return [STREAMS[name] for name in STREAMS if name in (names or USUAL)]

    @property
    def ory_streams(self) -> list[OryStream]:
        """The streams in their order, which one read may serve together."""
        return [stream for stream in self.streams.values() if isinstance(stream, OryStream)]

    def setup_mapper(self) -> None:
        """Make the maps of the streams, whose fields depend on what a catalog asks for."""
        _ = self.streams
        self.mapper = Mapper(self.config, self.logger, list(STREAMS))
        self.mapper.register_raw_streams_from_catalog(self.catalog)

    # The environment

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805
        """What the environment says, C1's own names included; a value of the wrong type is one line."""
        parse_environment_config({}, "")  # which adds what a .env file says to the environment
        cls.append_builtin_config(cls.config_jsonschema)
        for warning in READER.unknown_variables(os.environ, cls.config_jsonschema):
            cls.logger.warning("%s", warning)
        return READER.from_environment(os.environ, cls.config_jsonschema)

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> _ConfigInput:
        """Read the configuration files; with none given, the environment."""
        for name in value:
            if name != "ENV":
                files.check_file("--config", name)
        return super().cb_config(ctx, param, value or ("ENV",))

    # Validation

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check types and bounds.

        Raises:
            SettingsError: with all that is wrong, in one line.
        """
        self.append_builtin_config(self.config_jsonschema)
        self._config, errors = read(self._config, self.config_jsonschema, JSONSchemaValidator)
        if raise_errors:
            if errors:
                raise SettingsError(" ".join(errors))
            _ = self.settings
            for warning in unknown_settings(self._config, self.config_jsonschema["properties"]):
                self.logger.warning("%s", warning)
        return errors

    def load_state(self, state: dict[str, Any]) -> None:
        """Take the state in, without reads that are over; one of a strange shape is set aside with one line."""
        bookmarks = states.bookmarks_of(state)
        if bookmarks is None:
            self.logger.warning(
                "The state given is set aside, as its shape is not known: it is no Singer state with 'bookmarks', nor "
                "a STATE message or what Meltano prints of one; reading from the start."
            )
        else:
            super().load_state({"bookmarks": states.without_finished(bookmarks)})

    @property
    def bookmarks(self) -> dict[str, dict[str, Any]]:
        """What the state says of each stream."""
        bookmarks: dict[str, dict[str, Any]] = self.state["bookmarks"]
        return bookmarks

    def write_state(self) -> None:
        """Write the state as it is now."""
        self.state_writer.write_state(self.state)

    def conclusion(self, outputs: Sequence[OryStream], reason: str | None) -> str:
        """Whether targets were told to remove what no longer exists, and if not, why."""
        told = [stream.name for stream in outputs if stream.is_versioned]
        if reason is None and told:
            return f"the version of {' and '.join(told)} was activated"
        if reason is None and outputs[0].emit_activate_version_messages:
            reason = "only changes were asked for"
        return f"no version was activated, as {reason or 'emit_activate_version_messages is off'}"

    # Ending

    @cached_property
    def termination(self) -> Termination:
        """What signals do: the read finishes its block and writes its state first."""
        return Termination()

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """End with 128 + signal: a read that was cut must not look like a success."""
        self.termination.receive(signum)

    # The command line

    @classmethod
    def invoke(cls, **options: Any) -> None:
        """Run, with the files given if they are what they should be."""
        if state := options.get("state"):
            options["state"] = files.checked("--state", state)
        if given := options.get("catalog"):
            catalog = chosen.choose_in_catalog(files.checked("--catalog", given))
            check_catalog(given.name, json.load(catalog), list(STREAMS))
            catalog.seek(0)
            options["catalog"] = catalog
        super().invoke(**options)

    @classmethod
    def cb_select(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> None:  # noqa: ARG003
        """Choose streams, before anything is made."""
        chosen.remember(value, list(STREAMS))

    @classmethod
    def _asked(cls, ctx: click.Context) -> TapOry:
        given: _ConfigInput = ctx.params["config"]
        return cls(config=given.config, parse_env_config=given.parse_env, setup_mapper=False)

    @classmethod
    def cb_check(cls, ctx: click.Context, param: click.Option, value: bool) -> None:  # noqa: ARG003, FBT001
        """Check the connection and end."""
        if value:
            from ory_reader.availability import check_services  # noqa: PLC0415 - likewise

            lines, right = check_services(cls._asked(ctx).project)
            click.echo("\n".join(lines))
            ctx.exit(0 if right else 1)

    @classmethod
    def cb_explain_users(cls, ctx: click.Context, param: click.Option, value: bool) -> None:  # noqa: ARG003, FBT001
        """Print which trait becomes which field of a user and end."""
        if value:
            from ory_reader.users.decoder import user_mappings_of  # noqa: PLC0415
            from ory_reader.users.explain import table  # noqa: PLC0415 - likewise
            from ory_reader.users.factors import explanation  # noqa: PLC0415

            tap = cls._asked(ctx)
            tap.project.schemas.settle(needed=True, known=False)
            click.echo(
                "\n".join([table(user_mappings_of(tap.project.trait_shapes, tap.settings)), *explanation(tap.settings)])
            )
            ctx.exit()

    @classmethod
    def cb_explain_access(cls, ctx: click.Context, param: click.Option, value: bool) -> None:  # noqa: ARG003, FBT001
        """Print what becomes a resource, entitlement or grant and end."""
        if value:
            from ory_reader.streams.access_read import explain_access  # noqa: PLC0415 - likewise

            click.echo("\n".join(explain_access(cls._asked(ctx).project, STREAMS)))
            ctx.exit()

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """Add the choice of streams, and what ends after an answer, to the SDK's command."""
        command = super().get_singer_command()
        command.params.append(
            click.Option(
                [chosen.OPTION],
                multiple=True,
                metavar="STREAM",
                is_eager=True,
                expose_value=False,
                callback=cls.cb_select,
                help="Read this stream and no other, whatever a catalog selects; several with commas, or repeated.",
            )
        )
        for name, callback, text in (
            (
                "--check",
                cls.cb_check,
                "Check the connection: a line a server with host, version, rows and rate limits.",
            ),
            ("--explain-users", cls.cb_explain_users, "Show which trait becomes which field of users, per schema."),
            (
                "--explain-access",
                cls.cb_explain_access,
                "Read all that access is made of, and show what becomes what, with counts.",
            ),
        ):
            command.params.append(click.Option([name], is_flag=True, help=text, callback=callback, expose_value=False))
        return command
