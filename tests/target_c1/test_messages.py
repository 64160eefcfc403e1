"""A user's message, field by field, against Google's library on the descriptors of `c1.proto`."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_c1.decoding import decode_resource, decode_resource_type
from target_c1.messages import encode_resource, encode_resource_type
from target_c1.users import User
from tests.target_c1.protobuf import assert_same, new, resource_of, user_trait
from tests.target_c1.test_wire import JSON, TEXTS

PLAIN = User(
    id="1",
    display_name="Ada",
    first_name=None,
    last_name=None,
    emails=[],
    login=None,
    login_aliases=[],
    status=0,
    status_details=None,
    account_type=0,
    employee_ids=[],
    created_at=None,
    last_login=None,
    mfa_enabled=None,
    sso_enabled=None,
    profile={},
)
FIELDS: dict[str, list[Any]] = {
    "id": ["x" * 127, "x" * 128, "x" * 1024, "ä"],
    "display_name": ["x" * 127, "x" * 128, "x" * 1024, "名前"],
    "first_name": ["Ada"],
    "last_name": ["Lovelace"],
    "emails": [["a@b.cc"], ["a@b.cc", "c@d.ee", "f@g.hh"], ["a" * 64 + "@" + ".".join(["b" * 60] * 3)]],
    "login": ["ada"],
    "login_aliases": [["a"], ["a", "b"]],
    "status": [1, 2, 3],
    "status_details": ["inactive since yesterday", "x" * 1024],
    "account_type": [1, 2, 3],
    "employee_ids": [["E-1"], ["E-1", "E-2"]],
    "created_at": [(0, 0), (1, 0), (0, 1), (1_767_323_045, 123_456_789), (-1, 5)],
    "last_login": [(0, 0), (1_767_323_045, 1)],
    "mfa_enabled": [True, False],
    "sso_enabled": [True, False],
    "profile": [{"a": "b"}, {"z": 1, "a": [True, None, {"x": "y"}]}, {"long": "x" * 20_000}],
}


def test_every_field_has_an_example() -> None:
    assert set(FIELDS) == set(User.__struct_fields__)


@pytest.mark.parametrize(("field", "value"), [(field, value) for field in FIELDS for value in FIELDS[field]])
def test_a_field_alone_has_the_bytes_of_the_reference_library(field: str, value: Any) -> None:
    user = msgspec.structs.replace(PLAIN, **{field: value})
    expected = resource_of(user)
    assert_same(encode_resource(user), expected)
    if len(user.profile) < 2:
        assert encode_resource(user) == expected.SerializeToString(deterministic=True)
    if field not in ("status", "id"):
        assert encode_resource(user) != encode_resource(PLAIN)


MOMENTS = st.none() | st.tuples(st.integers(-62_135_596_800, 253_402_300_799), st.integers(0, 999_999_999))
FLAGS = st.none() | st.booleans()
USERS = st.builds(
    User,
    id=TEXTS.filter(bool),
    display_name=TEXTS.filter(bool),
    first_name=st.none() | TEXTS.filter(bool),
    last_name=st.none() | TEXTS.filter(bool),
    emails=st.lists(st.emails(), max_size=3),
    login=st.none() | TEXTS.filter(bool),
    login_aliases=st.lists(TEXTS, max_size=3),
    status=st.integers(0, 3),
    status_details=st.none() | TEXTS.filter(bool),
    account_type=st.integers(0, 3),
    employee_ids=st.lists(TEXTS, max_size=3),
    created_at=MOMENTS,
    last_login=MOMENTS,
    mfa_enabled=FLAGS,
    sso_enabled=FLAGS,
    profile=st.dictionaries(TEXTS, JSON, max_size=5),
)


@given(USERS)
def test_any_user_is_what_the_reference_library_makes_of_it(user: User) -> None:
    assert_same(encode_resource(user), resource_of(user))


@given(USERS)
def test_any_user_is_read_back(user: User) -> None:
    found = decode_resource(resource_of(user).SerializeToString())
    resource, trait = found.resource, found.trait
    assert (resource.id.resource_type, found.id, resource.display_name) == ("user", user.id, user.display_name)
    name = trait.structured_name
    assert (name.given_name, name.family_name) == (user.first_name or "", user.last_name or "")
    emails = [(email.address, email.is_primary) for email in trait.emails]
    assert emails == [(address, number == 0) for number, address in enumerate(user.emails)]
    assert (trait.login, list(trait.login_aliases)) == (user.login or "", user.login_aliases)
    assert (resource.status.status, resource.status.details) == (user.status, user.status_details or "")
    assert (trait.account_type, list(trait.employee_ids)) == (user.account_type, user.employee_ids)
    times = [(message, field) for message, field in ((resource, "created_at"), (trait, "last_login"))]
    moments = [
        (getattr(message, field).seconds, getattr(message, field).nanos) if message.HasField(field) else None
        for message, field in times
    ]
    assert moments == [user.created_at, user.last_login]
    flags = [
        trait.mfa_status.mfa_enabled if trait.HasField("mfa_status") else None,
        trait.sso_status.sso_enabled if trait.HasField("sso_status") else None,
    ]
    assert flags == [user.mfa_enabled, user.sso_enabled]
    assert found.profile == user.profile
    assert found.differing == []


def test_old_readers_find_in_the_trait_what_new_ones_find_in_the_resource() -> None:
    user = msgspec.structs.replace(PLAIN, status=2, status_details="gone", created_at=(5, 6), profile={"a": 1})
    resource = new("Resource").FromString(encode_resource(user))
    trait = user_trait(resource)
    assert trait.profile == resource.profile
    assert trait.created_at == resource.created_at
    assert (trait.status.status, trait.status.details) == (resource.status.status, resource.status.details)


@pytest.mark.parametrize("description", ["", "Users of Acme"])
def test_the_resource_type_has_the_bytes_of_the_reference_library(description: str) -> None:
    expected = new("ResourceType")
    expected.id, expected.display_name, expected.description = "user", "Person", description
    expected.traits.append(1)
    expected.annotations.add().Pack(new("SkipEntitlementsAndGrants"))
    data = encode_resource_type("Person", description)
    assert data == expected.SerializeToString(deterministic=True)
    found = decode_resource_type(data)
    assert (found.id, found.display_name, found.description) == ("user", "Person", description)
    assert list(found.traits) == [1]
    assert [each.type_url for each in found.annotations] == [
        "type.googleapis.com/c1.connector.v2.SkipEntitlementsAndGrants"
    ]


def test_a_resource_without_a_user_trait_is_refused() -> None:
    with pytest.raises(ValueError, match="no user trait"):
        decode_resource(new("Resource").SerializeToString())


def test_a_status_that_c1_does_not_have_is_refused() -> None:
    resource = resource_of(PLAIN)
    resource.status.status = 7
    with pytest.raises(ValueError, match="status 7"):
        decode_resource(resource.SerializeToString())
