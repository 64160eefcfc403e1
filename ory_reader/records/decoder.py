"""What is wanted of a record in, compiled decoder out; pages of bytes in, rows out.

This is the inner loop, where nine tenths of the time go: a page is decoded once, straight into a struct of the wanted
fields; free-form values pass through as the bytes they came as. No Python dict is made of a record, and nothing here
knows HTTP, nor what is written of a row.

What the compiled decoder cannot take (a value of another JSON type where the schema restricts fields, lone
surrogates, invalid UTF-8, selections that only a dict can follow) goes row by row through a slower path with
the same result.
"""

from __future__ import annotations

import json
import logging
import re
from codecs import utf_8_decode
from typing import TYPE_CHECKING, Any

import msgspec
import simplejson

from ory_reader.lossless_json import loads, loads_page, may_hold_nul, without_nul
from ory_reader.pagination.page import not_a_page
from ory_reader.records.projection import prune

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

    from ory_reader.records.projection import Projection

logger = logging.getLogger("tap-ory")

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: What is looked at at once for bytes that are no UTF-8: so little that its text fits a processor's cache.
PIECE_BYTES = 4096
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class SlowRow(msgspec.Struct):
    """A row that went the slower path: its id, and the record as JSON."""

    id: str
    record: msgspec.Raw


def _struct(name: str, field: Projection, key: str | None = None, texts: Collection[str] = ()) -> Any:
    """The type that msgspec decodes into: a struct for an object, `Raw` for what passes as it is, but for `texts`.

    `key` is given for a record itself: the field with its id.
    """
    if field.is_whole:
        return msgspec.Raw
    if field.every is not None:
        return dict[str, _struct(name, field.every)] | None  # type: ignore[misc]
    if field.items is not None:
        return list[_struct(name, field.items)] | None  # type: ignore[misc]
    members: list[Any] = []
    renamed = {}
    for number, (each, member) in enumerate((field.fields or {}).items()):
        attribute = attribute_of(number, each, key)
        renamed[attribute] = each
        if attribute == "id":
            members.insert(0, (attribute, str))
        else:
            kind = (str | None if each in texts else _struct(f"{name}_{number}", member)) | msgspec.UnsetType
            members.append((attribute, kind, msgspec.UNSET))
    struct = msgspec.defstruct(name, members, rename=renamed, gc=False)
    return struct if key else struct | None


def _decoder_of(field: Projection, key: str, texts: Collection[str] = ()) -> Any:
    """The compiled decoder of pages; None if there can be none."""
    if not field.is_compiled:
        return None
    kind = _struct("Record", field, key, texts)
    return msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]


def attribute_of(number: int, name: str, key: str | None = "id") -> str:
    """The attribute of a record's struct that holds a field: any JSON key is a field, not so in Python."""
    return "id" if name == key else f"f{number}"


class RecordDecoder:
    """Turns pages into the records of one stream."""

    #: Whether NUL is looked for in all that passes as it came.
    _refuses_nul = False

    def __init__(self, field: Projection, key: str = "id") -> None:
        """Compile the decoder of what `field` keeps; `key` is the field with a record's id."""
        self._field = field
        self._key = key
        self._decoder = _decoder_of(field, key)

    def decode_texts(self, texts: Collection[str]) -> None:
        """Decode from now on what is in these fields, which is text or null: for who looks at it."""
        self._decoder = _decoder_of(self._field, self._key, texts)

    def rows(self, body: bytes, *, upper: str | None = None, seen: Collection[str] = ()) -> list[Any]:
        """Decode a page into rows, each with its `id`, leaving out ids beyond `upper` and those in `seen`.

        Raises:
            AnswerError: if the page is no JSON array of objects with a string id.
        """
        rows = self._decode(body)
        if upper is not None and rows and rows[-1].id > upper:
            rows = [row for row in rows if row.id <= upper]
        if seen:
            rows = [row for row in rows if row.id not in seen]
        return rows

    def stamped(self, row: Any, name: str, value: str | None) -> Any:
        """Return `row` with a value for a field that the server does not send, if the field is selected."""
        if name not in (self._field.fields or {}):
            return row
        raw = json.dumps(value).encode()
        if isinstance(row, SlowRow):
            return SlowRow(row.id, msgspec.Raw(bytes(row.record)[:-1] + b',"%s":%s}' % (name.encode(), raw)))
        setattr(row, attribute_of(list(self._field.fields or {}).index(name), name), msgspec.Raw(raw))
        return row

    def moved_at(self, row: Any) -> str | None:  # noqa: ARG002 - see the users
        """When something of the row moved that the page does not tell, canonical; None if nothing did."""
        return None

    def records(self, rows: list[Any]) -> list[Any]:
        """Return the records of rows, each of which msgspec encodes as its JSON object."""
        return [row.record for row in rows] if isinstance(rows[0] if rows else None, SlowRow) else rows

    def dicts(self, rows: list[Any]) -> Iterator[dict[str, Any]]:
        """Return the rows as dicts, for what needs them: stream maps, flattening."""
        for line in msgspec.json.Encoder().encode_lines(self.records(rows)).splitlines():
            yield loads(line)

    def share(self, decoders: Iterable[object]) -> None:
        """Let what is the same for another decoder of the same pages be done once."""

    def bookmark(self, started_at: datetime) -> dict[str, Any]:  # noqa: ARG002 - where only changes are read it is needed
        """What the state keeps for the next run: nothing, where each brings everything."""
        return {}

    def _decode(self, body: bytes) -> list[Any]:
        body = body.removeprefix(BYTE_ORDER_MARK)
        rows = self._compiled(body)
        if rows is not None:
            text = self._passing(body, rows)
            if self._refuses_nul and may_hold_nul(text):
                return RecordDecoder._decode(self, without_nul(body))
            if not _is_utf8(text):
                rows = None
            elif text.find(b"\n", 0, -1) >= 0 or b"\r" in text:
                # A proxy that prints it prettily: line breaks between values would break the lines.
                rows = self._compiled(body, compact=True)
        return self._decode_slowly(body) if rows is None else rows

    def _compiled(self, body: bytes, *, compact: bool = False) -> list[Any] | None:
        """The rows of a page; None where they are not of the compiled type."""
        if self._decoder is None:
            return None
        try:
            # Refuses half a surrogate pair, too: valid JSON, but no text that a target could store.
            rows: list[Any] = self._decoder.decode(msgspec.json.format(body, indent=-1) if compact else body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return rows

    def _passing(self, body: bytes, rows: list[Any]) -> bytes:  # noqa: ARG002 - who knows what the others need
        """What of a page may pass as the bytes it came as, so that nothing has looked at it yet."""
        return body

    def _decode_slowly(self, body: bytes) -> list[Any]:
        if not _is_utf8(body):
            logger.warning("A page held bytes that are no UTF-8; they were replaced by U+FFFD.")
        try:
            page = loads_page(without_nul(body))
            if not isinstance(page, list):
                raise TypeError  # noqa: TRY301 - one sentence for every strange shape
            return [SlowRow(_checked_id(row[self._key]), self._raw(row)) for row in page]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise not_a_page() from None

    def _raw(self, row: dict[str, Any]) -> msgspec.Raw:
        text = simplejson.dumps(prune(row, self._field), use_decimal=True, ensure_ascii=False, separators=(",", ":"))
        return msgspec.Raw(LONE_SURROGATE.sub("\ufffd", text).encode())


def _checked_id(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _is_utf8(body: bytes) -> bool:
    if body.isascii():
        return True
    view, read = memoryview(body), 0
    try:
        while read < len(body):
            # Piece by piece: the text of a whole page, of up to four bytes a character, would be made to be dropped.
            piece = view[read : read + PIECE_BYTES]
            read += utf_8_decode(piece, "strict", read + len(piece) == len(body))[1]
    except UnicodeDecodeError:
        return False
    return True
