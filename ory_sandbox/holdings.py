"""What a project holds beside identities: clients, trusted issuers, consents, tuples, organizations, sessions.

Made up for the people of the sandbox, so that every id in it is one of theirs; the same for the same seed.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import count, islice
from typing import TYPE_CHECKING, Any

from ory_sandbox import sample_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Rows = Sequence[Mapping[str, Any]]
    #: Of each relation that a namespace permits by others: through which, and which one there, if it leads on.
    Permits = Mapping[str, Sequence[tuple[str, str]]]

_VIEW = (("viewers", ""), ("parents", "view"))
NAMESPACES: Mapping[str, Permits] = {
    "User": {},
    "Organization": {},
    "Team": {},
    "Role": {},
    "Folder": {"view": _VIEW},
    "Document": {"view": (("owners", ""), *_VIEW), "edit": (("owners", ""),)},
}
_BEGIN = datetime(2024, 6, 1, tzinfo=timezone.utc)
_LIFESPANS = (
    "authorization_code_grant_access_token",
    "authorization_code_grant_id_token",
    "authorization_code_grant_refresh_token",
    "client_credentials_grant_access_token",
    "implicit_grant_access_token",
    "implicit_grant_id_token",
    "jwt_bearer_grant_access_token",
    "refresh_token_grant_id_token",
    "refresh_token_grant_access_token",
    "refresh_token_grant_refresh_token",
)
_KEY = {"use": "sig", "kty": "RSA", "kid": "partner-key-1", "alg": "RS256", "n": "cHVibGljLWtleQ", "e": "AQAB"}


@dataclass(frozen=True)
class Holdings:
    """Rows as the servers list them, in their order; `sessions` carry the `identity_id` of whose they are."""

    clients: Rows = ()
    issuers: Rows = ()
    consents: Rows = ()
    tuples: Rows = ()
    organizations: Rows = ()
    sessions: Rows = ()
    namespaces: Mapping[str, Permits] = field(default_factory=lambda: NAMESPACES)


def holdings_of(ids: Sequence[str], seed: int, *, tuples: int | None = None) -> Holdings:
    """What people with these ids hold; `tuples` is how many there are, about two for each of them by default."""
    clients = [_client(number) for number in range(12)]
    return Holdings(
        clients=clients,
        issuers=[_issuer(number) for number in range(3)],
        consents=[_consent(each, clients[number % len(clients)], number) for number, each in enumerate(ids[::20])],
        tuples=list(islice(_tuples(ids), (2 * len(ids) if tuples is None else tuples) if ids else 0)),
        organizations=[_organization(number, each) for number, each in enumerate(sample_words.ORGANIZATIONS)],
        sessions=[session for each in ids for session in _sessions(each, seed)],
    )


def _time(moment: datetime) -> str:
    """A time as Go writes it."""
    return moment.isoformat().partition("+")[0].rstrip("0").rstrip(".") + "Z" if moment.microsecond else _second(moment)


def _second(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _client(number: int) -> dict[str, Any]:
    created = _BEGIN + timedelta(days=number, microseconds=123_456 + number)
    machine = bool(number % 3 // 2)
    return {
        "client_id": str(uuid.UUID(int=(number + 1) << 120, version=4)) if number else "my-own/id & co",
        "client_name": f"{'Nightly export' if machine else 'Web <shop>'} {number}",
        "redirect_uris": [] if machine else [f"https://shop-{number}.example.com/callback"],
        "grant_types": ["client_credentials"] if machine else ["authorization_code", "refresh_token"],
        "response_types": [] if machine else ["code"],
        "scope": "export.read" if machine else "openid offline email",
        "audience": [] if machine else ["https://api.example.com"],
        "owner": "" if machine else "team-shop",
        "policy_uri": "",
        "allowed_cors_origins": [],
        "tos_uri": "",
        "client_uri": "",
        "logo_uri": "",
        "contacts": [] if machine else ["shop@example.com"],
        "client_secret_expires_at": 0,
        "subject_type": "public",
        "jwks": {"keys": [_KEY]} if machine else {},
        "token_endpoint_auth_method": "private_key_jwt" if machine else "client_secret_post",
        "userinfo_signed_response_alg": "none",
        # Rounded, so that it may lie after the last change.
        "created_at": _second(created + timedelta(seconds=0.5)),
        "updated_at": _time(created),
        "metadata": {} if machine else {"cost_center": str(number)},
        "skip_consent": False,
        "skip_logout_consent": None,
        **dict.fromkeys((f"{name}_lifespan" for name in _LIFESPANS), None),
    }


def _issuer(number: int) -> dict[str, Any]:
    issuer = f"https://partner-{number}.example.com"
    return {
        "id": str(uuid.UUID(int=(number + 1) << 121, version=4)),
        "issuer": issuer,
        "subject": "svc@example.com" if number else "",
        "allow_any_subject": not number,
        "scope": ["export.read"] if number else [],
        "public_key": {"set": issuer, "kid": f"partner-key-{number}"},
        "created_at": _second(_BEGIN + timedelta(days=number)),
        "expires_at": "2036-01-01T00:00:00Z",
    }


def _consent(identity_id: str, client: Mapping[str, Any], number: int) -> dict[str, Any]:
    handled = _BEGIN + timedelta(hours=number, microseconds=17 * number + 1)
    challenge = uuid.uuid5(uuid.NAMESPACE_URL, identity_id).hex
    return {
        "consent_request_id": challenge,
        "grant_scope": ["openid", "email"],
        "grant_access_token_audience": [],
        "session": {"access_token": {"role": "buyer"}, "id_token": {"email": "somebody@example.com"}},
        "remember": True,
        "remember_for": 0,
        "handled_at": _time(handled),
        "context": {"ip": "192.0.2.1"},
        "consent_request": {
            "challenge": challenge,
            "consent_request_id": challenge,
            "requested_scope": ["openid", "email"],
            "requested_access_token_audience": [],
            "skip": False,
            "subject": identity_id,
            "oidc_context": {"login_hint": "somebody@example.com"},
            "client": client,
            "request_url": "https://oauth.example.com/oauth2/auth?state=secret-state&nonce=secret-nonce",
            "login_challenge": f"{challenge}-login",
            "login_session_id": f"{challenge}-session",
            "acr": "",
            "amr": [],
        },
    }


def _organization(number: int, organization_id: str) -> dict[str, Any]:
    return {
        "id": organization_id,
        "label": f"Customer {number}",
        "domains": [f"customer-{number}.example.com"],
        "created_at": _second(_BEGIN + timedelta(days=number)),
    }


def _tuples(ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Tuples without end: teams of ten in folders of a hundred people, and ever more documents of everybody."""
    for number in count():
        for place, each in enumerate(ids):
            document = f"doc-{place}-{number}"
            members = {"namespace": "Team", "object": f"team-{place // 10}", "relation": "members"}
            folder = {"namespace": "Folder", "object": f"folder-{place // 100}", "relation": ""}
            of_document: tuple[dict[str, Any], ...] = (
                {"relation": "owners", "subject_id": each},
                {"relation": "viewers", "subject_set": members},
                {"relation": "viewers", "subject_set": {"namespace": "User", "object": each, "relation": ""}},
                {"relation": "parents", "subject_set": folder},
            )
            if number == 0:
                yield {**members, "subject_id": each}
            else:
                made = {"namespace": "Document", "object": document, **of_document[(number + place) % len(of_document)]}
                yield made
                if place % 250 == 0:
                    # Written twice, it is there twice.
                    yield made


def _sessions(identity_id: str, seed: int) -> Iterator[dict[str, Any]]:
    """Up to three sessions of somebody, of the year before today's."""
    rolls = hashlib.shake_128(f"{seed}:sessions:{identity_id}".encode()).digest(64)
    for number in range(rolls[0] % 4):
        own = rolls[1 + 20 * number :][:20]
        issued = _BEGIN + timedelta(seconds=int.from_bytes(own[:3], "big") * 2, microseconds=own[3] * 3906 + own[4])
        # A second factor or a refresh moves it.
        signed_in = issued + timedelta(minutes=0 if own[6] % 4 else own[5])
        level = "aal1" if own[7] % 8 else "aal2"
        methods = [{"method": "password", "aal": "aal1", "completed_at": _time(issued)}]
        if level == "aal2":
            methods.append({"method": "totp", "aal": "aal2", "completed_at": _time(signed_in)})
        yield {
            "id": str(uuid.UUID(bytes=own[:16], version=4)),
            "active": bool(own[8] % 5),
            "expires_at": _time(signed_in + timedelta(days=3650)),
            "authenticated_at": _time(signed_in),
            "authenticator_assurance_level": level,
            "authentication_methods": methods,
            "issued_at": _time(issued),
            "devices": [
                {
                    "id": str(uuid.UUID(bytes=own[4:20], version=4)),
                    "ip_address": f"192.0.2.{own[9]}:{40000 + own[10]}",
                    "user_agent": "ExampleApp/1.0 (synthetic)",
                    "location": "",
                },
            ],
            "identity_id": identity_id,
        }
