"""user_fields and account_types: what a project may say about its users, and what is refused."""

from typing import Any

import pytest

from ory_reader.config.user_fields import parse_account_types, parse_user_fields
from ory_reader.errors import SettingsError


def test_pointers_for_all_and_for_one_schema() -> None:
    given = {
        "email": "/traits/contact/mail",
        "employee_id": "/metadata_public/a~1b~0c",
        "staff": {"username": "/traits/nicks/0", "login": "/external_id"},
    }
    assert parse_user_fields(given) == {
        None: {"email": ("traits", "contact", "mail"), "employee_id": ("metadata_public", "a/b~c")},
        "staff": {"username": ("traits", "nicks", "0"), "login": ("external_id",)},
    }


def test_a_schema_may_be_called_like_a_field() -> None:
    assert parse_user_fields({"email": {"login": "/traits/x"}}) == {None: {}, "email": {"login": ("traits", "x")}}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"mail": "/traits/x"}, "names 'mail', which is no field of a user: use one of email, "),
        ({"staff": {"id": "/traits/x"}}, "names 'id'"),
        ({"email": "traits/x"}, "gives email no JSON pointer"),
        ({"staff": {"email": 17}}, "gives email no JSON pointer"),
        ({"email": ""}, "gives email no JSON pointer"),
        ({"email": "/mail"}, "looks for email in /mail: begin the pointer with one of /traits, "),
        ({"email": "/credentials/password/config/hashed_password"}, "looks for email in /credentials"),
        ({"email": "/traits"}, "points for email at no value"),
        ({"email": "/external_id/x"}, "points for email at no value"),
        ({"email": "/traits" + "/a" * 8}, "gives email a pointer that cannot be followed"),
        ({"email": '/traits/"'}, "gives email a pointer that cannot be followed"),
        ({"email": "/traits/\ud800"}, "gives email a pointer that cannot be followed"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_user_fields(given)
    assert str(caught.value).startswith(f"Setting user_fields {reason}")


def test_account_types() -> None:
    assert parse_account_types({"robots": "service", "staff": "human"}) == {"robots": "service", "staff": "human"}
    with pytest.raises(SettingsError, match=r"^Setting account_types holds .* use human, service, system"):
        parse_account_types({"robots": "robot"})
