"""The identity schemas of the sandbox's people: a company's own, and one of Ory's presets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ory_sandbox.server_profiles import Manner

PERSON = "person"
STAFF = "staff"
CUSTOMER = "customer"
PRESET = "preset://basic"

_TEXT = {"type": "string"}
_VERIFIED_EMAIL = {"verification": {"via": "email"}, "recovery": {"via": "email"}}


def identity_schemas(manner: Manner) -> list[tuple[str, dict[str, Any]]]:
    """The ids and the JSON Schemas (draft 7, with Ory's extension keyword) of all people."""
    return [
        (PERSON, _person()),
        (STAFF, _staff()),
        (CUSTOMER, _customer(manner)),
        (PRESET, _preset(manner)),
    ]


def _email(title: str, credentials: dict[str, Any]) -> dict[str, Any]:
    extension = {"credentials": credentials, **_VERIFIED_EMAIL}
    return {"type": "string", "format": "email", "title": title, "ory.sh/kratos": extension}


def _schema(name: str, traits: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "$id": f"https://schemas.example.com/{name}.schema.json",
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": name.capitalize(),
        "type": "object",
        "properties": {
            "traits": {
                "type": "object",
                "properties": traits,
                "required": required,
                "additionalProperties": False,
            },
        },
    }


def _person() -> dict[str, Any]:
    sign_in = {
        "password": {"identifier": True},
        "totp": {"account_name": True},
        "webauthn": {"identifier": True},
    }
    return _schema(
        "person",
        {
            "email": _email("E-mail", sign_in),
            "name": {"type": "object", "properties": {"first": _TEXT, "last": _TEXT}},
            "job_title": _TEXT,
            "groups": {"type": "array", "items": _TEXT},
            "manager": {"type": ["string", "null"]},
        },
        ["email"],
    )


def _staff() -> dict[str, Any]:
    username = {"type": "string", "ory.sh/kratos": {"credentials": {"password": {"identifier": True}}}}
    return _schema(
        "staff",
        {
            "username": username,
            "phone": _TEXT,
            "service_account": {"type": "boolean"},
            "nested": {"type": "object"},
        },
        ["username"],
    )


def _customer(manner: Manner) -> dict[str, Any]:
    phone = {
        "type": "string",
        "format": "tel",
        "ory.sh/kratos": {
            "credentials": {"password": {"identifier": True}},
            "verification": {"via": manner.phone},
        },
    }
    address = {
        "type": "object",
        "properties": {
            "street": _TEXT,
            "postcode": _TEXT,
            "city": _TEXT,
            "country": _TEXT,
            "geo": {"type": "object", "properties": {"lat": {"type": "number"}, "lon": {"type": "number"}}},
        },
    }
    more_emails = {"type": "string", "format": "email", "ory.sh/kratos": _VERIFIED_EMAIL}
    return _schema(
        "customer",
        {
            "email": _email("E-mail", {"password": {"identifier": True}}),
            "phone": phone,
            "name": {"type": "object", "properties": {"given": _TEXT, "family": _TEXT}},
            "address": address,
            "more_emails": {"type": "array", "items": more_emails},
            "tags": {"type": "array", "items": _TEXT},
            "orders": {"type": "integer"},
            "balance": {"type": "number"},
            "nickname": {"type": ["string", "null"]},
        },
        ["email"],
    )


def _preset(manner: Manner) -> dict[str, Any]:
    sign_in: dict[str, Any] = {"password": {"identifier": True}, "totp": {"account_name": True}}
    if manner.sign_in_code:
        sign_in["code"] = {"identifier": True, "via": "email"}
    return _schema(
        "basic",
        {
            "email": _email("E-Mail", sign_in),
            "name": {"type": "object", "properties": {"first": _TEXT, "last": _TEXT}},
            "newsletter": {"type": "boolean"},
        },
        ["email"],
    )
