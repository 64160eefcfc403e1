"""Which users a file is to hold, and what its sync calls itself. Knows nothing of how they are read."""

from __future__ import annotations

from dataclasses import dataclass

FULL = "full"
#: All users, and neither entitlements nor grants; a later sync brings those.
RESOURCES_ONLY = "resources_only"
#: Some users: who is not in the file is no removed user.
PARTIAL = "partial"
SYNC_TYPES = (FULL, RESOURCES_ONLY, PARTIAL)


@dataclass(frozen=True)
class Scope:
    """One of SYNC_TYPES, and the ids that the file is of; None: of everybody."""

    sync_type: str = FULL
    ids: tuple[str, ...] | None = None
