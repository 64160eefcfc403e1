"""A set of keys in a fifth of the memory that a set of texts takes: some 20 bytes each, whatever their length.

A UUID is kept as its 16 bytes, any other text as a hash of as many: two texts in 2**64 have the same one, and nobody
can look for such, as each set hashes in its own way.
"""

from __future__ import annotations

import os
import re
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Bytes of a key, and in how many buckets they lie: with a million keys 15 in each.
SIZE, BUCKETS = 16, 1 << 16
#: UUIDs as Ory writes them; in capitals they are other texts.
UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
#: Where a UUID has its hyphens, and how long it is with a comma behind it.
HYPHENS, LENGTH = (8, 13, 18, 23), 37


class KeySet:
    """Keys that a read has met."""

    def __init__(self) -> None:
        """Hold none yet."""
        self._buckets = [b""] * BUCKETS
        self._size = 0
        self._secret = os.urandom(SIZE)

    def __len__(self) -> int:
        """How many there are."""
        return self._size

    def add(self, keys: Iterable[str]) -> set[str]:
        """Put keys in; return those that were there before this call."""
        given = list(dict.fromkeys(keys))
        buckets, found = self._buckets, set()
        for key, packed in zip(given, self._packed(given), strict=True):
            number = hash(packed) % BUCKETS
            bucket = buckets[number]
            if packed in bucket and _holds(bucket, packed):
                found.add(key)
            else:
                buckets[number] = bucket + packed
        self._size += len(given) - len(found)
        return found

    def _packed(self, keys: list[str]) -> list[bytes]:
        uuids = _all_uuids(keys)
        if uuids is None:
            return [self._pack(key) for key in keys]
        return [uuids[at : at + SIZE] for at in range(0, len(uuids), SIZE)]

    def _pack(self, key: str) -> bytes:
        if UUID.fullmatch(key):
            return bytes.fromhex(key.replace("-", ""))
        return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=SIZE, key=self._secret).digest()


def _all_uuids(keys: list[str]) -> bytes | None:
    """The bytes of keys that are all UUIDs, put together; None if one is not. Several times faster than one by one."""
    text = ",".join([*keys, ""])
    digits = text.replace("-", "").replace(",", "")
    separators = [(at, "-") for at in HYPHENS] + [(LENGTH - 1, ",")]
    lengths = len(text), len(digits)
    if lengths != (LENGTH * len(keys), 2 * SIZE * len(keys)) or any(
        text[at::LENGTH] != mark * len(keys) for at, mark in separators
    ):
        return None
    try:
        packed = bytes.fromhex(digits)
    except ValueError:
        return None
    # Capitals are read as well, and blanks passed over.
    return packed if packed.hex() == digits else None


def _holds(bucket: bytes, packed: bytes) -> bool:
    """Whether a key is one of those in a bucket, and not a piece of two."""
    at = bucket.find(packed)
    while at >= 0 and at % SIZE:
        at = bucket.find(packed, at + 1)
    return at >= 0
