"""Which rows a page has and which Link header goes with it, by offset and by keyset.

Knows nothing of the rows themselves.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import uuid
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from ory_sandbox.render import unpadded

if TYPE_CHECKING:
    from collections.abc import Callable

    from ory_sandbox.http import Request

DEFAULT_SIZE = 250
FIRST_TOKEN = "00000000-0000-0000-0000-000000000000"  # noqa: S105 a page token
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_LARGEST = 2**63 - 1


class RefusedError(Exception):
    """A 400, with its reason."""


class OffsetPage(NamedTuple):
    """A page of an offset pagination: its number from 0, and how many rows a page has."""

    number: int
    size: int


def go_integer(text: str) -> int | None:
    """An integer as Go's strconv reads it, or None."""
    if not _INTEGER.fullmatch(text) or not -_LARGEST - 1 <= int(text) <= _LARGEST:
        return None
    return int(text)


def first_value(request: Request, *names: str) -> str:
    """The first value of a parameter that is not empty."""
    return next((value for name in names for value in request.values(name) if value), "")


def has(request: Request, *names: str) -> bool:
    """Whether the query has one of some parameters."""
    return any(key in names for key, _ in request.query)


def link_header(links: list[tuple[str, str]]) -> tuple[str, str]:
    """A Link header of relations and their URLs."""
    return ("Link", ",".join(f'<{url}>; rel="{relation}"' for relation, url in links))


def with_query(url: str, query: list[tuple[str, str]], **changes: object) -> str:
    """A URL with some parameters of its query replaced, all sorted by name."""
    kept = [(key, value) for key, value in query if key not in changes]
    changed = [(key, str(value)) for key, value in changes.items()]
    return f"{url}?{urlencode(sorted(kept + changed, key=lambda item: item[0]))}"


# Offset pagination


def offset_token(offset: int) -> str:
    """The page token that stands for an offset."""
    return unpadded(f'{{"offset":"{offset}","v":2}}')


def parse_offset_token(token: str) -> int:
    """The offset of a page token; 0 for one that is none."""
    try:
        padded = token + "=" * (-len(token) % 4)
        offset = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))["offset"]
        return max(int(offset), 0)
    except (binascii.Error, ValueError, TypeError, KeyError):
        return 0


def offset_page(request: Request, limit: int) -> OffsetPage:
    """The page that a request is for. Whatever makes no sense is silently page 0, or the default size."""
    if has(request, "page_token", "page_size"):
        size = page_size(first_value(request, "page_size"), limit)
        return OffsetPage(parse_offset_token(first_value(request, "page_token")) // size, size)
    number = go_integer(first_value(request, "page"))
    return OffsetPage(max(number or 0, 0), page_size(first_value(request, "per_page"), limit))


def page_size(text: str, limit: int) -> int:
    """The rows of a page by offset, which are at least one."""
    size = go_integer(text)
    return DEFAULT_SIZE if size is None else max(min(size, limit), 1)


def offset_links(page: OffsetPage, total: int, url: Callable[[int, int], str]) -> list[tuple[str, str]]:
    """The relations that Kratos gives for a page of so many rows.

    Args:
        page: The page.
        total: How many rows there are on all pages.
        url: Makes a URL of a size and an offset.

    Returns:
        Relations and URLs. The last page has no ``next``, but an empty table has; where all rows fit into one
        page there is only ``first``, of as many rows as there are.
    """
    number, size = page
    offset = number * size
    last = (total - 1) // size * size
    first, following = ("first", url(size, 0)), ("next", url(size, offset + size))
    previous = ("prev", url(size, offset - size))
    if total == 0:
        return [first, following, previous]
    if total <= size:
        return [("first", url(total, 0))]
    if offset >= last:
        return [first, ("prev", url(size, last - size))]
    if offset < size:
        return [following, ("last", url(size, last))]
    return [first, following, previous, ("last", url(size, last))]


# Keyset pagination


class Keyset(NamedTuple):
    """A page of a keyset pagination: the rows after a token, at most so many; the query for its links."""

    token: str
    size: int
    query: list[tuple[str, str]]


def keyset_page(request: Request) -> Keyset | OffsetPage:
    """The page that a request is for; by offset if it only has the legacy ``page``.

    Raises:
        RefusedError: Its token is no UUID, its size is no number, or its offset is beyond what is allowed.
    """
    query = request.query
    if not has(request, "page_token", "page_size"):
        if has(request, "page"):
            return _legacy_page(request)
        size_text = first_value(request, "per_page")
        query = [(key, value) for key, value in query if key != "per_page"]
    else:
        size_text = first_value(request, "page_size")
    size = go_integer(size_text) if size_text else 0
    if size is None:
        trouble = "value out of range" if _INTEGER.fullmatch(size_text) else "invalid syntax"
        message = f"strconv.Atoi: parsing {json.dumps(size_text)}: {trouble}"
        raise RefusedError(message)
    token = first_value(request, "page_token") or FIRST_TOKEN
    if not is_uuid(token):
        message = "The page token is invalid, do not craft your own page tokens"
        raise RefusedError(message)
    return Keyset(token, size, query)


def is_uuid(text: str) -> bool:
    """Whether the server takes a text for a UUID."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _legacy_page(request: Request) -> OffsetPage:
    page = offset_page(request, limit=500)
    if page.number * page.size > 1000:  # noqa: PLR2004 the number is in the message
        message = (
            "Legacy pagination is not supported for enumerating over 1000 items."
            " Please switch to using page_token and page_size."
        )
        raise RefusedError(message)
    return page


def keyset_links(path: str, page: Keyset, next_token: str | None) -> list[tuple[str, str]]:
    """``first``, and ``next`` if there is a row left: relative, with the size as clamped."""
    tokens = {"first": FIRST_TOKEN} | ({"next": next_token} if next_token else {})
    return [
        (relation, with_query(path, page.query, page_size=page.size, page_token=token))
        for relation, token in tokens.items()
    ]
