"""The relation tuples of Ory Keto: who is in which relation to what. All of them, or those of chosen namespaces."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from ory_reader.config.services import KETO
from ory_reader.errors import AccessError, AnswerError
from ory_reader.pagination.paginators import InBody, InBodyByRow
from ory_reader.resources.list_read import ListRead
from ory_reader.resources.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ory_reader.http.client import OryClient
    from ory_reader.pagination.id_ranges import Slice
    from ory_reader.pagination.page import Page
    from ory_reader.pagination.prefetch import PrefetchedPage

RELATION_TUPLES = Resource(
    name="relation_tuples",
    service=KETO,
    path="/relation-tuples",
    paginators=(InBodyByRow("relation_tuples"), InBody("relation_tuples")),
    bucket="keto-admin-medium",
    # The subject is made of its two forms.
    key=("namespace", "object", "relation", "subject"),
)


class TupleRead(ListRead):
    """Pages of all tuples of the chosen namespaces, one after the other; more than are wanted end it."""

    def __init__(self, api: OryClient) -> None:
        """Make no request yet."""
        super().__init__(api, RELATION_TUPLES)
        self._namespaces = [*dict.fromkeys(api.settings.namespaces or ())]
        self._namespace: str | None = None
        self._left = api.settings.max_relation_tuples

    def pages(self) -> Iterator[PrefetchedPage]:
        """Yield every page.

        Raises:
            AnswerError: if there are more tuples than the setting allows.
        """
        for page in super().pages():
            self._left -= len(msgspec.json.decode(page.body, type=list[msgspec.Raw]))
            if self._left < 0:
                self.whole = False
                msg = (
                    f"Ory Keto has more than {self.api.settings.max_relation_tuples:,} relation tuples to be read, so "
                    "the read was ended and no version is activated: set max_relation_tuples higher (each takes some "
                    "100 bytes of memory), or choose namespaces."
                )
                raise AnswerError(msg)
            yield page

    def resume(self, slices: list[Slice]) -> None:
        """Go on with a read that was interrupted.

        Raises:
            ValueError: if no token was kept, as where namespaces are chosen.
        """
        if self._namespaces:
            raise ValueError
        super().resume(slices)

    def remaining(self) -> list[Slice] | None:
        """From where to go on; None where that must be the start."""
        return None if self._namespaces or self._left < 0 else super().remaining()

    def _one_pass(self) -> Iterator[PrefetchedPage]:
        for namespace in self._namespaces:
            self._namespace = namespace
            yield from super()._one_pass()
        if not self._namespaces:
            yield from super()._one_pass()

    def _page(self, token: str | None) -> Page:
        if self._namespace is None:
            return super()._page(token)
        self.query = {"namespace": self._namespace}
        try:
            return super()._page(token)
        except AccessError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            msg = (
                f"Ory Keto has no namespace {self._namespace!r}, which the setting namespaces names, so the read was "
                "ended. The stream permission_namespaces lists those that there are."
            )
            raise AnswerError(msg) from error
