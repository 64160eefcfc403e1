"""The specification says what the tap's settings are, and a configuration of that shape is the tap's again."""

import logging

import jsonschema
import pytest

from ory_reader.config.declaration import CONFIG_SCHEMA
from ory_reader.config.settings import Settings
from ory_reader.errors import SettingsError
from source_ory.spec import specification, tap_config

PROPERTIES = specification()["connectionSpecification"]["properties"]


def test_every_setting_is_there_but_the_one_that_airbyte_has_no_word_for() -> None:
    assert set(CONFIG_SCHEMA["properties"]) - set(PROPERTIES) == {"emit_activate_version_messages"}
    assert set(PROPERTIES) <= set(CONFIG_SCHEMA["properties"])
    assert specification()["connectionSpecification"]["required"] == ["base_url"]


def test_fields_are_what_a_form_can_show() -> None:
    assert [field["order"] for field in PROPERTIES.values()] == list(range(len(PROPERTIES)))
    for field in PROPERTIES.values():
        assert field["type"] in {"string", "integer", "number", "boolean"}
        assert field["title"]
        assert field["description"]


def test_keys_and_headers_are_the_only_secrets() -> None:
    secrets = [name for name, field in PROPERTIES.items() if field.get("airbyte_secret")]
    assert secrets == ["api_token", "http_headers", "oauth2_token", "permissions_token", "console_token"]


def test_defaults_bounds_and_choices_are_the_taps() -> None:
    assert PROPERTIES["page_size"]["default"] == 500
    assert (PROPERTIES["page_size"]["minimum"], PROPERTIES["page_size"]["maximum"]) == (1, 1000)
    assert PROPERTIES["request_timeout"]["exclusiveMinimum"] == 0
    assert PROPERTIES["credential_metadata"]["enum"] == ["true", "false", "exact"]
    assert PROPERTIES["credential_metadata"]["default"] == "false"


def test_examples_and_defaults_fit_the_specification_and_the_tap() -> None:
    config = {name: field.get("examples", [field.get("default")])[0] for name, field in PROPERTIES.items()}
    jsonschema.validate(config, specification()["connectionSpecification"])
    read = tap_config({**config, **dict.fromkeys(("ca_bundle", "client_certificate", "client_key"), "")})
    jsonschema.validate(read, CONFIG_SCHEMA)
    assert Settings.from_config(read, "0").account_types == {"robots": "service"}


def test_words_become_the_taps_values() -> None:
    given = {"base_url": "x", "credential_metadata": "true", "user_fields": '{"a": "/b"}', "account_types": " "}
    expected = {"base_url": "x", "credential_metadata": True, "user_fields": {"a": "/b"}}
    assert tap_config(given) == expected
    for word, value in (("false", False), ("exact", "exact"), (True, True), ("nonsense", "nonsense")):
        assert tap_config({"credential_metadata": word})["credential_metadata"] == value


def test_what_the_tap_would_do_behind_its_back_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        config = tap_config({"base_url": "x", "stream_maps": {}, "emit_activate_version_messages": False})
    assert config == {"base_url": "x"}
    assert "'stream_maps' is ignored" in caplog.text


@pytest.mark.parametrize(("given", "sentence"), [(["x"], "no JSON object"), ({"user_fields": "{"}, "user_fields")])
def test_a_configuration_that_cannot_be_read_is_refused(given: object, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        tap_config(given)
