"""Which trait is whose e-mail, login, name: the sources of each field, written out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from ory_reader.config.settings import Settings
from ory_reader.traits.declaration import shapes_of
from ory_reader.traits.paths import EACH
from ory_reader.users.mapping import OTHERWISE, UNDECLARED, Source, UserMapping, user_mapping_of

SIGNS_IN: dict[str, Any] = {"credentials": {"password": {"identifier": True}}}


def text(keyword: Any = None, **more: Any) -> dict[str, Any]:
    return {"type": "string", **({"ory.sh/kratos": keyword} if keyword else {}), **more}


def mapping(traits: Any, schema_id: str = "people", *, closed: bool = True, **config: Any) -> UserMapping:
    """What a schema of these traits means; None is one that could not be read."""
    shape = None
    if traits is not None:
        schema = {"type": "object", "properties": traits, **({"additionalProperties": False} if closed else {})}
        shape = shapes_of({schema_id: {"properties": {"traits": schema}}})[schema_id]
    return user_mapping_of(schema_id, shape, Settings.from_config({"base_url": "http://127.0.0.1:1", **config}, "1"))


def trait(*path: str | int) -> tuple[str | int, ...]:
    return ("traits", *path)


def paths(sources: tuple[Source, ...]) -> list[Any]:
    return [source.path for source in sources]


def test_the_preset_of_ory() -> None:
    by_email = {**SIGNS_IN, "verification": {"via": "email"}, "recovery": {"via": "email"}}
    found = mapping({"email": text(by_email, format="email")})
    source = Source(trait("email"), "password identifier, verification, recovery")
    assert found.emails == found.identifiers == (source,)
    assert found.logins == found.phones == found.usernames == found.first_names == ()
    assert (found.account_type, found.account_why) == ("human", "default")


def test_addresses_come_in_the_order_of_their_use() -> None:
    traits = {
        "contact": text({"verification": {"via": "email"}}),
        "backup": text({"recovery": {"via": "email"}}),
        "mail": text({**SIGNS_IN, "verification": {"via": "email"}}),
        "newsletter": text(format="email"),
    }
    # The format alone counts only where nothing better is there.
    assert paths(mapping(traits).emails)[:3] == [trait("mail"), trait("backup"), trait("contact")]
    assert trait("newsletter") not in paths(mapping(traits).emails)
    assert mapping({"newsletter": traits["newsletter"]}).emails == (Source(trait("newsletter"), "format email"),)


def test_what_signs_in_and_is_no_address_is_the_login_and_the_user_name() -> None:
    found = mapping(
        {"nick": text(SIGNS_IN), "phone": text({"credentials": {"code": {"identifier": True, "via": "sms"}}})}
    )
    assert paths(found.usernames) == [trait("nick")]
    assert paths(found.logins) == paths(found.identifiers) == [trait("nick"), trait("phone")]
    assert paths(found.phones) == [trait("phone")]
    assert found.emails == ()


def test_names_are_known_in_any_spelling_and_below_name() -> None:
    found = mapping(
        {"firstName": text(), "LAST_NAME": text(), "name": {"type": "object", "properties": {"first": text()}}}
    )
    assert found.first_names[:2] == (
        Source(trait("firstName"), "well-known name"),
        Source(trait("name", "first"), "well-known name"),
    )
    assert found.last_names[0] == Source(trait("LAST_NAME"), "well-known name")


def test_names_of_others_are_nobodys() -> None:
    other = {"type": "object", "properties": {"email": text(format="email"), "first_name": text()}}
    found = mapping({"manager": other})
    assert found.emails == found.first_names == ()


def test_traits_that_may_be_there_undeclared_count_where_no_declared_one_does() -> None:
    opened = mapping({"first_name": text()}, closed=False)
    assert opened.first_names == (Source(trait("first_name"), "well-known name"),)
    assert {source.why for source in opened.last_names} == {UNDECLARED}
    assert trait("last_name") in paths(opened.last_names)
    assert mapping({"first_name": text()}).last_names == ()


def test_a_schema_that_could_not_be_read_is_read_by_names() -> None:
    found = mapping(None)
    assert found.emails[0] == Source(trait("email"), "well-known name")
    assert found.identifiers == ()


def test_a_known_name_of_another_shape_is_a_last_resort() -> None:
    found = mapping({"email": {"type": "array", "items": {"type": "string"}}})
    assert Source(trait("email"), OTHERWISE) in found.emails
    assert Source(trait("email", EACH), "well-known name") in found.emails


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/metadata_public/number", [("metadata_public", "number"), ("metadata_public", "number", EACH)]),
        ("/traits/numbers", [trait("numbers", EACH)]),
        ("/traits/numbers/0", [trait("numbers", 0), trait("numbers", 0, EACH)]),
        # Where the schema has an object, digits are a name.
        ("/traits/by_year/2024", [trait("by_year", "2024"), trait("by_year", "2024", EACH)]),
    ],
)
def test_pointers_of_settings(pointer: str, expected: list[Any]) -> None:
    traits = {
        "numbers": {"type": "array", "items": {"type": "string"}},
        "by_year": {"type": "object", "properties": {"2024": text()}},
    }
    found = mapping(traits, user_fields={"employee_id": pointer}).overrides
    assert list(found) == ["employee_id"]
    assert paths(found["employee_id"]) == expected
    assert found["employee_id"][0].why == "setting user_fields"


def test_a_schemas_own_pointer_comes_before_that_of_all() -> None:
    config: dict[str, Any] = {"user_fields": {"username": "/traits/nick", "staff": {"username": "/traits/badge"}}}
    assert paths(mapping({}, "staff", **config).overrides["username"])[0] == trait("badge")
    assert paths(mapping({}, "people", **config).overrides["username"])[0] == trait("nick")


def test_an_account_type_that_is_set_leaves_no_trait_a_say() -> None:
    traits = {"account_type": text(), "is_bot": {"type": "boolean"}}
    by_trait = mapping(traits, "robots")
    assert trait("account_type") in paths(by_trait.account_types)
    by_setting = mapping(traits, "robots", account_types={"robots": "service"})
    assert by_setting.account_types == by_setting.service_flags == ()
    assert (by_setting.account_type, by_setting.account_why) == ("service", "setting account_types")


def test_the_places_that_may_hold_another_shape() -> None:
    found = mapping({"email": text(format="email"), "name": {"type": "object", "properties": {"first": text()}}})
    places = found.places()
    assert places[trait("email")] is False
    assert places[trait("name")] is True
    assert ("traits",) not in places
