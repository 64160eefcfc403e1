"""A page as it came, and the ids in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from ory_reader.errors import AnswerError
from ory_reader.lossless_json import loads_page


@cache
def _row(key: str) -> type[msgspec.Struct]:
    return msgspec.defstruct("Row", [("id", str)], rename={"id": key})


@cache
def _rows_decoder(key: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(list[_row(key)])  # type: ignore[misc]


@dataclass(frozen=True)
class Page:
    """One page as it came.

    `body` is a JSON array; `next_token` is None on the last page; `total` is the number of all rows, where
    the server tells it (offset servers do).
    """

    body: bytes
    next_token: str | None
    total: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the page has no rows."""
        return len(self.body) < 64 and not self.body.strip(b"\xef\xbb\xbf \t\r\n[]")  # noqa: PLR2004 - no row is that short


def row_ids(body: bytes, key: str = "id") -> list[str]:
    """The ids of a page's rows, in order: what is in the member `key`.

    Raises:
        AnswerError: if `body` is no JSON array of objects with a string there.
    """
    try:
        return [row.id for row in _rows_decoder(key).decode(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        # Half a surrogate pair in somebody's name, or a byte order mark: no reason to end the read.
        return [row.id for row in msgspec.convert(loads_page(body), list[_row(key)])]  # type: ignore[misc]
    except (ValueError, RecursionError):
        raise not_a_page() from None


def rows_of(body: bytes) -> list[bytes]:
    """The rows of a page, each as the bytes it came as."""
    try:
        return [bytes(row) for row in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise not_a_page() from None


class Member(msgspec.Struct):
    """What of an identity says where it belongs."""

    organization_id: str | None = None


_members_decoder = msgspec.json.Decoder(list[Member])


def organizations_in(body: bytes) -> list[str | None]:
    """The organization of each identity in a page, in order.

    Raises:
        AnswerError: if `body` is no JSON array of objects.
    """
    try:
        members = _members_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        try:
            # As above.
            members = msgspec.convert(loads_page(body), list[Member])
        except (ValueError, RecursionError):
            raise not_a_page() from None
    return [each.organization_id for each in members]


def not_a_page() -> AnswerError:
    """The error for a body that is valid HTTP and yet no page of identities."""
    return AnswerError(
        "The server answered JSON that is not a list of identities. Check that base_url is the Ory Admin API."
    )
