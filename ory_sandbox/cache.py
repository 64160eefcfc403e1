"""Made-up people, packed; kept in a file from one start to the next, for they take seconds by the million."""

from __future__ import annotations

import hashlib
import os
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

from ory_sandbox.people import People, identity_ids
from ory_sandbox.store import Packed, Store, pack

if TYPE_CHECKING:
    from ory_sandbox.server_profiles import Manner


def cached_store(  # noqa: PLR0913, PLR0917 what people are made of, and where they are kept
    manner: Manner, count: int, seed: int, public_url: str, cache_dir: Path | None, names: str = "mixed"
) -> Store:
    """The people of a manner, a seed and some names, whose schema URLs are below ``public_url``."""
    descending = not manner.keyset
    if cache_dir is None:
        return Store(*_made_up(manner, count, seed, public_url, names), descending=descending)
    # Rows hold the public URL. One of the same length can be put in its place.
    parts = (manner.name, names, count, seed, len(public_url), _source_digest())
    file = cache_dir / f"identities-{'-'.join(map(str, parts))}.rows"
    if not file.exists():
        cache_dir.mkdir(parents=True, exist_ok=True)
        _write(file, public_url, *_made_up(manner, count, seed, public_url, names))
    return Store(*_read(file, public_url), descending=descending)


def _made_up(manner: Manner, count: int, seed: int, public_url: str, names: str) -> list[Packed]:
    # Numbered in ascending order, so that both orders of pages have the same people.
    ids = list(enumerate(identity_ids(count, seed)))
    if not manner.keyset:
        ids.reverse()
    return pack(People(manner, seed, public_url, names).rows(iter(ids)), columns=2)


def _source_digest() -> str:
    """Changes with the code that makes people up."""
    here = Path(__file__).parent
    names = ("people.py", "logins.py", "sample_data.py", "sample_words.py", "render.py", "schemas.py")
    source = b"".join((here / name).read_bytes() for name in names)
    return hashlib.sha256(source).hexdigest()[:12]


def _write(file: Path, public_url: str, rows: Packed, credentials: Packed) -> None:
    # Under another name first: what has the right name is whole.
    unfinished = file.with_suffix(f".{os.getpid()}")
    with unfinished.open("wb") as stream:
        stream.write(public_url.encode())
        for packed in (rows, credentials):
            stream.write(array("Q", [len(packed.ends), len(packed.buffer)]).tobytes())
            packed.ends.tofile(stream)
            stream.write(packed.buffer)
    unfinished.replace(file)


def _read(file: Path, public_url: str) -> list[Packed]:
    with file.open("rb") as stream:
        written_url = stream.read(len(public_url.encode()))

        def packed() -> Packed:
            sizes: array[int] = array("Q")
            sizes.fromfile(stream, 2)
            ends: array[int] = array("Q")
            ends.fromfile(stream, sizes[0])
            buffer = stream.read(sizes[1])
            if written_url != public_url.encode():
                buffer = buffer.replace(written_url, public_url.encode())
            return Packed(buffer, ends)

        return [packed(), packed()]
