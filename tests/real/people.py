"""The identity schemas of a real test server and the people who fill it.

Varied on purpose: flat, nested and array traits, every kind of metadata that Kratos on SQLite can give back
(a bare number it can't), inactive people, addresses verified and not, imported passwords and social logins,
names in many scripts. The same seed gives the same people; ids and times are the server's choice.
Knows nothing of processes or HTTP.
"""

import random
from collections.abc import Iterator
from typing import Any, Final

Json = dict[str, Any]

# bcrypt of "a test's own password". Kratos stores an imported hash as it is, so nobody waits for hashing.
PASSWORD_HASH: Final = "$2a$12$ZxVidl30Bd07TioP32GH1eCuA9lNkr/cLutsznRn.nEIg7KttxBoa"

_EMAIL: Final[Json] = {
    "type": "string",
    "format": "email",
    "ory.sh/kratos": {
        "credentials": {"password": {"identifier": True}, "totp": {"account_name": True}},
        "verification": {"via": "email"},
        "recovery": {"via": "email"},
    },
}
_USERNAME: Final[Json] = {
    "type": "string",
    "ory.sh/kratos": {"credentials": {"password": {"identifier": True}}},
}
_NAME: Final[Json] = {
    "type": "object",
    "properties": {"first": {"type": "string"}, "last": {"type": "string"}},
}


def _schema(title: str, properties: Json, *required: str) -> Json:
    return {
        "$id": f"https://tap-ory.invalid/{title}.schema.json",
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": title,
        "type": "object",
        "properties": {"traits": {"type": "object", "properties": properties, "required": list(required)}},
    }


def identity_schemas(phone_via: str) -> dict[str, Json]:
    """Return the server's identity schemas by id; `phone_via` is its word for an SMS: "sms" or "phone"."""
    phone = {
        "type": "string",
        "format": "tel",
        "ory.sh/kratos": {
            "credentials": {"password": {"identifier": True}},
            "verification": {"via": phone_via},
        },
    }
    return {
        "person": _schema(
            "person",
            {
                "email": _EMAIL,
                "name": _NAME,
                "age": {"type": "integer"},
                "groups": {"type": "array", "items": {"type": "string"}},
            },
            "email",
        ),
        "staff": _schema(
            "staff",
            {"username": _USERNAME, "phone": {"type": "string"}, "employment": {"type": "object"}},
            "username",
        ),
        "customer": _schema(
            "customer",
            {
                "emails": {"type": "array", "items": _EMAIL},
                "address": {"type": "object"},
                "score": {"type": "number"},
            },
            "emails",
        ),
        "phone": _schema("phone", {"phone": phone}, "phone"),
        # The shapes and ids of the presets that a new Ory Network project starts with.
        "preset://email": _schema("preset-email", {"email": _EMAIL}, "email"),
        "preset://username": _schema("preset-username", {"username": _USERNAME}, "username"),
        "preset://basic": _schema(
            "preset-basic", {"email": _EMAIL, "name": _NAME, "newsletter": {"type": "boolean"}}, "email"
        ),
    }


_NAMES: Final = (
    ("Ada", "Lovelace"),
    ("Zoë", "Ångström"),
    ("Søren", "Kierkegaard"),
    ("美咲", "山田"),
    ("Ольга", "Ладыженская"),
    ("مريم", "ميرزاخاني"),
    ("🦊", "<b>&\"'\\/"),
    ("Line\nbreak", "Tab\t\u2028"),
    ("", " "),
)
_METADATA: Final[tuple[Any, ...]] = (
    None,
    {},
    {"employee_id": "E-1", "note": "<a & b>", "nested": {"deep": [1, {"x": None}]}},
    ["a", 1, 2.5, None, {"b": False}],
    "text",
    "17",
    [],
    "",
    {"big": 9007199254740993, "small": 1e-7, "huge": 1e300, "ключ": "値"},
)


def _traits(kind: str, seed: int, i: int, rng: random.Random) -> Json:
    first, last = rng.choice(_NAMES)
    unique = f"{seed}-{i}"
    email = f"{rng.choice(('Ann', 'bob', 'CAROL'))}.{unique}@Example.com"
    # Kratos takes only numbers that a country could have given out: a million of Berlin's for each seed.
    phone = f"+4930{2_000_000 + (seed * 1_000_000 + i) % 8_000_000}"
    traits: dict[str, Json] = {
        "person": {
            "email": email,
            "name": {"first": first, "last": last},
            "age": i % 90,
            "groups": [last] * (i % 3),
        },
        "staff": {
            "username": f"svc-{unique}",
            "phone": phone,
            "employment": {"manager": {"name": first}, "to": None},
        },
        "customer": {
            "emails": [email, f"2-{email}"],
            "address": {"city": last, "lines": [first]},
            "score": i / 8,
        },
        "phone": {"phone": phone},
        "preset://email": {"email": email},
        "preset://username": {"username": f"{unique}-zoë😀"},
        "preset://basic": {"email": email, "name": {"first": first}, "newsletter": i % 2 == 0},
    }
    return traits[kind]


def _credentials(seed: int, i: int) -> Json:
    credentials: Json = {}
    if i % 3 == 0:
        credentials["password"] = {"config": {"hashed_password": PASSWORD_HASH}}
    if i % 5 == 0:
        credentials["oidc"] = {"config": {"providers": [{"provider": "github", "subject": f"sub-{seed}-{i}"}]}}
    return credentials


def people(count: int, seed: int) -> Iterator[Json]:
    """Yield `count` bodies for `POST /admin/identities`; those of two seeds can live on one server."""
    rng = random.Random(seed)
    kinds = list(identity_schemas("sms"))
    for i in range(count):
        kind = kinds[i % len(kinds)]
        traits = _traits(kind, seed, i, rng)
        body: Json = {
            "schema_id": kind,
            "traits": traits,
            "state": "inactive" if i % 11 == 3 else "active",
            "metadata_public": rng.choice(_METADATA),
            "metadata_admin": rng.choice(_METADATA),
        }
        if credentials := _credentials(seed, i):
            body["credentials"] = credentials
        if "email" in traits and i % 2:
            body["verifiable_addresses"] = [
                {"value": traits["email"].lower(), "verified": True, "via": "email", "status": "completed"}
            ]
        yield body
