"""Paths into an identity, and how names on them are compared."""

from __future__ import annotations

import re
from functools import lru_cache

#: Stands in a path for every element of an array.
EACH = -1
#: The way to a value from the identity's root: names of members, indexes of elements, or EACH.
Path = tuple["str | int", ...]


@lru_cache(maxsize=4096)
def normal(name: str) -> str:
    """A name in lower case and without separators."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
