"""Where a mapping finds values, and which mappings are refused."""

from typing import Any

import pytest

from target_c1.errors import SettingsError
from target_c1.mapping import READY, Mapping, choose_sources


def one(source: Any, record: dict[str, Any]) -> Any:
    return Mapping({"id": "/id", "username": source}).one["username"](record)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/a", 1),
        ("/b/c", "x"),
        ("/d/1/e", "second"),
        ("/d/7/e", None),
        ("/d/e", None),
        ("/d/-1", None),
        ("/a/b", None),
        ("/nothing", None),
        ("/with~1slash", "s"),
        ("/with~0tilde", "t"),
        ("/", "empty name"),
        ("plain text", "plain text"),
        ("since {/b/c} and {/a}.", "since x and 1."),
        ("since {/nothing}", None),
        ("since {/empty}", None),
        (["/nothing", "/empty", "/b/c", "/a"], "x"),
        (["/b", "/b/c"], "x"),
        (["/nothing", "constant"], "constant"),
        (None, None),
    ],
)
def test_sources(source: Any, expected: Any) -> None:
    record = {
        "a": 1,
        "b": {"c": "x"},
        "d": [{"e": "first"}, {"e": "second"}],
        "with/slash": "s",
        "with~tilde": "t",
        "": "empty name",
        "empty": "",
    }
    assert one(source, record) == expected


def test_the_whole_record_is_a_pointer_too() -> None:
    assert Mapping({"id": "/id", "profile": {"all": ""}}).profile[0][1]({"id": "1"}) == {"id": "1"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/list", ["a", "b"]),
        ("/single", ["c"]),
        ("/nothing", []),
        (["/list", "/nothing", "/single"], ["a", "b", "c"]),
        (None, []),
    ],
)
def test_fields_with_several_values_take_all_sources(source: Any, expected: list[Any]) -> None:
    getter = Mapping({"id": "/id", "employee_id": source}).many["employee_id"]
    assert getter({"list": ["a", "b"], "single": "c"}) == expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"credentials": {"totp": {}}}, True),
        ({"credentials": {"password": {}}}, False),
        ({"credentials": {}}, False),
        ({"credentials": None}, None),
        ({}, None),
    ],
)
def test_a_flag_may_be_the_presence_of_a_name(record: dict[str, Any], expected: bool | None) -> None:  # noqa: FBT001
    flag = Mapping({"id": "/id", "mfa_enabled": {"in": "/credentials", "any": ["totp"]}}).flags["mfa_enabled"]
    assert flag(record) is expected


@pytest.mark.parametrize(
    ("credentials", "mfa", "sso"),
    [
        (None, None, None),
        ({}, False, False),
        ({"password": {}, "code": {}}, False, False),
        ({"password": {}, "totp": {"identifiers": ["id"]}, "webauthn": {}}, True, False),
        ({"lookup_secret": {}}, True, False),
        # A key may be a first factor or a second one; a passkey is a first.
        ({"password": {}, "webauthn": {"identifiers": ["a@b.c"]}}, None, False),
        ({"passkey": {"identifiers": []}}, False, False),
        ({"deviceauthn": {"identifiers": ["0a1b"]}}, None, False),
        ({"deviceauthn": {}}, None, False),
        ({"telepathy": {}}, None, False),
        ({"oidc": {"identifiers": ["github:1"]}}, False, True),
        ({"oidc": {"identifiers": []}, "saml": {"identifiers": []}}, False, False),
    ],
)
def test_what_credentials_of_identities_say(credentials: Any, mfa: bool | None, sso: bool | None) -> None:  # noqa: FBT001
    flags = Mapping(READY["identities"]).flags
    record = {"id": "1", "credentials": credentials}
    assert (flags["mfa_enabled"](record), flags["sso_enabled"](record)) == (mfa, sso)


@pytest.mark.parametrize(("value", "expected"), [(True, True), (False, False), (None, None), ("yes", None), (1, None)])
def test_a_flag_is_a_boolean_or_unknown(value: Any, expected: bool | None) -> None:  # noqa: FBT001
    assert Mapping({"id": "/id", "sso_enabled": "/sso"}).flags["sso_enabled"]({"sso": value}) is expected


@pytest.mark.parametrize(
    ("sources", "named"),
    [
        ({"id": "/id", "e_mail": "/x"}, "did you mean 'email'"),
        ({"email": "/x"}, "mapping.id"),
        ({"id": 7}, "mapping.id"),
        ({"id": "/id", "email": ["/x", 7]}, "mapping.email"),
        ({"id": "/id", "profile": "/x"}, "mapping.profile"),
        ({"id": "/id", "profile": {"a": 7}}, "mapping.profile.a"),
        ({"id": "/id", "mfa_enabled": {"in": "/x"}}, "mapping.mfa_enabled"),
        ({"id": "/id", "mfa_enabled": {"in": "/x", "any": [], "ignore": 7}}, "mapping.mfa_enabled"),
        ({"id": "/id", "mfa_enabled": {"in": "/x", "any": [], "some": []}}, "mapping.mfa_enabled"),
        ({"id": "/id", "username": {"in": "/x", "any": []}}, "mapping.username"),
    ],
)
def test_what_is_no_mapping_is_refused_by_name(sources: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Mapping(sources)
    assert named in str(raised.value)


@pytest.mark.parametrize("stream", READY)
def test_the_ready_made_mappings_are_mappings(stream: str) -> None:
    sources = choose_sources(stream, None)
    assert sources is not None
    Mapping(sources)


def test_a_mapping_is_laid_over_the_ready_made_one() -> None:
    chosen = choose_sources("users", {"employee_id": "/profile/badge", "profile": {"badge": "/profile/badge"}})
    assert chosen is not None
    assert chosen["employee_id"] == "/profile/badge"
    assert chosen["email"] == "/email"
    assert chosen["profile"]["badge"] == "/profile/badge"
    assert chosen["profile"]["traits"] == "/profile"


def test_another_stream_has_only_what_is_given() -> None:
    assert choose_sources("people", {"id": "/key"}) == {"id": "/key"}
    assert choose_sources("people", None) is None


def test_both_streams_of_tap_ory_fill_the_profile_under_the_same_names() -> None:
    identities = set(READY["identities"]["profile"])
    users = set(READY["users"]["profile"])
    assert identities - users == {"state", "metadata_public"}
