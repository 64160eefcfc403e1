"""What the headers of a page say: the token of the next one, and how many rows there are in all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from ory_reader.errors import AnswerError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A token that is longer is none: keyset tokens have 36 characters, offset tokens about 30, encrypted ones about 200.
TOKEN = re.compile(r"[\x21-\x7e]{1,2048}")
#: Link relations are case-insensitive and need no quotes (RFC 8288).
NEXT = re.compile(r';\s*rel\s*=\s*"?next"?\s*(?:[;,]|$)', re.IGNORECASE)


def next_page_token(link_header: str | None) -> str | None:
    """Return the `page_token` of the link with `rel="next"`, or None if there is none.

    Nothing else of the link is used: it is relative, may miss a proxy's path prefix, and up to Kratos v1.0
    names an internal host.

    Raises:
        AnswerError: if a next page exists but its token cannot be read.
    """
    for url, parameters in re.findall(r"<([^<>]*)>([^<>]*)", link_header or ""):
        if not NEXT.search(parameters):
            continue
        tokens = parse_qs(url.partition("?")[2].partition("#")[0]).get("page_token", [])
        if len(tokens) == 1 and re.fullmatch(TOKEN, tokens[0]):
            return str(tokens[0])
        msg = (
            "The server links to a next page without a page token that can be used. Kratos v0.10 and older "
            "paginate so and are not supported: upgrade the server."
        )
        raise AnswerError(msg)
    return None


def total_count(headers: Mapping[str, str]) -> int | None:
    """Return the number of all rows where an answer tells it: `X-Total-Count`, of servers with offset pages mostly."""
    total = headers.get("X-Total-Count", "")
    return int(total) if re.fullmatch(r"\d{1,12}", total, re.ASCII) else None
