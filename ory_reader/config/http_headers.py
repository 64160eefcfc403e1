"""The setting `http_headers`: what a gateway before the Admin API wants to see, and what is secret of it."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from ory_reader.errors import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

#: RFC 9110: what a name may be made of.
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
#: What decides how a request and its answer are framed and read, which is not for others to say.
OURS = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "content-type", "expect", "if-modified-since"}
    | {"if-none-match", "keep-alive", "proxy-connection", "range", "te", "trailer", "transfer-encoding", "upgrade"}
)
#: Shorter words are no secrets, and masking them would leave nothing to read.
MIN_SECRET = 4


def clean_headers(given: Mapping[str, str], api_token: str | None) -> dict[str, str]:
    """Return the headers without those that are empty.

    Raises:
        SettingsError: naming a header, never its value, if it cannot be sent or another setting is for it.
    """
    headers: dict[str, str] = {}
    for name, value in given.items():
        text = value.strip()
        if not NAME.fullmatch(name):
            refuse("http_headers", "has a name that no header may have", "names are letters, digits and hyphens")
        if name.lower() in {known.lower() for known in headers}:
            refuse("http_headers", f"names {name} twice", "keep one")
        if name.lower() in OURS:
            refuse("http_headers", f"names {name}, which is the tap's own to set", "take it out")
        if name.lower() == "user-agent":
            refuse("http_headers", f"names {name}", "set user_agent instead")
        if name.lower() == "authorization" and api_token and text:
            refuse("http_headers", f"names {name}, and api_token is sent in it", "set one of the two")
        if text and not VALUE.fullmatch(text):
            refuse("http_headers", f"gives {name} a line break or a character beyond ASCII", "write it once more")
        if text:
            headers[name] = text
    return headers


def secret_texts(headers: Mapping[str, str]) -> frozenset[str]:
    """Return all that must not be shown: each value, its words behind the first, a password in them."""
    texts: set[str] = set()
    for value in headers.values():
        texts |= {value, *value.split()[1:]}
        if value[:6].lower() == "basic ":
            texts |= _user_and_password(value[6:].strip())
    return frozenset(text for text in texts if len(text) >= MIN_SECRET)


def masked(text: str, secrets: Mapping[str, str]) -> str:
    """Return what a server or a proxy said, should it echo the request, with `secrets` and their forms in a URL masked.

    `secrets` maps each to what is shown in its place.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        for form in {secret, quote(secret), quote_plus(secret), quote(secret, safe="")}:
            text = re.sub(re.escape(form), secrets[secret], text, flags=re.IGNORECASE)
    return text


def has_authorization(headers: Mapping[str, str]) -> bool:
    """Tell whether the headers say who we are in place of a key."""
    return any(name.lower() == "authorization" for name in headers)


def _user_and_password(encoded: str) -> set[str]:
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        return set()
    return {decoded, decoded.partition(":")[2]}
