"""JSON pointers (RFC 6901): the names on the way to a value, as one text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What can be the name of a member on a way that we follow: compiled code and decoders hold it as it is.
USABLE_NAME = re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]*')


def parts_of(pointer: str) -> tuple[str, ...]:
    """Return the names in a pointer; it begins with a slash, or is empty."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def pointer_to(parts: Iterable[object]) -> str:
    """Return the pointer of names (or numbers of elements)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)
