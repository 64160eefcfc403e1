"""Page tokens as Ory's newest services make them: encrypted, different with each answer, good for an hour."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time

LIFETIME_SECONDS = 3600
_NONCE = 24
_MAC = 16


class BadTokenError(Exception):
    """It is none of this server's. `short`: it is not even long enough to be one."""

    def __init__(self, *, short: bool) -> None:
        """Remember which it is."""
        super().__init__()
        self.short = short


class ExpiredTokenError(Exception):
    """It was this server's."""


class OpaqueTokens:
    """The tokens of one server."""

    def __init__(self) -> None:
        """Make a key that nobody has."""
        self._key = secrets.token_bytes(32)
        self._ahead = 0.0

    def make(self, position: str) -> str:
        """A token that stands for a position in a list."""
        nonce = secrets.token_bytes(_NONCE)
        text = f"{self._now() + LIFETIME_SECONDS}:{position}".encode()
        hidden = bytes(a ^ b for a, b in zip(text, self._stream(nonce, len(text)), strict=True))
        return base64.urlsafe_b64encode(nonce + self._mac(nonce + hidden) + hidden).decode()

    def position(self, token: str) -> str:
        """The position that a token stands for.

        Raises:
            BadTokenError: It stands for none.
            ExpiredTokenError: It did.
        """
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            raise BadTokenError(short=True) from None
        nonce, mac, hidden = raw[:_NONCE], raw[_NONCE : _NONCE + _MAC], raw[_NONCE + _MAC :]
        if not hmac.compare_digest(mac, self._mac(nonce + hidden)):
            raise BadTokenError(short=len(raw) < _NONCE)
        text = bytes(a ^ b for a, b in zip(hidden, self._stream(nonce, len(hidden)), strict=True)).decode()
        expires, _, position = text.partition(":")
        if float(expires) < self._now():
            raise ExpiredTokenError
        return position

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass for all tokens."""
        self._ahead += seconds

    def _now(self) -> float:
        return time.time() + self._ahead

    def _stream(self, nonce: bytes, length: int) -> bytes:
        return hashlib.shake_256(self._key + nonce).digest(length)

    def _mac(self, data: bytes) -> bytes:
        return hmac.digest(self._key, data, "sha256")[:_MAC]
