"""The settings: names, defaults and what makes them right. Knows nothing of Singer messages or files' contents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from command_basics import log_format, log_level
from command_basics.declared import schema_of, setting, values_in
from command_basics.reader import Reader
from target_c1.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "TARGET_C1_"
READER = Reader(prefix=PREFIX, error=SettingsError, foreign={PREFIX: (log_level.SUFFIX, log_format.SUFFIX)})
FORMATS = ("c1z", "csv", "json")
#: Characters, each of four bytes at most: C1 takes 1,024 bytes of a name and 2,048 of a description.
_MAX_DISPLAY_NAME = 256
_MAX_APP_NAME = 500


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings, declared once; of one made by `from_config`, all are right."""

    path: str = setting(
        "Path",
        "The file to publish: a local path, s3://bucket/key, az://container/blob or abfs://container/blob. "
        "Credentials come from where s3fs and adlfs look for them, for example AWS_* and AZURE_STORAGE_*.",
        required=True,
    )
    format: str = setting(
        "Format",
        "c1z (C1's own), csv (C1's File connector) or json (C1's baton-file). Default: by the path's suffix, c1z "
        "if it has none of these.",
        schema={"enum": list(FORMATS)},
    )
    stream: str | None = setting(
        "Stream",
        "The stream that holds the users. Default: users, or the poorer identities where it is absent.",
    )
    mapping: dict[str, Any] | None = setting(
        "Mapping",
        "C1's user fields and where they are in a record: JSON pointers, texts with pointers in braces, or lists "
        "of them. Laid over the ready-made mapping of users or identities; needed for any other stream.",
        schema={"additionalProperties": True},
    )
    app_name: str | None = setting(
        "App name",
        "The application whose users these are, for the description of the resource type in a .c1z.",
        schema={"maxLength": _MAX_APP_NAME},
    )
    display_name: str = setting(
        "Display name",
        "What C1 calls the resource type of the users in a .c1z.",
        default="User",
        schema={"maxLength": _MAX_DISPLAY_NAME},
    )
    require_activate_version: bool = setting(
        "Require ACTIVATE_VERSION",
        "Publish only if the tap said, after the last record, that the read is complete. Set to false for taps "
        "that never do; then a tap that fails cannot always be told from one that ended.",
        default=True,
    )
    min_users: int = setting(
        "Minimum of users",
        "Refuse to publish fewer users than this.",
        default=1,
        schema={"minimum": 0},
    )
    max_drop_percent: int = setting(
        "Maximum drop in percent",
        "Refuse to publish if more than this share of the previous file's users is missing: C1 takes a missing "
        "user for a removed one. 100 compares nothing.",
        default=30,
        schema={"minimum": 0, "maximum": 100},
    )
    force: bool = setting(
        "Force",
        "Publish this once in spite of min_users and max_drop_percent. Also the option --force.",
        default=False,
    )

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
        raw = cls(**values_in(cls, config))
        # A mapping is for one stream; without a name it is the one this target is made for.
        stream = raw.stream or ("users" if raw.mapping else None)
        return replace(
            raw, path=path, format=raw.format or _format_of(path), stream=stream, mapping=raw.mapping or None
        )


CONFIG_SCHEMA = schema_of(Settings)


def _format_of(path: str) -> str:
    suffix = PurePosixPath(path).suffix.lower().lstrip(".")
    if suffix and suffix not in FORMATS:
        msg = f"Setting path ends in {'.' + suffix!r}, which is none of {', '.join(FORMATS)}: set format as well."
        raise SettingsError(msg)
    return suffix or "c1z"
