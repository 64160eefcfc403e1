"""Where an answer can be cut: at every kind of place in its bytes.

Knows nothing of who cuts it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def _middle(wire: bytes, start: int) -> int:
    return (start + len(wire)) // 2


def _behind(pattern: bytes) -> Callable[[bytes, int], int]:
    """Behind the first place past the middle, else past the start, where something is."""

    def find(wire: bytes, start: int) -> int:
        found = re.compile(pattern).search(wire, _middle(wire, start)) or re.compile(pattern).search(wire, start)
        return found.end() if found else _middle(wire, start)

    return find


#: Each finds a place in an answer, given where its body begins.
PLACES: dict[str, Callable[[bytes, int], int]] = {
    "head": lambda _, start: start // 2,
    "end of head": lambda _, start: start,
    "first bytes": lambda _, start: start + 9,
    "middle": _middle,
    "id": _behind(rb'\{"id":"[0-9a-f-]{10}'),
    "name": _behind(rb'"[a-z_]{3}(?=[a-z_]*":)'),
    "escape": _behind(rb"\\u[0-9a-f]{2}"),
    "character": _behind(rb"[\xc3-\xf4]"),
    "number": _behind(rb":[0-9]"),
    "nested array": _behind(rb'[^\\]"[^\[\]]{1,40}\]'),
    "object": _behind(rb"\}"),
    "between rows": _behind(rb'\},(?=\{"id":"[0-9a-f-]{36}",)'),
    "last bracket": lambda wire, _: wire.rindex(b"]"),
    "last chunk": lambda wire, _: len(wire) - 4,
}


def first_part(wire: bytes, place: str) -> bytes:
    """What of an answer comes before a place of ``PLACES``."""
    return wire[: PLACES[place](wire, wire.index(b"\r\n\r\n") + 4)]


def unframed(wire: bytes) -> bytes:
    """An answer whose end is where the connection ends."""
    head, _, body = wire.partition(b"\r\n\r\n")
    chunk = re.match(rb"[0-9a-f]+\r\n", body) if b"\r\nTransfer-Encoding: chunked" in head else None
    text = body[chunk.end() : -len(b"\r\n0\r\n\r\n")] if chunk else body
    head = re.sub(rb"\r\n(Transfer-Encoding|Content-Length): [^\r]*", b"", head)
    return head + b"\r\nConnection: close\r\n\r\n" + text
