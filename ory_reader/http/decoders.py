"""The body of an answer, read and unpacked within bounds of size and time. Knows nothing of what is in it."""

from __future__ import annotations

import gzip
import io
import time
import zlib
from typing import TYPE_CHECKING

import requests
import urllib3.exceptions

from ory_reader.errors import AnswerError

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK_BYTES = 1024 * 1024
#: What is asked for, so that nothing else has to be unpacked.
ACCEPT_ENCODING = "gzip"


def read_body(response: requests.Response, *, seconds: float, most: int) -> bytes:
    """Return the whole body of an answer that is streamed, of at most so many bytes, packed or unpacked.

    It is unpacked here: what `urllib3` 2.8 keeps of a gzip of several members can grow without bound (its decoder goes
    on with one that has come to its end). A bomb of 2 GiB filled 22 GB so, in one read of five.

    Raises:
        AnswerError: if it is larger.
        requests.exceptions.ReadTimeout: if it takes longer than so many seconds.
        requests.exceptions.ChunkedEncodingError: if it does not come whole.
    """
    deadline = time.monotonic() + seconds

    def piece() -> bytes:
        if time.monotonic() > deadline:
            raise requests.exceptions.ReadTimeout
        # Whatever has come by now: to wait for a certain number of bytes is to wait for a drip to end.
        return response.raw.read1(CHUNK_BYTES, decode_content=False)

    try:
        body = _all_of(piece, most, response.url)
        if response.headers.get("Content-Encoding", "").strip().lower() in {"gzip", "x-gzip"}:
            with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
                body = _all_of(lambda: packed.read1(CHUNK_BYTES), most, response.url)
    except (urllib3.exceptions.HTTPError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise requests.exceptions.ChunkedEncodingError(error) from error
    return body


def _all_of(piece: Callable[[], bytes], most: int, url: str) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := piece():
        chunks.append(chunk)
        size += len(chunk)
        if size > most:
            msg = (
                f"{url.split('?', maxsplit=1)[0]} answered with more than {most >> 20} MiB. "
                "Lower page_size, or check that base_url is an Ory Admin API."
            )
            raise AnswerError(msg)
    return b"".join(chunks)
