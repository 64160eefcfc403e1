"""Pages of sessions as records: each with the id of whose it is for the identity, and addresses without ports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from ory_reader.pagination.page import not_a_page, row_ids
from ory_reader.records.changes import ChangesDecoder, canonical
from ory_reader.records.decoder import RecordDecoder, SlowRow, attribute_of
from ory_reader.records.projection import WHOLE, Projection, project

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

IDENTITY, IDENTITY_ID, DEVICES, ADDRESS = "identity", "identity_id", "devices", "ip_address"
ISSUED_AT = "issued_at"
NULL = msgspec.Raw(b"null")
#: `127.0.0.1:33204`, `[::1]:33204`, `[::1]`; an IPv6 address without brackets has more than one colon.
WITH_PORT = re.compile(r"\[(.*)\](?::\d*)?|([^:]*):\d*")


def without_port(address: str) -> str:
    """Return an IP address without the port that Kratos writes behind it.

    >>> without_port("127.0.0.1:33204"), without_port("[2001:db8::1]:443"), without_port("2001:db8::1")
    ('127.0.0.1', '2001:db8::1', '2001:db8::1')
    """
    found = WITH_PORT.fullmatch(address)
    return (found[1] or found[2] or "") if found else address


class SessionDecoder(RecordDecoder):
    """A `RecordDecoder` of sessions that were asked for with their identities."""

    def __init__(self, schema: Mapping[str, Any], mask: Mapping[tuple[str, ...], bool]) -> None:
        """`schema` was declared and `mask` is what is selected of it."""
        fields = dict(project(schema, mask).fields or {})
        self._attributes = {name: attribute_of(number, name) for number, name in enumerate([*fields, IDENTITY])}
        items = fields[DEVICES].items if DEVICES in fields else None
        members = list((items and items.fields) or {})
        self._address = attribute_of(members.index(ADDRESS), ADDRESS) if ADDRESS in members else None
        self._texts: Collection[str] = ()
        whose = {IDENTITY: Projection(fields={"id": WHOLE})} if IDENTITY_ID in fields else {}
        super().__init__(Projection(fields={**fields, **whose}))

    def decode_texts(self, texts: Collection[str]) -> None:
        """Decode from now on what is in these fields, which is text or null: for who looks at it."""
        super().decode_texts(texts)
        self._texts = texts

    def _decode(self, body: bytes) -> list[Any]:
        rows = super()._decode(body)
        if isinstance(rows[0] if rows else None, SlowRow):
            # By _raw already.
            return rows
        if IDENTITY_ID in self._attributes:
            self._tell_whose(rows)
        if self._address:
            for devices in (getattr(row, self._attributes[DEVICES]) for row in rows):
                for device in devices or ():
                    self._cut_port(device)
        return rows

    def _tell_whose(self, rows: list[Any]) -> None:
        expanded, told, unset = self._attributes[IDENTITY], self._attributes[IDENTITY_ID], msgspec.UNSET
        for row in rows:
            identity = getattr(row, expanded)
            setattr(row, told, identity.f0 if identity else NULL)
            setattr(row, expanded, unset)
        if IDENTITY_ID in self._texts:
            for row in rows:
                setattr(row, told, msgspec.json.decode(getattr(row, told)))

    def _cut_port(self, device: Any) -> None:
        attribute = self._address or ""
        try:
            address = msgspec.json.decode(getattr(device, attribute), type=str)
        except (msgspec.ValidationError, TypeError):
            return
        setattr(device, attribute, msgspec.Raw(msgspec.json.encode(without_port(address))))

    def _raw(self, row: dict[str, Any]) -> msgspec.Raw:
        identity = row.pop(IDENTITY, None)
        row[IDENTITY_ID] = identity.get("id") if isinstance(identity, dict) else None
        devices = row.get(DEVICES)
        for device in devices if isinstance(devices, list) else ():
            if isinstance(device, dict) and isinstance(device.get(ADDRESS), str):
                device[ADDRESS] = without_port(device[ADDRESS])
        return super()._raw(row)


class _Issued(msgspec.Struct):
    issued_at: Any = None


_issued = msgspec.json.Decoder(list[_Issued])


def holds_new(body: bytes, since: str) -> bool:
    """Whether a page holds a session that was issued since: behind one that does not all are older."""
    return any(issued is None or issued >= since for issued in _times(body))


class NewSessionsDecoder(ChangesDecoder):
    """A decoder of the sessions that were issued since a bookmark, less a look-back; without one, of all.

    A session that changes (revoked, refreshed, extended) keeps its issued_at, and one that is gone leaves no trace.
    """

    key = ISSUED_AT

    def rows(self, body: bytes, *, upper: str | None = None, seen: Collection[str] = ()) -> list[Any]:
        """Decode a page into the rows that are new, as `RecordDecoder.rows` does."""
        times = dict(zip(row_ids(body), _times(body), strict=True))
        self.newest = max(filter(None, [self.newest, *times.values()]), default=None)
        rows = self.inner.rows(body, upper=upper, seen=seen)
        return [row for row in rows if (issued := times[row.id]) is None or issued >= self.since]


def _times(body: bytes) -> list[str | None]:
    try:
        return [canonical(row.issued_at) for row in _issued.decode(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise not_a_page() from None
