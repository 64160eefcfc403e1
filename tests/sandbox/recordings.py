"""What real servers answered: ``tests/recordings/VERSION/*.http``, a request line, then the answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1] / "recordings"

# The version that each manner of the sandbox is held against, and where its two ports were.
MANNERS = {
    "v1.0": ("v1.0.0", 15434, 15433),
    "v1.3": ("v1.3.1", 14434, 14433),
    "network": ("v26.2.0", 16434, 16433),
}


@dataclass(frozen=True)
class Recording:
    method: str
    target: str
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes


def names(manner: str) -> list[str]:
    return sorted(path.stem for path in (_ROOT / MANNERS[manner][0]).glob("*.http"))


def load(manner: str, name: str, admin_url: str, public_url: str) -> Recording:
    """A recording, as if the server had been at these URLs."""
    version, admin_port, public_port = MANNERS[manner]
    text = (_ROOT / version / f"{name}.http").read_text()
    text = text.replace(f"http://127.0.0.1:{admin_port}/", admin_url)
    text = text.replace(f"http://127.0.0.1:{public_port}/", public_url)
    request, head, body = text.split("\n\n", 2)
    method, target = request.split(" ")
    status_line, *lines = head.split("\n")
    _, status, reason = status_line.split(" ", 2)
    headers = [(key, value.strip()) for key, _, value in (line.partition(":") for line in lines)]
    return Recording(method, target, int(status), reason, headers, body.encode())


def identities(manner: str) -> list[dict[str, Any]]:
    """All recorded identities, with their credentials where the server told them; without schema URLs."""
    name = "list-all" if manner == "v1.0" else "list-credentials-metadata"
    rows: list[dict[str, Any]] = json.loads(load(manner, name, "", "").body)
    return [{key: value for key, value in row.items() if key != "schema_url"} for row in rows]


def schemas(manner: str) -> list[tuple[str, dict[str, Any]]]:
    found = json.loads(load(manner, "schemas", "", "").body)
    return [(each["id"], each["schema"]) for each in found]
