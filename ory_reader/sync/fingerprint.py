"""What decides which records there are and what they look like: a read is gone on with only where all of it is equal.

Knows the settings by name only; the streams say themselves what else they are made of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: To be raised where a record changes in what no release does: between two releases, in a checkout.
REVISION = 3

#: The settings that can reach no record. Every other one is part of the fingerprint, and so is a new one, by itself.
UNREACHING = frozenset(
    {
        # Where the people are. The snapshot holds a hash of it apart, to say so in words of its own.
        "base_url",
        # Opens the door. A key that was turned away is what interrupts reads, and another one goes on with them.
        "api_token",
        # How the server is spoken to, and trusted: it answers the same.
        "ca_bundle",
        "client_certificate",
        "client_key",
        "request_timeout",
        "user_agent",
        # Into how many requests the ids are cut, and how many are under way.
        "concurrency",
        "page_size",
        # Whether an old read is gone on with, which is asked beside.
        "resume_within",
    }
)


def deciding(config: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that can reach a record, with defaults in their place.

    `declared` are the properties of the settings' JSON Schema. What is declared secret opens doors, as the key
    does; a state does not keep as much as a hash of it.
    """
    defaults = {name: definition.get("default") for name, definition in declared.items()}
    given = {name: value for name, value in config.items() if value is not None}
    secret = {name for name, definition in declared.items() if definition.get("secret")}
    return {name: value for name, value in {**defaults, **given}.items() if name not in UNREACHING | secret}
