"""People of a real Ory Kratos whose identity schema has changed since they came."""

import json
from typing import Any

from tap_ory.tap import TapOry
from tests.command import records, sync
from tests.real.test_users import BY_EMAIL, SIGN_IN, TEXT, document, trait
from tests.servers import run_kratos

Json = dict[str, Any]
EMAIL = trait("email", SIGN_IN, **BY_EMAIL)
BEFORE = document("person", email=EMAIL, name=TEXT, phone=TEXT, number=TEXT)
AFTER = document(
    "person",
    email={"type": "array", "items": EMAIL},
    name={"type": "object", "properties": {"first": TEXT, "last": TEXT}},
    phone={"type": "array", "items": TEXT},
    number={"type": "integer"},
)
NAMES = ("email", "email_verified", "login", "login_aliases", "phone_numbers", "display_name", "first_name")


def test_old_people_lose_nothing_under_a_new_schema() -> None:
    with run_kratos("v1.3.1", 0, {"person": BEFORE}) as kratos:
        old = {"email": "old@example.com", "name": " Jane   Doe", "phone": "+15550100"}
        old_id = kratos.create({"traits": old})["id"]
        kratos.change_schema("person", AFTER)
        new = {
            "email": ["new@example.com", "b@example.com"],
            "name": {"first": "Ann", "last": "Lee"},
            "phone": ["+1555"],
        }
        new_id = kratos.create({"traits": new})["id"]
        config = {"base_url": kratos.admin_url}
        catalog: Json = json.loads(json.dumps(TapOry(config=config, setup_mapper=False).catalog_dict))
        for stream in catalog["streams"]:
            (root,) = [entry for entry in stream["metadata"] if not entry["breadcrumb"]]
            root["metadata"]["selected"] = stream["tap_stream_id"] == "users"
        users = {each["id"]: each for each in records(sync(config, catalog=catalog))}
    assert {name: users[old_id][name] for name in NAMES} == {
        "email": "old@example.com",
        "email_verified": False,
        "login": "old@example.com",
        "login_aliases": [],
        "phone_numbers": ["+15550100"],
        "display_name": "Jane Doe",
        "first_name": None,
    }
    assert {name: users[new_id][name] for name in NAMES} == {
        "email": "new@example.com",
        "email_verified": False,
        "login": "new@example.com",
        "login_aliases": ["b@example.com"],
        "phone_numbers": ["+1555"],
        "display_name": "Ann Lee",
        "first_name": "Ann",
    }
    assert users[old_id]["nonconforming_traits"] == {
        "/email": "old@example.com",
        "/name": " Jane   Doe",
        "/phone": "+15550100",
    }
