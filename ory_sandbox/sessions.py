"""/admin/sessions: who is signed in where, newest first."""

from __future__ import annotations

import base64
import sys
from bisect import bisect_left
from datetime import datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ory_sandbox import paging
from ory_sandbox.answers import MALFORMED, error, json_answer
from ory_sandbox.http import Response
from ory_sandbox.render import to_json, unpadded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ory_sandbox.http import Request
    from ory_sandbox.server_profiles import Manner
    from ory_sandbox.store import Store

SESSIONS = "/admin/sessions"
_LIMIT = 1000
_FIRST = "id=00000000-0000-0000-0000-000000000000/created_at=2200-12-31 23:59:59"
# Tokens have this resolution, rows a finer one: what lies between is skipped.
_RESOLUTION = 10
_MEMBERS = (
    *("id", "active", "expires_at", "authenticated_at", "authenticator_assurance_level"),
    *("authentication_methods", "issued_at"),
)
# What an identity in a session lacks, by the member that follows.
_LACKING = ((b'"verifiable_addresses":', b'"metadata_public":'), (b'"metadata_admin":', b'"created_at":"'))


class Sessions:
    """Answers for the sessions of one project."""

    def __init__(self, manner: Manner, store: Store, rows: Callable[[], Sequence[Mapping[str, Any]]]) -> None:
        """Answer for the sessions of people in ``store``, which are asked for when first needed."""
        self._manner = manner
        self._store = store
        self._given = rows

    @cached_property
    def _rows(self) -> list[tuple[int, str, Mapping[str, Any]]]:
        """Each with what it is sorted by: its time, in microseconds and backwards, and its id."""
        keyed = [(-_created(row), row["id"], row) for row in self._given()]
        return sorted(keyed, key=lambda each: each[:2])

    def list_page(self, request: Request) -> Response:
        """One page of sessions."""
        text = paging.first_value(request, "page_size")
        size = paging.go_integer(text) if text else paging.DEFAULT_SIZE
        active = paging.first_value(request, "active")
        if size is None or active not in {"", "true", "false"}:
            return self._refused(f"could not parse parameter {'page_size' if size is None else 'active'}")
        if size < 0 and not self._manner.network:
            return Response(HTTPStatus.INTERNAL_SERVER_ERROR, drop=True)
        expand = [each.lower() for each in request.values("expand")]
        if unknown := [each for each in expand if each not in {"identity", "devices"}]:
            return self._refused(MALFORMED, f"Could not parse expand option: {unknown[0]}")
        try:
            behind = self._behind(paging.first_value(request, "page_token"))
        except (KeyError, ValueError):
            return self._refused(MALFORMED, "The page token is invalid, do not craft your own page tokens")
        size = min(size, _LIMIT) if size > 0 else paging.DEFAULT_SIZE
        rows = [each for each in self._rows if each[2]["active"] is (active == "true")] if active else self._rows
        start = bisect_left(rows, behind)
        page = [row for _, _, row in rows[start : start + size]]
        links = [("first", self._first)]
        if start + size < len(rows):
            links.append(("next", self._token(page[-1])))
        urls = [
            (relation, paging.with_query(SESSIONS, request.query, page_size=size, page_token=token))
            for relation, token in links
        ]
        total = [] if self._manner.network else [("X-Total-Count", str(len(rows)))]
        places = [self._store.find(row["identity_id"]) for row in page] if "identity" in expand else []
        if self._store.holds_unreadable([place for place in places if place is not None]):
            return error(HTTPStatus.INTERNAL_SERVER_ERROR, "An internal server error occurred, please contact support")
        body = b",".join(self._rendered(row, expand) for row in page)
        return json_answer([b"[", body, b"]"], [paging.link_header(urls), *total])

    @property
    def _first(self) -> str:
        """What Kratos calls the page before the first of its sessions: up to v1.0 an id, then also a time."""
        return unpadded(_FIRST) if self._manner.keyset else paging.FIRST_TOKEN

    @staticmethod
    def _token(row: Mapping[str, Any]) -> str:
        moment = _created(row) // _RESOLUTION * _RESOLUTION
        text = (datetime(1970, 1, 1) + timedelta(microseconds=moment)).isoformat(" ")  # noqa: DTZ001 - Go's layout has no zone
        fraction = text.rstrip("0") if "." in text else text
        return unpadded(f"id={row['id']}/created_at={fraction}")

    def _behind(self, token: str) -> tuple[int, str]:
        """What is less than all rows that are behind a token."""
        if not token or token == self._first:
            return (-sys.maxsize, "")
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
        parts = dict(part.split("=", 1) for part in text.split("/"))
        # Behind the row of that very id, if there is one at that time.
        return (-_microseconds(parts["created_at"]), f"{parts['id']}~")

    def _refused(self, message: str, reason: str = "") -> Response:
        headers = [("Ory-Error-Id", "")] if self._manner.network else []
        return error(HTTPStatus.BAD_REQUEST, message, reason=reason, headers=headers)

    def _rendered(self, row: Mapping[str, Any], expand: list[str]) -> bytes:
        identity = self._identity(row["identity_id"]) if "identity" in expand else b"null"
        # Only who looks at the identity knows that it may not sign in.
        active = {"active": row["active"] and b'"state":"inactive"' not in identity}
        members = [f'"{name}":{to_json(active.get(name, row[name]))}'.encode() for name in _MEMBERS]
        devices = b'"devices":' + to_json(row["devices"] if "devices" in expand else None).encode()
        whose = b'"identity":' + identity
        last = [devices, whose] if self._manner.network else [whose, devices]
        return b"{" + b",".join([*members, *last]) + b"}"

    def _identity(self, identity_id: str) -> bytes:
        """An identity as it stands in a session: without addresses, and from older servers without metadata_admin."""
        place = self._store.find(identity_id)
        if place is None:
            return b"null"
        row = self._store.row(place)
        for begin, end in _LACKING[: 1 if self._manner.network else 2]:
            if (start := row.find(begin)) >= 0:
                row = row[:start] + row[row.rindex(end) :]
        return row


def _created(row: Mapping[str, Any]) -> int:
    """When a row was made, which the server does not show; hardly later than the session itself, unless it is told."""
    return _microseconds(row.get("created_at", row["issued_at"]))


def _microseconds(time: str) -> int:
    """When a time as Go writes it is, cut to microseconds."""
    date, _, fraction = time.replace("T", " ").rstrip("Z").partition(".")
    moment = datetime.fromisoformat(f"{date}+00:00")
    return int(moment.timestamp()) * 1_000_000 + int(f"{fraction:0<6}"[:6] or 0)
