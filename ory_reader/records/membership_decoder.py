"""Pages of identities in, the organizations that they belong to out: each once, and no more of it than its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ory_reader.pagination.page import organizations_in
from ory_reader.records.decoder import RecordDecoder

if TYPE_CHECKING:
    from collections.abc import Collection

    from ory_reader.records.projection import Projection


class MembershipDecoder(RecordDecoder):
    """Turns pages of identities into organizations, those of one read."""

    def __init__(self, field: Projection) -> None:
        """`field` is what is kept of a record."""
        super().__init__(field)
        self._met: set[str | None] = set()

    def rows(self, body: bytes, *, upper: str | None = None, seen: Collection[str] = ()) -> list[Any]:  # noqa: ARG002
        """Decode a page into the organizations that were not met before, whoever is in them.

        Raises:
            AnswerError: if the page is no JSON array of identities.
        """
        found = set(organizations_in(body)) - self._met
        self._met |= found
        new = sorted(each for each in found if each)
        return super().rows(msgspec.json.encode([{"id": each} for each in new])) if new else []
