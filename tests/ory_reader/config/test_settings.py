"""Settings: what is made right, what is refused in one line, and where values may come from."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from command_basics.reader import unknown_settings
from command_basics.violations import explain_violation
from ory_reader.config.declaration import CONFIG_SCHEMA
from ory_reader.config.environment import ENV_PREFIX, READER
from ory_reader.config.settings import Settings, clean_api_token, clean_base_url
from ory_reader.errors import SettingsError

LOCAL = "http://127.0.0.1:4434"
NETWORK = "https://slug.projects.oryapis.com"


def refused(config: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.from_config(config, "1.2.3")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (LOCAL, LOCAL),
        (f"{LOCAL}/", LOCAL),
        (f"  {LOCAL}//\n", LOCAL),
        (f"{LOCAL}/admin", LOCAL),
        (f"{LOCAL}/admin/", LOCAL),
        (f"{LOCAL}/admin/identities", LOCAL),
        (f"{LOCAL}/admin/identities/", LOCAL),
        (f"{NETWORK}/admin/identities", NETWORK),
        ("https://proxy.example/kratos/", "https://proxy.example/kratos"),
        ("https://proxy.example/kratos/admin/", "https://proxy.example/kratos"),
        ("https://proxy.example/admin/kratos", "https://proxy.example/admin/kratos"),
        ("https://proxy.example/sysadmin", "https://proxy.example/sysadmin"),
        ("HTTPS://Proxy.Example:8443", "https://Proxy.Example:8443"),
        ("http://[::1]:4434/", "http://[::1]:4434"),
        ("https://ory.example.com?", "https://ory.example.com"),
    ],
)
def test_a_base_url_is_made_right(given: str, kept: str) -> None:
    assert clean_base_url(given) == kept


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("slug.projects.oryapis.com", "has no scheme"),
        ("127.0.0.1:4434", "has no scheme"),
        ("ftp://ory.example.com", "has the scheme 'ftp'"),
        ("http://", "is no URL"),
        ("http://:4434", "is no URL"),
        ("http://ory.example.com:99999", "is no URL"),
        ("http://ory.example.com:port", "is no URL"),
        ("http://ory.example.com:0", "is no URL"),
        ("http://[::1", "is no URL"),
        ("http://ory example.com", "is no URL"),
        ("http://ory.example.com\\admin", "is no URL"),
        ("http://user:pass@ory.example.com", "carries credentials"),
        ("http://user@ory.example.com", "carries credentials"),
        ("http://ory.example.com/?page_size=1", "carries a query"),
        ("http://ory.example.com/#top", "carries a query or a fragment"),
        ("http://slug.projects.oryapis.com", "would send the key unencrypted"),
        ("http://slug.projects.oryapis.com.:80", "would send the key unencrypted"),
    ],
)
def test_a_base_url_that_cannot_be_right_is_refused(given: str, reason: str) -> None:
    message = refused({"base_url": given, "api_token": "ory_pat_x"})
    assert message.startswith(f"Setting base_url {reason}")
    assert "pass" not in message


@given(st.text() | st.text(alphabet="http:/@?#[]. 0a\\").map(lambda text: f"http://{text}"))
def test_any_text_is_a_usable_base_url_or_refused(text: str) -> None:
    try:
        cleaned = clean_base_url(text)
    except SettingsError:
        return
    assert clean_base_url(cleaned) == cleaned
    assert cleaned.startswith(("http://", "https://"))
    assert not cleaned.endswith("/")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("ory_pat_abc", "ory_pat_abc"),
        (" ory_apikey_abc\n", "ory_apikey_abc"),
        ("Bearer ory_pat_abc", "ory_pat_abc"),
        ("bearer  ory_pat_abc", "ory_pat_abc"),
        ("a-key-of-my-proxy/+=", "a-key-of-my-proxy/+="),
        ("", None),
        (" ", None),
        ("Bearer ", None),
        (None, None),
    ],
)
def test_a_key_is_kept_without_what_was_pasted_with_it(given: str | None, kept: str | None) -> None:
    assert clean_api_token(given, LOCAL) == kept


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("ory_wak_secret", "is a workspace API key"),
        ("Bearer ory_wak_secret", "is a workspace API key"),
        ("ory_st_secret", "is a session token"),
        ("ory_pat_sec ret", "holds a space"),
        ("ory_pat_sec\nret", "holds a space, a line break"),
        ("ory_pat_secr\u00e9t", "a character beyond ASCII"),
        ("ory_pat_sec\x00ret", "holds a space"),
    ],
)
@pytest.mark.parametrize("base_url", [LOCAL, NETWORK])
def test_a_key_that_cannot_work_is_refused_and_not_told(given: str, reason: str, base_url: str) -> None:
    message = refused({"base_url": base_url, "api_token": given})
    assert message.startswith("Setting api_token ")
    assert reason in message
    assert "sec" not in message


@pytest.mark.parametrize(
    "base_url", [NETWORK, "https://Slug.Projects.OryApis.com", "https://slug.projects.oryapis.com."]
)
def test_ory_network_needs_a_key(base_url: str) -> None:
    assert refused({"base_url": base_url}).startswith("Setting api_token is missing")


def test_a_host_that_only_looks_like_ory_networks_needs_none() -> None:
    assert clean_api_token(None, "https://projects.oryapis.com.example.org") is None


def test_defaults() -> None:
    made = Settings.from_config({"base_url": LOCAL}, "1.2.3")
    assert made == Settings(
        base_url=LOCAL,
        api_token=None,
        http_headers={},
        client_certificate=None,
        client_key=None,
        project_slug=None,
        page_size=500,
        concurrency=4,
        request_timeout=60.0,
        ca_bundle=None,
        user_agent="tap-ory/1.2.3",
        credential_metadata=False,
        code_mfa_enabled=False,
        lookback_seconds=600,
        resume_within=24.0,
        public_url=None,
        user_fields={None: {}},
        account_types={},
    )


def test_null_is_the_default() -> None:
    nothing = dict.fromkeys(CONFIG_SCHEMA["properties"])
    assert Settings.from_config({**nothing, "base_url": LOCAL}, "1") == Settings.from_config({"base_url": LOCAL}, "1")


def test_the_label_is_the_slug_or_the_host() -> None:
    assert Settings.from_config({"base_url": f"{LOCAL}/kratos"}, "1").label == "127.0.0.1:4434"
    assert Settings.from_config({"base_url": LOCAL, "project_slug": "clever-hare"}, "1").label == "clever-hare"


def test_the_key_is_in_no_repr() -> None:
    made = Settings.from_config({"base_url": LOCAL, "api_token": "ory_pat_secret"}, "1")
    assert made.api_token == "ory_pat_secret"
    assert "secret" not in repr(made)


def test_a_ca_bundle_must_be_there(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    message = refused({"base_url": LOCAL, "ca_bundle": str(bundle)})
    assert message.startswith("Setting ca_bundle names")
    bundle.touch()
    assert Settings.from_config({"base_url": LOCAL, "ca_bundle": str(bundle)}, "1").ca_bundle == str(bundle)


@pytest.mark.parametrize("agent", ["two\nlines", "caf\u00e9", "\r"])
def test_a_user_agent_that_is_no_header_value_is_refused(agent: str) -> None:
    assert refused({"base_url": LOCAL, "user_agent": agent}).startswith("Setting user_agent holds")


def violations(config: dict[str, Any]) -> list[str]:
    found = Draft202012Validator(CONFIG_SCHEMA).iter_errors(config)
    return [explain_violation(error, ENV_PREFIX, "tap-ory") for error in found]


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({}, "Setting base_url is missing: set it in the configuration or as TAP_ORY_BASE_URL."),
        ({"base_url": 17}, "Setting base_url must be of type string, not int."),
        ({"base_url": None}, "Setting base_url must be of type string, not NoneType."),
        ({"page_size": "x-secret"}, "Setting page_size must be of type integer, not str."),
        ({"page_size": 1.5}, "Setting page_size must be of type integer, not float."),
        ({"page_size": True}, "Setting page_size must be of type integer, not bool."),
        ({"page_size": 0}, "Setting page_size must be at least 1."),
        ({"page_size": 1001}, "Setting page_size must be at most 1000."),
        ({"concurrency": 0}, "Setting concurrency must be at least 1."),
        ({"concurrency": 33}, "Setting concurrency must be at most 32."),
        ({"request_timeout": 0}, "Setting request_timeout must be greater than 0."),
        ({"request_timeout": 1e12}, "Setting request_timeout must be at most 86400."),
        ({"request_timeout": "60"}, "Setting request_timeout must be of type number, not str."),
        ({"resume_within": -1}, "Setting resume_within must be at least 0."),
        ({"lookback_seconds": 10**30}, "Setting lookback_seconds must be at most 3153600000."),
        ({"resume_within": 1e12}, "Setting resume_within must be at most 87600."),
        ({"credential_metadata": "yes"}, "Setting credential_metadata must be one of true, false, exact."),
        ({"user_fields": {"email": 17}}, "Setting user_fields.email must be of type string or object, not int."),
        ({"account_types": {"staff": 17}}, "Setting account_types.staff must be of type string, not int."),
        ({"api_token": {"x-secret": 1}}, "Setting api_token must be of type string, not dict."),
    ],
)
def test_a_violation_is_a_sentence_without_the_value(config: dict[str, Any], sentence: str) -> None:
    assert violations({"base_url": LOCAL, **config} if config else config) == [sentence]


def test_the_largest_values_are_usable() -> None:
    config = {
        "base_url": LOCAL,
        "page_size": 1000,
        "concurrency": 32,
        "request_timeout": 86_400,
        "resume_within": 87_600,
    }
    assert violations(config) == []
    assert Settings.from_config(config, "1").request_timeout == 86_400.0


def test_every_setting_is_described_and_what_is_sent_is_secret() -> None:
    for name, definition in CONFIG_SCHEMA["properties"].items():
        assert len(definition["description"]) > 20, name
        assert definition["title"], name
    assert [name for name, definition in CONFIG_SCHEMA["properties"].items() if definition.get("secret")] == [
        "api_token",
        "http_headers",
        "oauth2_token",
        "permissions_token",
        "console_token",
    ]


def test_names_of_c1_stand_for_settings_unless_empty() -> None:
    environ = {"BATON_BASE_URL": LOCAL, "BATON_API_TOKEN": "ory_pat_x", "BATON_PROJECT_SLUG": "", "BATON_OTHER": "x"}
    assert READER.from_environment(environ, CONFIG_SCHEMA) == {"base_url": LOCAL, "api_token": "ory_pat_x"}


def test_unknown_settings_are_named_with_the_nearest_known() -> None:
    known = CONFIG_SCHEMA["properties"]
    assert unknown_settings(["base_url", "page_sise", "zzz"], known) == [
        "Unknown setting 'page_sise' is ignored; did you mean 'page_size'?",
        "Unknown setting 'zzz' is ignored",
    ]


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("TAP_ORY_PAGE_SIZE", "x-secret", "is no whole number"),
        ("TAP_ORY_PAGE_SIZE", "1.5", "is no whole number"),
        ("TAP_ORY_PAGE_SIZE", "\u0661", "is no whole number"),
        ("TAP_ORY_REQUEST_TIMEOUT", "soon", "is no number"),
        ("TAP_ORY_REQUEST_TIMEOUT", "nan", "is no number"),
        ("TAP_ORY_CREDENTIAL_METADATA", "x-secret", "is neither true nor false"),
        ("TAP_ORY_STREAM_MAPS", "{x-secret", "is no JSON"),
    ],
)
def test_a_variable_that_cannot_be_read_is_refused_by_its_name(variable: str, value: str, reason: str) -> None:
    schema = {"properties": {**CONFIG_SCHEMA["properties"], "stream_maps": {"type": ["object", "null"]}}}
    with pytest.raises(SettingsError, match=f"^Setting {variable} {reason}") as caught:
        READER.from_environment({variable: value}, schema)
    assert "secret" not in str(caught.value)


def test_variables_that_can_be_read() -> None:
    environ = {
        "TAP_ORY_PAGE_SIZE": " 17 ",
        "TAP_ORY_REQUEST_TIMEOUT": "2.5",
        "TAP_ORY_RESUME_WITHIN": "0",
        "TAP_ORY_CREDENTIAL_METADATA": "False",
        "TAP_ORY_EMIT_ACTIVATE_VERSION_MESSAGES": "1",
    }
    assert READER.from_environment(environ, CONFIG_SCHEMA) == {
        "page_size": 17,
        "request_timeout": 2.5,
        "resume_within": 0.0,
        "credential_metadata": False,
        "emit_activate_version_messages": True,
    }


def test_exact_is_no_boolean_to_the_sdk_and_none_to_us() -> None:
    environ = {"TAP_ORY_CREDENTIAL_METADATA": "Exact"}
    assert READER.from_environment(environ, CONFIG_SCHEMA) == {"credential_metadata": "exact"}


def test_a_public_url_is_made_right_like_a_base_url() -> None:
    config = {"base_url": LOCAL, "public_url": "https://auth.example.com/kratos/schemas/"}
    assert Settings.from_config(config, "1").public_url == "https://auth.example.com/kratos"
    assert refused({"base_url": LOCAL, "public_url": "auth.example.com"}).startswith("Setting public_url has no scheme")
