"""The tap's own names among environment variables: its prefix, C1's names for the same settings, its log level."""

from __future__ import annotations

from command_basics import baton, log_format, log_level
from command_basics.reader import Reader
from ory_reader.errors import SettingsError

ENV_PREFIX = "TAP_ORY_"
READER = Reader(
    prefix=ENV_PREFIX,
    error=SettingsError,
    aliases={
        "BATON_BASE_URL": "base_url",
        "BATON_API_TOKEN": "api_token",
        "BATON_PROJECT_SLUG": "project_slug",
    },
    foreign={ENV_PREFIX: (log_level.SUFFIX, log_format.SUFFIX), baton.PREFIX: baton.NAMES | baton.CONNECTOR_NAMES},
)
