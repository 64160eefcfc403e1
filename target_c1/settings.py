"""The settings: names, defaults and what makes them right. Knows nothing of Singer messages or files' contents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from command_basics.log_level import SUFFIX
from command_basics.reader import Reader
from target_c1.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "TARGET_C1_"
READER = Reader(prefix=PREFIX, error=SettingsError, foreign={PREFIX: (SUFFIX,)})
FORMATS = ("c1z", "csv", "json")
#: Characters, each of four bytes at most: C1 takes 1,024 bytes of a name and 2,048 of a description.
_MAX_DISPLAY_NAME = 256
_MAX_APP_NAME = 500

CONFIG_SCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "path",
        th.StringType,
        required=True,
        title="Path",
        description=(
            "The file to publish: a local path, s3://bucket/key, az://container/blob or abfs://container/blob. "
            "Credentials come from where s3fs and adlfs look for them, for example AWS_* and AZURE_STORAGE_*."
        ),
    ),
    th.Property(
        "format",
        th.StringType(allowed_values=list(FORMATS)),
        title="Format",
        description=(
            "c1z (C1's own), csv (C1's File connector) or json (C1's baton-file). Default: by the path's suffix, c1z "
            "if it has none of these."
        ),
    ),
    th.Property(
        "stream",
        th.StringType,
        title="Stream",
        description="The stream that holds the users. Default: users, or the poorer identities where it is absent.",
    ),
    th.Property(
        "mapping",
        th.ObjectType(additional_properties=True),
        title="Mapping",
        description=(
            "C1's user fields and where they are in a record: JSON pointers, texts with pointers in braces, or lists "
            "of them. Laid over the ready-made mapping of users or identities; needed for any other stream."
        ),
    ),
    th.Property(
        "app_name",
        th.StringType(max_length=_MAX_APP_NAME),
        title="App name",
        description="The application whose users these are, for the description of the resource type in a .c1z.",
    ),
    th.Property(
        "display_name",
        th.StringType(max_length=_MAX_DISPLAY_NAME),
        default="User",
        title="Display name",
        description="What C1 calls the resource type of the users in a .c1z.",
    ),
    th.Property(
        "require_activate_version",
        th.BooleanType,
        default=True,
        title="Require ACTIVATE_VERSION",
        description=(
            "Publish only if the tap said, after the last record, that the read is complete. Set to false for taps "
            "that never do; then a tap that fails cannot always be told from one that ended."
        ),
    ),
    th.Property(
        "min_users",
        th.IntegerType(minimum=0),
        default=1,
        title="Minimum of users",
        description="Refuse to publish fewer users than this.",
    ),
    th.Property(
        "max_drop_percent",
        th.IntegerType(minimum=0, maximum=100),
        default=30,
        title="Maximum drop in percent",
        description=(
            "Refuse to publish if more than this share of the previous file's users is missing: C1 takes a missing "
            "user for a removed one. 100 compares nothing."
        ),
    ),
    th.Property(
        "force",
        th.BooleanType,
        default=False,
        title="Force",
        description="Publish this once in spite of min_users and max_drop_percent. Also the option --force.",
    ),
).to_dict()


@dataclass(frozen=True)
class Settings:
    """One validated set of settings."""

    path: str
    format: str
    stream: str | None
    mapping: dict[str, Any] | None
    app_name: str | None
    display_name: str
    require_activate_version: bool
    min_users: int
    max_drop_percent: int
    force: bool

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Take `config`, already of the right JSON types and with its defaults.

        Raises:
            SettingsError: in one line, if the path names no file or a suffix that says nothing.
        """
        path = config["path"].strip()
        if not path or path.endswith("/"):
            msg = f"Setting path names no file ({path!r}): end it with a file name such as users.c1z."
            raise SettingsError(msg)
        return cls(
            path=path,
            format=config.get("format") or _format_of(path),
            # A mapping is for one stream; without a name it is the one this target is made for.
            stream=config.get("stream") or ("users" if config.get("mapping") else None),
            mapping=config.get("mapping") or None,
            app_name=config.get("app_name") or None,
            display_name=config.get("display_name") or _default("display_name"),
            require_activate_version=_given_or_default(config, "require_activate_version"),
            min_users=_given_or_default(config, "min_users"),
            max_drop_percent=_given_or_default(config, "max_drop_percent"),
            force=_given_or_default(config, "force"),
        )


def _default(name: str) -> Any:
    return CONFIG_SCHEMA["properties"][name]["default"]


def _given_or_default(config: Mapping[str, Any], name: str) -> Any:
    """Return a setting; one that is given as null has its default."""
    value = config.get(name)
    return _default(name) if value is None else value


def _format_of(path: str) -> str:
    suffix = PurePosixPath(path).suffix.lower().lstrip(".")
    if suffix and suffix not in FORMATS:
        msg = f"Setting path ends in {'.' + suffix!r}, which is none of {', '.join(FORMATS)}: set format as well."
        raise SettingsError(msg)
    return suffix or "c1z"
