"""Records whose traits and metadata fit what was declared: the decoder of `identities`, and what `users` shares.

Knows records and conforming; nothing of HTTP, of Singer, or of which trait means what.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from ory_reader.lossless_json import may_hold_nul, without_nul
from ory_reader.records.decoder import RecordDecoder, SlowRow, attribute_of
from ory_reader.records.projection import WHOLE, Projection, project, prune
from ory_reader.traits.conformer import NULL, Conformer, Misfit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

TRAITS, APART, CREDENTIALS = "traits", "nonconforming_traits", "credentials"
#: What may hold anything besides traits. Addresses cannot: Ory checks them.
FREE = ("metadata_public", "metadata_admin", "external_id")

NOTICE = "Some traits are deselected; those that no identity schema declares stay out, too."

logger = logging.getLogger("tap-ory")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])


def prune_raw(raw: msgspec.Raw, field: Projection) -> msgspec.Raw:
    """Keep of a value what `field` keeps, as `selection.prune` does, and all that is kept as the bytes it came as."""
    if field.is_whole:
        return raw
    try:
        if field.items is not None:
            return _pruned_elements(raw, field.items)
        members = _members.decode(raw)
    except msgspec.ValidationError:
        if not field.open and not field.bare:
            return NULL
        return _pruned_elements(raw, field) if bytes(raw).startswith(b"[") else raw
    fields = field.fields or {}
    kept = {
        name: prune_raw(value, field.every or fields.get(name, WHOLE))
        for name, value in members.items()
        if field.every or name in fields or (field.open and name not in field.dropped)
    }
    return msgspec.Raw(msgspec.json.encode(kept))


def _pruned_elements(raw: msgspec.Raw, field: Projection) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode([prune_raw(element, field) for element in _elements.decode(raw)]))


class Outgoing:
    """The traits (or metadata) of a page as they leave: without what is deselected, and fitting their declaration."""

    def __init__(self, schema: Mapping[str, Any], field: Projection, *, name: str, warned: set[str]) -> None:
        """`schema` was declared and `field` is what is selected of it; for the rest see `Conformer`."""
        self.field = field
        if name == TRAITS and not field.is_whole and not field.open and NOTICE not in warned:
            warned.add(NOTICE)
            logger.info("%s", NOTICE)
        self.conformer = Conformer(schema, name=name, warned=warned)

    def read(self, values: list[msgspec.Raw]) -> tuple[list[msgspec.Raw], dict[int, Misfit]]:
        """Return the values of a page as they go on, and what was mended of them by its index."""
        # Cut first: what is deselected must not turn up among what does not fit.
        if not self.field.is_whole:
            values = [prune_raw(value, self.field) for value in values]
        misfits = self.conformer.read(values)[1]
        if misfits:
            values = [misfits[n].value if n in misfits else value for n, value in enumerate(values)]
        return values, misfits


class IdentityDecoder(RecordDecoder):
    """A `RecordDecoder` of identities whose traits fit the schema, and that tells no handle of a passkey."""

    def __init__(
        self,
        schema: Mapping[str, Any],
        mask: Mapping[tuple[str, ...], bool],
        *,
        warned: set[str],
    ) -> None:
        """`warned` are the paths of traits that need no further warning."""
        field = project(schema, mask, private=(TRAITS,))
        fields = dict(field.fields or {})
        self._outgoing = {
            name: Outgoing(schema["properties"][name] if name == TRAITS else {}, fields[name], name=name, warned=warned)
            for name in (TRAITS, *FREE)
            if name in fields
        }
        fields.update(dict.fromkeys(self._outgoing, WHOLE))
        names = list(fields)
        self._attributes = {name: attribute_of(number, name) for number, name in enumerate(names)}
        super().__init__(replace(field, fields=fields))
        credential = fields[CREDENTIALS].every if CREDENTIALS in fields else None
        listed = list(credential.fields or {}) if credential else []
        self._identifiers = attribute_of(listed.index("identifiers"), "identifiers") if "identifiers" in listed else ""

    def take_over(self, conformer: Conformer) -> None:
        """Look at traits by what another decoder of the same pages looks at them with, if that finds the same."""
        traits = self._outgoing.get(TRAITS)
        if traits and traits.field.is_whole and traits.conformer.finds_same_as(conformer):
            traits.conformer = conformer

    def _decode(self, body: bytes) -> list[Any]:
        rows = super()._decode(body)
        if isinstance(rows[0] if rows else None, SlowRow):
            # Mended on the slower path already, by _raw.
            return rows
        # Identifiers may be any text; few reads have them, and the others do not pay for a look at the whole page.
        if self._identifiers and self._hide_handles(rows) and may_hold_nul(body):
            return self._decode(without_nul(body))
        for name, outgoing in self._outgoing.items():
            self._mend(rows, name, outgoing)
        return rows

    def decode_texts(self, texts: Collection[str]) -> None:
        """Decode from now on what is in these fields, but for what may be anything."""
        super().decode_texts(set(texts) - self._outgoing.keys())

    def _mend(self, rows: list[Any], name: str, outgoing: Outgoing) -> None:
        attribute = self._attributes[name]
        given = list(map(attrgetter(attribute), rows))
        missing = given.count(msgspec.UNSET)
        if missing == len(rows):
            return
        if missing:
            rows = [row for row in rows if getattr(row, attribute) is not msgspec.UNSET]
            given = list(map(attrgetter(attribute), rows))
        values, misfits = outgoing.read(given)
        if values is given:
            return
        for row, value in zip(rows, values, strict=True):
            setattr(row, attribute, value)
        for index, misfit in misfits.items():
            # A value that was only converted leaves nothing to keep.
            if APART in self._attributes and misfit.apart != NULL:
                setattr(rows[index], self._attributes[APART], misfit.apart)

    def _hide_handles(self, rows: list[Any]) -> bool:
        """The identifier of a passkey is the handle that the security key knows the user by.

        Return whether anybody's credentials are told.
        """
        told = False
        for credentials in map(attrgetter(self._attributes[CREDENTIALS]), rows):
            if credentials.__class__ is dict:
                told = True
                if credentials.get("passkey"):
                    setattr(credentials["passkey"], self._identifiers, [])
        return told

    def _raw(self, row: dict[str, Any]) -> msgspec.Raw:
        row = dict(row)
        for name, outgoing in self._outgoing.items():
            if name in row:
                mended = outgoing.conformer.conform(prune(row[name], outgoing.field))
                row[name] = mended.value
                if mended.apart:
                    row[APART] = mended.apart
        credentials = row.get(CREDENTIALS)
        if isinstance(credentials, dict) and isinstance(credentials.get("passkey"), dict):
            row = {**row, CREDENTIALS: {**credentials, "passkey": {**credentials["passkey"], "identifiers": []}}}
        return super()._raw(row)
