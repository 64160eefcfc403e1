"""What a sync of C1 asks for: all users, or some of them, and what the file then calls itself.

As connectors of C1's published SDK (v0.25.0) answer it. Knows the message, nothing of reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1_connector.errors import ConnectorError
from target_c1.scope import PARTIAL, RESOURCES_ONLY, Scope

if TYPE_CHECKING:
    from c1_connector import baton_pb2 as pb

USER = "user"


def wanted(task: pb.SyncFullTask) -> Scope:
    """Return what `task` asks for.

    Raises:
        ConnectorError: if it is nothing that we have: a resource type other than users, or a resource without an id.
    """
    kinds = set(task.sync_resource_type_ids)
    if unknown := sorted(kinds - {USER}):
        msg = f"There is no resource type {unknown[0]!r} here: this connector reads users only."
        raise ConnectorError(msg)
    targets = task.targeted_sync_resources
    if not targets:
        return Scope(RESOURCES_ONLY) if task.skip_entitlements_and_grants else Scope()
    ids = [each.id for each in targets if not kinds or each.id.resource_type in kinds]
    return Scope(PARTIAL, tuple(dict.fromkeys(map(_user, ids))))


def _user(target: pb.ResourceId) -> str:
    if not (target.resource_type and target.resource):
        msg = "A resource is to be synced that has no id."
        raise ConnectorError(msg)
    if target.resource_type != USER:
        msg = f"There is no resource type {target.resource_type!r} here: this connector reads users only."
        raise ConnectorError(msg)
    return target.resource
