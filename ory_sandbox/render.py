"""An identity as a dict in, the JSON that the server writes out: order of keys, escapes, left-out members.

For identities that a test brings along; ``people`` writes its own by template.
"""

from __future__ import annotations

import base64
import json
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ory_sandbox.store import marked_config

if TYPE_CHECKING:
    from collections.abc import Mapping

# Go's encoder escapes these so that JSON is safe inside HTML.
_HTML = str.maketrans({"&": "\\u0026", "<": "\\u003c", ">": "\\u003e", "\u2028": "\\u2028", "\u2029": "\\u2029"})

_ORDER = (
    "id",
    "external_id",
    "schema_id",
    "schema_url",
    "state",
    "state_changed_at",
    "traits",
    "verifiable_addresses",
    "recovery_addresses",
    "metadata_public",
    "metadata_admin",
    "created_at",
    "updated_at",
    "organization_id",
)
# Kept by the server as the client wrote them; most clients escape what is not ASCII.
_AS_WRITTEN = {"traits", "metadata_public", "metadata_admin"}


def to_json(value: Any, *, ascii_only: bool = False) -> str:
    """Write JSON as Go's encoder does: compact, UTF-8, ``& < >`` escaped."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only).translate(_HTML)


def unpadded(text: str) -> str:
    """Base64url without padding, as in schema URLs and page tokens."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def completed(
    identity: Mapping[str, Any],
    schema_id: str,
    public_url: str,
    *,
    organization_id: bool,
) -> dict[str, Any]:
    """Fill in what a newly created identity has by itself.

    Args:
        identity: Whatever is to differ from an active identity without traits.
        schema_id: The schema of one that names none.
        public_url: Where the schemas are, with its slash at the end.
        organization_id: Whether the server has organizations.
    """
    now = datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
    schema_id = identity.get("schema_id", schema_id)
    whole: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "schema_id": schema_id,
        "schema_url": f"{public_url}schemas/{unpadded(schema_id)}",
        "state": "active",
        "state_changed_at": now,
        "traits": {},
        "metadata_public": None,
        "metadata_admin": None,
        "created_at": now,
        "updated_at": now,
    }
    if organization_id:
        whole["organization_id"] = None
    return whole | dict(identity)


def render(identity: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Write a complete identity.

    Returns:
        The row without credentials, and the ``credentials`` object with marked configs, empty if it has none.
    """
    keys = [key for key in _ORDER if key in identity]
    keys += [key for key in identity if key not in _ORDER and key != "credentials"]
    row = ",".join(f'"{key}":{to_json(identity[key], ascii_only=key in _AS_WRITTEN)}' for key in keys)
    credentials = identity.get("credentials") or {}
    fragment = ",".join(f'"{kind}":{_render_credential(credentials[kind])}' for kind in sorted(credentials))
    return f"{{{row}}}".encode(), f"{{{fragment}}}".encode() if fragment else b""


def _render_credential(credential: Mapping[str, Any]) -> str:
    members = []
    for key in ("type", "identifiers", "config", "version", "created_at", "updated_at"):
        if key not in credential:
            continue
        text = to_json(credential[key])
        members.append(marked_config(credential["type"], text) if key == "config" else f'"{key}":{text},')
    return "{" + "".join(members).rstrip(",") + "}"
