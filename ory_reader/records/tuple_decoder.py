"""Pages of relation tuples in, records out: each with its subject as one text, each once.

Keto keeps a tuple that is written twice twice, and lists both. What a read has met is kept as digests of 16 bytes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
import simplejson
from msgspec import UNSET, UnsetType

from ory_reader.lossless_json import loads_page, without_nul
from ory_reader.pagination.page import not_a_page
from ory_reader.records.decoder import LONE_SURROGATE, RecordDecoder
from ory_reader.records.projection import prune

if TYPE_CHECKING:
    from collections.abc import Collection

    from ory_reader.records.projection import Projection

NUL = rb"\u0000"


class SubjectSet(msgspec.Struct, gc=False):
    """All who are in a relation to an object; with an empty relation the object itself."""

    namespace: str
    object: str
    relation: str


class RelationTuple(msgspec.Struct, gc=False):
    """A row, and the record that becomes of it: one of both forms of the subject is there."""

    namespace: str
    object: str
    relation: str
    subject: str = ""
    subject_id: str | UnsetType | None = UNSET
    subject_set: SubjectSet | UnsetType | None = UNSET


class TupleDecoder(RecordDecoder):
    """Turns pages of tuples into records, those of one read."""

    def __init__(self, field: Projection) -> None:
        """`field` is what is kept of a record."""
        super().__init__(field, "namespace")
        self._decoder = msgspec.json.Decoder(list[RelationTuple])
        self._met: set[bytes] = set()
        fields = field.fields or {}
        self._keeps_all = _has_all(field, RelationTuple) and _has_all(fields["subject_set"], SubjectSet)

    def decode_texts(self, texts: Collection[str]) -> None:
        """Leave it as it is: a tuple's texts are decoded."""

    def rows(self, body: bytes, *, upper: str | None = None, seen: Collection[str] = ()) -> list[Any]:  # noqa: ARG002
        """Decode a page into rows without those that came before.

        Raises:
            AnswerError: if the page is no JSON array of tuples.
        """
        met, new, digest_of = self._met, list[Any](), hashlib.blake2b
        for row in self._decode(body):
            row.subject = subject = subject_of(row)
            text = f"{row.namespace}\0{row.object}\0{row.relation}\0{subject}"
            digest = digest_of(text.encode(), digest_size=16).digest()
            if digest not in met:
                met.add(digest)
                new.append(row)
        return new

    def records(self, rows: list[Any]) -> list[Any]:
        """Return the records of rows, each of which msgspec encodes as its JSON object."""
        if self._keeps_all:
            return rows
        return [prune(row, self._field) for row in msgspec.to_builtins(rows)]

    def _decode(self, body: bytes) -> list[Any]:
        # No database column takes it.
        return self._decode_slowly(body) if NUL in body else super()._decode(body)

    def _decode_slowly(self, body: bytes) -> list[Any]:
        try:
            page = simplejson.dumps(loads_page(without_nul(body)), use_decimal=True, ensure_ascii=False)
            rows: list[Any] = msgspec.json.decode(LONE_SURROGATE.sub("\ufffd", page), type=list[RelationTuple])
        except (ValueError, RecursionError):
            raise not_a_page() from None
        return rows


def _has_all(field: Projection, struct: type[msgspec.Struct]) -> bool:
    return field.is_whole or {*struct.__struct_fields__} <= {*(field.fields or ())}


def subject_of(row: RelationTuple) -> str:
    """The subject as one text, from which both forms can be told: none of an id has a `#`, each of a set has one.

    An id is itself, a set `namespace:object#relation`, as Keto writes it; what could be mistaken is percent-encoded.

    Raises:
        AnswerError: if the row has neither.
    """
    each = row.subject_set
    if not each:
        if not isinstance(row.subject_id, str):
            raise not_a_page()
        return _encoded(row.subject_id)
    namespace, name, relation = each.namespace, each.object, each.relation
    text = f"{namespace}:{name}#{relation}"
    if "%" in text or ":" in namespace or text.count("#") > 1:
        namespace = _encoded(namespace).replace(":", "%3A")
        return f"{namespace}:{_encoded(name)}#{_encoded(relation)}"
    return text


def _encoded(text: str) -> str:
    return text.replace("%", "%25").replace("#", "%23") if "%" in text or "#" in text else text
