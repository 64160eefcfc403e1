"""Traits of another shape than their identity schema says: the texts that are where a source points.

Schemas change under old data: a name was text and is an object now, a phone number was text and is an array. Here
a value is looked at as it is. Knows paths and well-known names of traits; nothing of identities or records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ory_reader.lossless_json import loads
from ory_reader.traits.decoder_types import plain_number
from ory_reader.traits.paths import EACH, normal
from ory_reader.users.well_known_names import BELOW_NAME, FIRST_NAME, LAST_NAME, NAME_OBJECT, SINGLE, YES, value_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import msgspec

    from ory_reader.traits.paths import Path

#: How deep an array or object is looked into for a value: `[{"value": "..."}]`.
MAX_DEPTH = 2


def plain(raw: msgspec.Raw) -> Any:
    """Traits as they came; None where they are nested deeper than can be looked into."""
    try:
        return loads(bytes(raw))
    except RecursionError:
        return None


def found(value: Any, path: Path) -> list[str]:
    """All texts at a path, whatever shape they have there; numbers are texts, blanks are none."""
    return [text for text in map(_text, _reach(value, path, 0)) if text]


def found_numbers(value: Any, path: Path) -> list[str]:
    """All numbers at a path, as texts."""
    return [text for text in map(plain_number, _reach(value, path, 0)) if text]


def flagged(value: Any, path: Path) -> bool:
    """Whether something at a path says yes."""
    return any(map(says_yes, _reach(value, path, 0)))


def says_yes(value: Any) -> bool:
    """Whether a value is true, or a word for it."""
    return value is True or (isinstance(value, (str, int)) and str(value).strip().lower() in YES)


def _reach(value: Any, path: Path, at: int) -> Iterator[Any]:
    """The scalars at what is left of a path: an array stands for its elements, a value for an array of itself."""
    if at == len(path):
        yield from _scalars(value, path, MAX_DEPTH)
        return
    for below, further in _steps(value, path, at):
        yield from _reach(below, path, further)


def _steps(value: Any, path: Path, at: int) -> Iterable[tuple[Any, int]]:
    """Where the next part of a path leads from a value, and which part is next there."""
    part = path[at]
    if part == EACH:
        return [(each, at + 1) for each in (_elements(value) if isinstance(value, list) else [value])]
    if isinstance(value, dict):
        return [(member, at + 1) for member in _members(value, path, at)]
    if isinstance(value, list):
        if isinstance(part, int):
            return [(each, at + 1) for each in value[part : part + 1]]
        return [(each, at) for each in _elements(value) if isinstance(each, dict)]
    # What is an object with a `value` for others is the value itself here.
    return [(value, at + 1)] if at == len(path) - 1 and _is_value(path) else ()


def _members(value: dict[str, Any], path: Path, at: int) -> Iterator[Any]:
    """The member that a path names; in a name, then others that mean the same."""
    part = path[at]
    if part in value:
        yield value[str(part)]
    above = path[at - 1] if at else ""
    if isinstance(part, str) and isinstance(above, str) and normal(above) in NAME_OBJECT:
        meant = _meaning(part)
        yield from (each for name, each in value.items() if name != part and meant and _meaning(name) is meant)


def _meaning(name: str) -> frozenset[str] | None:
    name = BELOW_NAME.get(normal(name), normal(name))
    return next((names for names in (FIRST_NAME, LAST_NAME) if name in names), None)


def _is_value(path: Path) -> bool:
    """Whether the last name only says that here is the value of what is above."""
    names = [normal(part) for part in path if isinstance(part, str)]
    return len(names) > 1 and names[-2] in SINGLE - NAME_OBJECT and names[-1] in value_names(names[-2])


def _scalars(value: Any, path: Path, depth: int) -> Iterator[Any]:
    if isinstance(value, list):
        for each in _elements(value) if depth else ():
            yield from _scalars(each, path, depth - 1)
    elif isinstance(value, dict):
        place = next((normal(part) for part in reversed(path) if isinstance(part, str)), "")
        for name in value_names(place) if depth else ():
            for member, each in value.items():
                if normal(member) == name:
                    yield from _scalars(each, path, depth - 1)
    else:
        yield value


def _elements(values: list[Any]) -> list[Any]:
    """The elements of an array, the one that calls itself primary first."""
    return sorted(values, key=lambda each: not (isinstance(each, dict) and each.get("primary") is True))


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value if not value.isspace() else None
    return plain_number(value)
