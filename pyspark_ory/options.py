"""What may be said of a read in Spark's options: which stream, how much of it, and the settings of the project.

The options are shown in plans and may be logged, so no secret is one: those come out of the environment, of the driver
and of each worker by itself.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ory_reader import library
from ory_reader.config.declaration import CONFIG_SCHEMA
from ory_reader.config.environment import ENV_PREFIX, READER
from ory_reader.errors import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ory_reader.config.settings import Settings

SECRETS = [name for name, definition in CONFIG_SCHEMA["properties"].items() if definition.get("secret")]
#: Spark's word for what becomes of a row that cannot be read, and ours.
MODES = {"failfast": "raise", "permissive": "row"}


@dataclass(frozen=True)
class Options:
    """Options that were looked at; `settings` are those of the project, without secrets."""

    stream: str
    columns: list[str] | None
    partitions: int | None
    traits: Any
    on_unreadable: Any
    settings: dict[str, str]

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Options:
        """Read what Spark hands on.

        Raises:
            SettingsError: in one line, if one cannot be right; no value of a secret is in it.
        """
        options = {name.lower(): value for name, value in given.items()}
        for name in SECRETS:
            if name in options:
                what = "is an option, and options are shown in plans and logs"
                refuse(name, what, f"set {ENV_PREFIX}{name.upper()} in the environment of the driver and all workers")
        stream = options.pop("path", "identities")
        columns, partitions = options.pop("columns", None), options.pop("partitions", None)
        mode = options.pop("mode", "FAILFAST")
        if mode.lower() not in MODES:
            refuse("mode", f"is {mode!r}", "choose FAILFAST or PERMISSIVE")
        if partitions is not None and not (partitions.isdecimal() and int(partitions)):
            refuse("partitions", f"is {partitions!r}", "give a whole number from 1 on, or leave it out")
        return cls(
            stream=options.pop("stream", stream),
            columns=None if columns is None else [name.strip() for name in columns.split(",")],
            partitions=None if partitions is None else int(partitions),
            traits=options.pop("traits", "json"),
            on_unreadable=MODES[mode.lower()],
            settings=options,
        )

    def project(self, readers: int = 1) -> Settings:
        """Return the settings of the project, with what the environment of this process gives; options win.

        `readers` is how many partitions share the setting `concurrency`.

        Raises:
            SettingsError: in one line, if one is missing or cannot be right.
        """
        found = {**READER.from_environment(os.environ, CONFIG_SCHEMA), **self.settings}
        project = library.settings(**found)
        return replace(project, concurrency=-(-project.concurrency // readers))
