"""Ranges of ids: slices of a key space that readers follow, and what of it cannot be read.

Rows of a keyset server come in ascending order of their ids, and any id works as a page token: so the key space can be
read in slices, each by itself.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY_SPACE = 1 << 128
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class IdRange(NamedTuple):
    """The ids behind `after` (None: from the first) up to `last`, which belongs to it."""

    after: str | None
    last: str


def joined(ranges: Iterable[IdRange]) -> list[IdRange]:
    """Ranges in order, with those that meet as one: a border of slices between the two is nobody's business."""
    whole: list[IdRange] = []
    for each in sorted(ranges, key=attrgetter("last")):
        if whole and whole[-1].last == each.after:
            whole[-1] = IdRange(whole[-1].after, each.last)
        else:
            whole.append(each)
    return whole


@dataclass
class Slice:
    """A range of the key space, or a whole chain of offset pages, that one reader follows.

    `position` is the token of the next request (None: from the start). `upper` is the last id that belongs
    to the slice (None: to the end). `written` is how far its rows have reached the output, and `all_written`
    that they all have.
    """

    position: str | None = None
    upper: str | None = None
    written: str | None = None
    all_written: bool = False
    done: bool = False
    #: The next row that makes the server answer 500 is among so many; 0 where none is suspected.
    suspects: int = 0
    #: Width of the stretch that the last page covered: what says how many pages are left.
    gap: int = 0

    def stretch(self) -> int:
        """The width of what is still to be read, in ids."""
        return 0 if self.done else key(self.upper, KEY_SPACE - 1) - key(self.position)

    def split(self) -> Slice:
        """Give the upper half of what is still to be read away, as a slice of its own."""
        middle = token(key(self.position) + self.stretch() // 2)
        taken = Slice(position=middle, upper=self.upper, written=middle, gap=self.gap)
        self.upper = middle
        return taken


def key(page_token: str | None, default: int = 0) -> int:
    """Where a keyset token stands in the key space; `default` for no token."""
    return default if page_token is None else uuid.UUID(page_token).int


def token(number: int) -> str:
    """The keyset token at a place of the key space."""
    return str(uuid.UUID(int=number))


#: No row lies behind it.
LAST_ID = token(KEY_SPACE - 1)


def cut(rest: Slice, count: int) -> list[Slice]:
    """Cut a slice into `count` of equal width, in order; `rest` itself stays as it is."""
    width, start = rest.stretch() // count, key(rest.position)
    bounds = [token(start + width * number) for number in range(1, count)]
    uppers = [*bounds, rest.upper]
    others = [Slice(at, upper, written=at, gap=rest.gap) for at, upper in zip(bounds, uppers[1:], strict=True)]
    return [replace(rest, upper=uppers[0]), *others]


def spread(slices: list[Slice], count: int) -> list[Slice]:
    """Cut the widest of some slices until there are `count`, or more if there were, in order; they stay as they are."""
    parts = [1] * len(slices)
    while 0 < sum(parts) < count:
        widest = max(range(len(slices)), key=lambda each: slices[each].stretch() / parts[each])
        if slices[widest].stretch() <= parts[widest]:
            break
        parts[widest] += 1
    return [piece for rest, number in zip(slices, parts, strict=True) for piece in cut(rest, number)]
