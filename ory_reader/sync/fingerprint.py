"""What decides which records there are and what they look like: a read is gone on with only where all of it is equal.

Knows the settings by name only; the streams say themselves what else they are made of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ory_reader.config.declaration import UNREACHING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: To be raised where a record changes in what no release does: between two releases, in a checkout.
REVISION = 3


def deciding(config: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that can reach a record, with defaults in their place.

    `declared` are the properties of the settings' JSON Schema. What is declared secret opens doors, as the key
    does; a state does not keep as much as a hash of it.
    """
    defaults = {name: definition.get("default") for name, definition in declared.items()}
    given = {name: value for name, value in config.items() if value is not None}
    secret = {name for name, definition in declared.items() if definition.get("secret")}
    return {name: value for name, value in {**defaults, **given}.items() if name not in UNREACHING | secret}
