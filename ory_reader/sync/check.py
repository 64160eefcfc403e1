"""`tap-ory --check`: what "Connected" is to users of a hosted connector. One or two cheap requests."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ory_reader.errors import TapOryError
from ory_reader.http.client import VERSION_PATH
from ory_reader.pagination.links import total_count
from ory_reader.pagination.page import row_ids
from ory_reader.pagination.paginators import OFFSET
from ory_reader.resources.identities import IDENTITIES

if TYPE_CHECKING:
    from ory_reader.http.client import OryClient


def check(api: OryClient) -> str:
    """Return one line: host, project slug, server version, number of identities, rate limits.

    Raises:
        TapOryError: with the sentence that says what is wrong.
    """
    answer = api.get(IDENTITIES.path, OFFSET.numbered(0, 1))
    row_ids(answer.body)
    parts = [f"Connected to {api.settings.base_url}"]
    if api.settings.project_slug:
        parts.append(f"project {api.settings.project_slug}")
    if version := _server_version(api):
        parts.append(f"server version {version}")
    total = total_count(answer.headers)
    parts.append("number of identities not told" if total is None else f"{total:,} identities")
    parts.append(
        f"rate limits {api.rate_limiter.limit_header}" if api.rate_limiter.limit_header else "no rate limits seen"
    )
    return ", ".join(parts)


def _server_version(api: OryClient) -> str | None:
    """Kratos tells its version on the admin port; elsewhere its absence means nothing."""
    try:
        version = json.loads(api.get(VERSION_PATH, retry=False).body).get("version")
    except (TapOryError, ValueError, AttributeError):
        return None
    return version if isinstance(version, str) and re.fullmatch(r"[\w.+-]{1,40}", version, re.ASCII) else None
