"""`tap-ory --check`: what "Connected" is to users of a hosted connector. One or two cheap requests a server."""

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
from ory_reader.resources.list_read import first_page

if TYPE_CHECKING:
    from ory_reader.http.client import OryClient
    from ory_reader.resources.resource import Resource


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
    return ", ".join([*parts, *_about(api, IDENTITIES, total_count(answer.headers), VERSION_PATH)])


def check_list(api: OryClient, resource: Resource) -> str:
    """Return one line of another server, by one of its lists: which it is and where, its version, number of rows.

    Raises:
        TapOryError: with the sentence that says what is wrong.
    """
    total = first_page(api, resource).total
    place = f"Connected to {resource.service.title} at {api.settings.base_url}"
    return ", ".join([place, *_about(api, resource, total, "/version")])


def _about(api: OryClient, resource: Resource, total: int | None, version_path: str) -> list[str]:
    version = _server_version(api, version_path)
    limits = api.rate_limiter.limit_header
    return [
        *([f"server version {version}"] if version else []),
        f"number of {resource.rows} not told" if total is None else f"{total:,} {resource.rows}",
        f"rate limits {limits}" if limits else "no rate limits seen",
    ]


def _server_version(api: OryClient, path: str) -> str | None:
    """Self-hosted servers tell their version on the admin port; elsewhere its absence means nothing."""
    try:
        version = json.loads(api.get(path, retry=False).body).get("version")
    except (TapOryError, ValueError, AttributeError):
        return None
    return version if isinstance(version, str) and re.fullmatch(r"[\w.+-]{1,40}", version, re.ASCII) else None
