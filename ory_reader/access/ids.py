"""The ids of resources, entitlements and grants as C1 joins them: the same input makes the same bytes for ever.

`TYPE:RESOURCE:SLUG` is an entitlement's, `ENTITLEMENT:PRINCIPAL_TYPE:PRINCIPAL` a grant's (baton-sdk). Nothing in a
resource's id is escaped. C1 takes 1,024 bytes at most, so that what is longer than a share of it becomes a digest.
"""

from __future__ import annotations

import hashlib

USER, ORGANIZATION, CLIENT = "user", "organization", "oauth2-client"
#: Bytes of a resource's id, and of a type or slug: five parts and four colons fit into 1,024.
MAX_RESOURCE, MAX_SLUG = 380, 80


def digest(text: str) -> str:
    """Return what stands for a text that cannot be an id, or a part of one."""
    return f"sha256-{hashlib.sha256(text.encode()).hexdigest()}"


def _bounded(text: str, most: int) -> str:
    return text if 0 < len(text.encode()) <= most else digest(text)


def resource_id(name: str) -> str:
    """Return the id of what has this name: the name itself, or a digest of one that is empty or too long."""
    return _bounded(name, MAX_RESOURCE)


def slug(name: str) -> str:
    """Return the name of a relation or namespace as a part that holds no colon, by which ids are told apart."""
    return _bounded(name.replace("%", "%25").replace(":", "%3A"), MAX_SLUG)


def keto_type(namespace: str) -> str:
    """Return the resource type of a namespace's objects."""
    return f"keto-{slug(namespace)}"


def joined(*parts: str) -> str:
    """Return the id that is made of these parts."""
    return ":".join(parts)
