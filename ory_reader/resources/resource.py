"""What is to be known of one of Ory's lists. Each has a file here that says it, and does what only that list needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ory_reader.config.services import Service
    from ory_reader.pagination.paginators import Paginator


@dataclass(frozen=True)
class Resource:
    """One list.

    `name` is that of the stream that shows it as it is. `service` is the server that has it and `path` where,
    `paginators` the families of its pages: the first page tells which. `bucket` is the rate limit of Ory Network that
    its requests count for. `key` are the members that tell a row from all others, `withheld` the places in a row (JSON
    pointers, `*` for any member) that no record may show. `query` is what is asked for beside a page.
    """

    name: str
    service: Service
    path: str
    paginators: tuple[Paginator, ...]
    bucket: str
    key: tuple[str, ...]
    withheld: frozenset[str] = frozenset()
    query: tuple[tuple[str, str], ...] = ()

    @property
    def rows(self) -> str:
        """What its rows are called in a sentence."""
        return self.name.replace("_", " ")
