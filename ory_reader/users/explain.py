"""`tap-ory --explain-users`: which trait becomes which field of a user, per identity schema.

Turns meanings into words; knows nothing of how they were found, nor of records.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from ory_reader.json_pointer import pointer_to
from ory_reader.traits.paths import EACH
from ory_reader.users.mapping import OTHERWISE, UNDECLARED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ory_reader.users.mapping import Source, UserMapping

HEADER = ("identity schema", "field of users", "comes from", "why")
ANY = "(any)"
FURTHER = "Where a schema declares no trait for a field but allows further ones, those of well-known names count."
SHAPES = "A value of another shape than declared counts too: text, a number, an array, an object with a value in it."
OTHERS = "Identities of any other schema are read by well-known names of traits."


class _Choice(NamedTuple):
    """Where a field may come from, and why, in words."""

    field: str
    where: str
    why: str


def table(meanings: Mapping[str | None, UserMapping]) -> str:
    """Return one line for each schema, field and source, in columns; the first source that has a value counts.

    Of traits that a schema allows and does not declare there are dozens, and mostly nobody has them: one line
    tells of all.
    """
    rows = [HEADER]
    for schema_id, meaning in _told(meanings):
        rows += [(_shown(schema_id or ANY), *choice) for choice in _choices(meaning)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    shown = [HEADER, *(_without_repetition(above, row) for above, row in pairwise(rows))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in shown]
    return "\n".join([*lines, SHAPES, FURTHER, OTHERS] if len(meanings) > 1 else lines)


def sentences(meanings: Mapping[str | None, UserMapping]) -> Iterator[str]:
    """Yield a sentence for each schema: which field comes from which trait, first choices only."""
    for schema_id, meaning in _told(meanings):
        first: dict[str, str] = {}
        for field, where, _ in _choices(meaning):
            if where.startswith("/"):
                first.setdefault(field, where)
        parts = [f"{field} from {where}" for field, where in first.items()]
        yield f"Users of identity schema {_shown(schema_id or ANY)}: {', '.join(parts) or 'no trait is known'}."


def _told(meanings: Mapping[str | None, UserMapping]) -> list[tuple[str | None, UserMapping]]:
    """The schemas that are known; if none is, what stands in for all."""
    return [item for item in meanings.items() if item[0] is not None] or list(meanings.items())


def _choices(meaning: UserMapping) -> list[_Choice]:
    """The choices for each field, the ones that are no trait included and undeclared traits not."""
    otherwise = ("email", "username") if meaning.identifiers else ("username", "email")
    fields: dict[str, tuple[Sequence[Source], Sequence[str]]] = {
        "email": (meaning.emails, ["verifiable and recovery addresses"]),
        "phone_numbers": (meaning.phones, ["verifiable addresses"]),
        "username": (meaning.usernames, []),
        "login": (meaning.logins, otherwise),
        "login_aliases": (meaning.identifiers, []),
        "display_name": (meaning.display_names, ["first_name last_name", "username", "email", "login", "id"]),
        "first_name": (meaning.first_names, []),
        "last_name": (meaning.last_names, []),
        "employee_id": (meaning.employee_ids, []),
        "account_type": ((*meaning.account_types, *meaning.service_flags), []),
    }
    choices = []
    for field, (sources, others) in fields.items():
        override = meaning.overrides.get(field, ())
        declared = [source for source in (*override, *sources) if source.why not in {UNDECLARED, OTHERWISE}]
        choices += [_Choice(field, _pointer(source), source.why) for source in declared]
        choices += [_Choice(field, ", ".join(others), "otherwise")] if others else []
    return [*choices, _Choice("account_type", meaning.account_type, meaning.account_why)]


def _pointer(source: Source) -> str:
    return _shown(pointer_to("*" if part == EACH else part for part in source.path))


def _without_repetition(above: Sequence[str], row: Sequence[str]) -> list[str]:
    """Leave out the schema and the field where they are those of the line above."""
    same_schema = above[0] == row[0]
    same_field = same_schema and above[1] == row[1]
    return ["" if same_schema else row[0], "" if same_field else row[1], *row[2:]]


def _shown(text: str) -> str:
    """Ids and names are the project's own words; what would move the cursor is not shown."""
    return "".join(character if character.isprintable() else "?" for character in text)
