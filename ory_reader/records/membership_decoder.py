"""Pages of identities in, the organizations that they belong to out: each once, and no more of it than its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ory_reader.lossless_json import loads_page
from ory_reader.pagination.page import not_a_page
from ory_reader.records.decoder import RecordDecoder

if TYPE_CHECKING:
    from collections.abc import Collection

    from ory_reader.records.projection import Projection


class Member(msgspec.Struct):
    """What of an identity is looked at."""

    organization_id: str | None = None


class MembershipDecoder(RecordDecoder):
    """Turns pages of identities into organizations, those of one read."""

    def __init__(self, field: Projection) -> None:
        """`field` is what is kept of a record."""
        super().__init__(field)
        self._members = msgspec.json.Decoder(list[Member])
        self._met: set[str | None] = set()

    def rows(self, body: bytes, *, upper: str | None = None, seen: Collection[str] = ()) -> list[Any]:  # noqa: ARG002
        """Decode a page into the organizations that were not met before, whoever is in them.

        Raises:
            AnswerError: if the page is no JSON array of identities.
        """
        found = {each.organization_id for each in self._identities(body)} - self._met
        self._met |= found
        new = sorted(each for each in found if each)
        return super().rows(msgspec.json.encode([{"id": each} for each in new])) if new else []

    def _identities(self, body: bytes) -> list[Member]:
        try:
            return self._members.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass
        try:
            # Half a surrogate pair in somebody's name, or a byte order mark.
            return msgspec.convert(loads_page(body), list[Member])
        except (ValueError, RecursionError):
            raise not_a_page() from None
