"""Pages of consents in, records out: who lets which client do what, and nothing of what was said while they did.

The rest of a row tells claims of tokens, what was asked for with state and nonce, and sessions: it is not decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import simplejson
from msgspec import UNSET, UnsetType

from ory_reader.lossless_json import loads_page, without_nul
from ory_reader.pagination.page import not_a_page
from ory_reader.records.decoder import LONE_SURROGATE, RecordDecoder

if TYPE_CHECKING:
    from collections.abc import Collection


class _Client(msgspec.Struct):
    client_id: str


class _Request(msgspec.Struct):
    subject: str
    client: _Client


class _Consent(msgspec.Struct):
    handled_at: str
    consent_request: _Request
    consent_request_id: msgspec.Raw | UnsetType = UNSET
    grant_scope: msgspec.Raw | UnsetType = UNSET
    grant_access_token_audience: msgspec.Raw | UnsetType = UNSET
    remember: msgspec.Raw | UnsetType = UNSET
    remember_for: msgspec.Raw | UnsetType = UNSET


_decoder = msgspec.json.Decoder(list[_Consent])
_encoder = msgspec.json.Encoder()
KEPT = ("consent_request_id", "grant_scope", "grant_access_token_audience", "remember", "remember_for")


class ConsentDecoder(RecordDecoder):
    """Turns pages of consents into records."""

    def rows(self, body: bytes, *, upper: str | None = None, seen: Collection[str] = ()) -> list[Any]:  # noqa: ARG002
        """Decode a page into rows without those that were handled at a time in `seen`.

        Raises:
            AnswerError: if the page is no JSON array of consents.
        """
        flat = [_flat(each) for each in _consents(body) if each.handled_at not in seen]
        return super().rows(_encoder.encode(flat))


def _flat(each: _Consent) -> dict[str, Any]:
    request = each.consent_request
    kept = {name: value for name in KEPT if (value := getattr(each, name)) is not UNSET}
    return {
        "subject": request.subject,
        "client_id": request.client.client_id,
        "handled_at": each.handled_at,
        **kept,
    }


def _consents(body: bytes) -> list[_Consent]:
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        page = simplejson.dumps(loads_page(without_nul(body)), use_decimal=True, ensure_ascii=False)
        return _decoder.decode(LONE_SURROGATE.sub("\ufffd", page))
    except (ValueError, RecursionError):
        raise not_a_page() from None
