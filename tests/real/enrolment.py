"""Second factors at a real Ory Kratos, as its users set them up, and a security key as it lies in the database.

Knows the flows of the public port and the tables of the releases that the tests run; nothing of the tap.
"""

import base64
import hashlib
import hmac
import json
import struct
import time
import uuid
from typing import Any

import requests

from tests.real.server import Kratos

PASSWORD = "a test's own password"


def enrol_totp(kratos: Kratos, identifier: str) -> str:
    """Sign in with PASSWORD, set up an authenticator app through the settings flow and return its secret."""
    login = _flow(kratos, "login")
    body = {"method": "password", "identifier": identifier, "password": PASSWORD}
    token = {"X-Session-Token": _submit(login, body)["session_token"]}
    settings = _flow(kratos, "settings", token)
    (secret,) = [
        node["attributes"]["text"]["text"]
        for node in settings["ui"]["nodes"]
        if node["attributes"].get("id") == "totp_secret_key"
    ]
    _submit(settings, {"method": "totp", "totp_code": _code(secret)}, token)
    return str(secret)


def store_security_key(kratos: Kratos, identity_id: str, secret: str) -> None:
    """Put a key into the `webauthn` credential that Kratos keeps for everybody whose schema names one.

    No browser is there to make one; `secret` is in each of its parts.
    """
    hidden = base64.b64encode(secret.encode()).decode()
    key = {"id": hidden, "public_key": hidden, "display_name": secret, "added_at": "2026-01-01T00:00:00Z"}
    config = {"credentials": [{**key, "attestation_type": "none", "is_passwordless": False}], "user_handle": hidden}
    kratos.execute(
        "UPDATE identity_credentials SET config = ? WHERE identity_id = ? AND identity_credential_type_id ="
        " (SELECT id FROM identity_credential_types WHERE name = 'webauthn')",
        json.dumps(config),
        identity_id,
    )


def _flow(kratos: Kratos, name: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    response = requests.get(f"{kratos.public_url}self-service/{name}/api", headers=headers, timeout=30)
    response.raise_for_status()
    flow: dict[str, Any] = response.json()
    return flow


def _submit(flow: dict[str, Any], body: dict[str, str], headers: dict[str, str] | None = None) -> dict[str, Any]:
    response = requests.post(flow["ui"]["action"], json=body, headers=headers, timeout=30)
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer


def _code(secret: str) -> str:
    """The six digits that an authenticator app shows now (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    at = digest[-1] & 15
    number: int = struct.unpack(">I", digest[at : at + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def store_credential(kratos: Kratos, identity_id: str, kind: str, identifiers: list[str], config: Any) -> None:
    """Put a credential into the tables as the server does, for types that its release imports through no API.

    What it makes of it (`available_aal`) it works out when the identity is next written.
    """
    credential_id, now = str(uuid.uuid4()), "2026-01-01 00:00:00+00:00"
    kratos.execute(
        "DELETE FROM identity_credentials WHERE identity_id = ? AND identity_credential_type_id ="
        " (SELECT id FROM identity_credential_types WHERE name = ?)",
        identity_id,
        kind,
    )
    kratos.execute(
        "INSERT INTO identity_credentials (id, config, identity_credential_type_id, identity_id, created_at,"
        " updated_at, nid, version) SELECT ?, ?, t.id, i.id, ?, ?, i.nid, 1"
        " FROM identity_credential_types t, identities i WHERE t.name = ? AND i.id = ?",
        credential_id,
        json.dumps(config),
        now,
        now,
        kind,
        identity_id,
    )
    for identifier in identifiers:
        kratos.execute(
            "INSERT INTO identity_credential_identifiers (id, identifier, identity_credential_id, created_at,"
            " updated_at, nid, identity_credential_type_id) SELECT ?, ?, id, ?, ?, nid, identity_credential_type_id"
            " FROM identity_credentials WHERE id = ?",
            str(uuid.uuid4()),
            identifier,
            now,
            now,
            credential_id,
        )
