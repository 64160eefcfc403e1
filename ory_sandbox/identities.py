"""/admin/identities: the list, one identity, and its deletion, as each manner has them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ory_sandbox import paging
from ory_sandbox.answers import MALFORMED, NOT_CACHED, error, json_answer
from ory_sandbox.http import Response

if TYPE_CHECKING:
    from ory_sandbox.http import Request
    from ory_sandbox.server_profiles import Manner
    from ory_sandbox.store import Store

_PATH = "/admin/identities"
# What the database driver or the encoder says about a row of which the metadata can't be read.
_BAD_ROW_1_0 = (
    "json: error calling MarshalJSON for type identity.WithCredentialsMetadataAndAdminMetadataInJSON: "
    "json: error calling MarshalJSON for type sqlxx.NullJSONRawMessage: "
    "invalid character '%' looking for beginning of value"
)
_BAD_ROW_1_3 = _BAD_ROW_1_0.replace("WithCredentialsMetadataAndAdmin", "WithCredentialsAndAdmin")
_BAD_ROW_NETWORK = (
    "unable to fetch records: sqlite select many: sql: Scan error on column index 5, "
    'name "metadata_public": cannot scan int64 into JSONRawMessage'
)


class Identities:
    """Answers for the identities of one store."""

    def __init__(self, manner: Manner, store: Store, admin_url: str) -> None:
        """Answer for ``store``; ``admin_url`` ends with a slash."""
        self._manner = manner
        self._store = store
        self._admin_url = admin_url

    def list_page(self, request: Request) -> Response:
        """One page of identities."""
        if not self._manner.keyset:
            return self._list_by_offset(request)
        try:
            types = self._credential_types(request)
            wanted = self._wanted(request)
            page = paging.keyset_page(request)
        except paging.RefusedError as refused:
            return self._error(HTTPStatus.BAD_REQUEST, MALFORMED, reason=str(refused))
        if isinstance(page, paging.OffsetPage):
            return self._legacy_list(request, page, types, wanted)
        clamped = page._replace(size=self._clamped(page.size))
        if clamped.size < 0:
            # Kratos v1.3 panics here, and Go's server closes the connection.
            return Response(HTTPStatus.INTERNAL_SERVER_ERROR, drop=True)
        rows, left = self._rows_after(clamped, wanted)
        next_token = self._store.id(rows[-1]) if left else None
        header = paging.link_header(paging.keyset_links(_PATH, clamped, next_token))
        return self._page(rows, types, [header])

    def get(self, request: Request, identity_id: str) -> Response:
        """One identity, always with its credentials."""
        try:
            types = self._credential_types(request)
        except paging.RefusedError as refused:
            return self._error(HTTPStatus.BAD_REQUEST, MALFORMED, reason=str(refused))
        index = self._store.find(identity_id)
        if index is None:
            return self._missing()
        if self._store.holds_unreadable([index]):
            return self._bad_row([])
        return json_answer([self._store.rows_with_credentials([index], types or ())])

    def delete(self, identity_id: str) -> Response:
        """Delete one identity."""
        if not self._store.remove(identity_id):
            return self._missing()
        return Response(HTTPStatus.NO_CONTENT, [NOT_CACHED])

    def _list_by_offset(self, request: Request) -> Response:
        """Kratos v1.0: knows no ``ids`` and no ``include_credential`` here, and takes anything."""
        total = len(self._store)
        page = paging.offset_page(request, self._manner.page_size_limit or paging.DEFAULT_SIZE)

        def url(size: int, offset: int) -> str:
            number, token = int(offset / size), paging.offset_token(offset)
            pages = {"page": number, "page_size": size, "page_token": token, "per_page": size}
            return paging.with_query(f"{self._admin_url}identities", [], **pages)

        links = paging.link_header(paging.offset_links(page, total, url))
        rows = range(total)[page.number * page.size :][: page.size]
        return self._page(rows, None, [links, ("X-Total-Count", str(total))])

    def _legacy_list(
        self,
        request: Request,
        page: paging.OffsetPage,
        types: list[str] | None,
        wanted: list[int] | None,
    ) -> Response:
        """``page`` and ``per_page`` where keyset pagination has replaced them."""
        total = len(self._store)

        def url(size: int, offset: int) -> str:
            return paging.with_query(_PATH, request.query, page=int(offset / size), per_page=size)

        links = paging.link_header(paging.offset_links(page, total, url))
        every = range(total) if wanted is None else wanted
        rows = every[page.number * page.size :][: page.size]
        return self._page(rows, types, [links, ("X-Total-Count", str(total))])

    def _rows_after(self, page: paging.Keyset, wanted: list[int] | None) -> tuple[range | list[int], bool]:
        """The rows of a page, and whether there are more behind it."""
        start = self._store.after(page.token)
        every = range(start, len(self._store)) if wanted is None else [row for row in wanted if row >= start]
        return every[: page.size], len(every) > page.size

    def _clamped(self, size: int) -> int:
        if size == 0 or (self._manner.network and size < 0):
            return paging.DEFAULT_SIZE
        limit = self._manner.page_size_limit
        return size if limit is None else min(size, limit)

    def _credential_types(self, request: Request) -> list[str] | None:
        """The types of ``include_credential``; None if it is not there."""
        types: list[str] = []
        for value in request.values("include_credential"):
            if value not in self._manner.credential_types:
                # Older versions name what they had taken so far instead of what they did not take.
                named = value if self._manner.network else f"[{' '.join(types)}]"
                message = f"Invalid value `{named}` for parameter `include_credential`."
                raise paging.RefusedError(message)
            types.append(value)
        return types or None

    def _wanted(self, request: Request) -> list[int] | None:
        """The rows that ``ids`` or ``organization_id`` asks for, in order; None if neither is there."""
        ids = request.values("ids")
        organization = paging.first_value(request, "organization_id") if self._manner.network else ""
        if organization:
            # Older servers do not know the filter and give everybody.
            ending = f'"organization_id":"{organization}"}}'.encode()
            return [row for row in range(len(self._store)) if self._store.row(row).endswith(ending)]
        if not ids:
            return None
        for value in ids:
            if not paging.is_uuid(value):
                message = f"Invalid UUID value `{value}` for parameter `ids`."
                raise paging.RefusedError(message)
        return sorted({row for row in map(self._store.find, ids) if row is not None})

    def _page(
        self,
        rows: range | list[int],
        types: list[str] | None,
        headers: list[tuple[str, str]],
    ) -> Response:
        if self._store.holds_unreadable(rows):
            return self._bad_row(headers)
        text: bytes | memoryview
        if types is not None:
            text = self._store.rows_with_credentials(rows, types)
        elif isinstance(rows, range):
            text = self._store.page(rows)
        else:
            text = b",".join(map(self._store.row, rows))
        return json_answer([b"[", text, b"]"], headers)

    def _missing(self) -> Response:
        return self._error(HTTPStatus.NOT_FOUND, "Unable to locate the resource")

    def _bad_row(self, headers: list[tuple[str, str]]) -> Response:
        """The whole page fails with the row; up to v1.3 after its headers were set."""
        if self._manner.network:
            return self._error(HTTPStatus.INTERNAL_SERVER_ERROR, _BAD_ROW_NETWORK)
        message = _BAD_ROW_1_3 if self._manner.keyset else _BAD_ROW_1_0
        return error(HTTPStatus.INTERNAL_SERVER_ERROR, message, headers=headers)

    def _error(self, status: HTTPStatus, message: str, *, reason: str = "") -> Response:
        headers = [("Ory-Error-Id", "")] if self._manner.network else []
        return error(status, message, reason=reason, headers=headers)
