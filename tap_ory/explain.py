"""`tap-ory --explain-users`: which trait becomes which field of a user, per identity schema.

Turns meanings into words; knows nothing of how they were found, nor of records.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tap_ory.meaning import EACH, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_ory.meaning import Meaning

HEADER = ("identity schema", "field of users", "comes from", "why")
OTHERS = "(any other)"


def table(meanings: Mapping[str | None, Meaning]) -> str:
    """Return one line for each schema, field and source, in columns; the first source that has a value counts."""
    rows = [HEADER]
    for schema_id, meaning in meanings.items():
        for field, sources in _fields(meaning):
            rows += [(_shown(schema_id or OTHERS), field, _pointer(source), source.why) for source in sources]
        rows.append((_shown(schema_id or OTHERS), "account_type", meaning.account_type, meaning.account_why))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    shown = [HEADER, *(_without_repetition(above, row) for above, row in pairwise(rows))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown
    )


def sentences(meanings: Mapping[str | None, Meaning]) -> Iterator[str]:
    """Yield a sentence for each schema: which field comes from where, first choices only."""
    for schema_id, meaning in meanings.items():
        parts = [f"{field} from {_pointer(sources[0])}" for field, sources in _fields(meaning) if sources]
        schema = f"Identity schema {_shown(schema_id)}" if schema_id else "Any other identity schema"
        yield f"{schema}: {', '.join([*parts, f'account_type {meaning.account_type}'])}."


def _fields(meaning: Meaning) -> list[tuple[str, Sequence[Source]]]:
    found = {
        "email": meaning.emails,
        "phone_numbers": meaning.phones,
        "username": meaning.usernames,
        "login": meaning.logins,
        "login_aliases": meaning.identifiers,
        "display_name": meaning.display_names,
        "first_name": meaning.first_names,
        "last_name": meaning.last_names,
        "employee_id": meaning.employee_ids,
        "account_type": (*meaning.account_types, *meaning.service_flags),
    }
    overrides = meaning.overrides
    return [
        (field, [overrides[field], *sources] if field in overrides else sources) for field, sources in found.items()
    ]


def _pointer(source: Source) -> str:
    parts = ("*" if part == EACH else str(part).replace("~", "~0").replace("/", "~1") for part in source.path)
    return _shown("".join(f"/{part}" for part in parts))


def _without_repetition(above: Sequence[str], row: Sequence[str]) -> list[str]:
    """Leave out the schema and the field where they are those of the line above."""
    same_schema = above[0] == row[0]
    same_field = same_schema and above[1] == row[1]
    return ["" if same_schema else row[0], "" if same_field else row[1], *row[2:]]


def _shown(text: str) -> str:
    """Ids and names are the project's own words; what would move the cursor is not shown."""
    return "".join(character if character.isprintable() else "?" for character in text)
