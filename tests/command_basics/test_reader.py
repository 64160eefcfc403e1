"""One reader of settings: unset, typed, out of files, misspelt; the same for every command's schema."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1_connector.settings import READER as CONNECTOR
from c1_connector.settings import SCHEMA as CONNECTOR_SCHEMA
from command_basics.log_level import log_level, settle_log_level
from command_basics.reader import Reader
from command_basics.values import UnreadableError, read_value
from ory_reader.config.declaration import CONFIG_SCHEMA as TAP_SCHEMA
from ory_reader.config.environment import READER as TAP
from target_c1.settings import CONFIG_SCHEMA as TARGET_SCHEMA
from target_c1.settings import READER as TARGET

COMMANDS = [(TAP, TAP_SCHEMA), (TARGET, TARGET_SCHEMA), (CONNECTOR, CONNECTOR_SCHEMA)]
IDS = ["tap-ory", "target-c1", "ory-connector"]


class WrongError(Exception):
    pass


READER = Reader("X_", WrongError, aliases={"BATON_KEY": "key"}, foreign={"X_": ("LOGLEVEL",), "BATON_": {"FILE"}})
SCHEMA = {"properties": {"key": {"type": "string", "secret": True}, "size": {"type": ["integer", "null"]}}}


@pytest.mark.parametrize(("reader", "schema"), COMMANDS, ids=IDS)
def test_an_empty_value_is_an_unset_one_for_every_setting(reader: Reader, schema: dict[str, Any]) -> None:
    names = list(schema["properties"])
    assert reader.from_environment({reader.prefix + name.upper(): "" for name in names}, schema) == {}
    assert reader.from_environment({reader.prefix + name.upper() + "_FILE": "" for name in names}, schema) == {}
    assert reader.from_mapping(dict.fromkeys(names, ""), schema) == {}
    assert reader.from_mapping(dict.fromkeys(names), schema) == {}


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("17", "integer", 17),
        (" +17\n", "integer", 17),
        ("500.0", "integer", 500),
        ("5e2", "integer", 500),
        ("2.5", "number", 2.5),
        (".5", "number", 0.5),
        ("1e3", "number", 1000.0),
        ("60", "number", 60.0),
        ("True", "boolean", True),
        ("yes", "boolean", True),
        (" off ", "boolean", False),
        ("0", "boolean", False),
        ('{"a": 1}', "object", {"a": 1}),
        (" \t", "object", None),
        (" \t", "integer", None),
        ("null", "object", None),
        ("17", "string", "17"),
        ("true", "string", "true"),
        (" x ", "string", " x "),
    ],
)
def test_a_text_is_what_its_setting_declares_from_each_source(text: str, kind: str, value: Any) -> None:
    schema = {"properties": {"it": {"type": [kind, "null"]}}}
    expected = {} if value is None else {"it": value}
    assert READER.from_environment({"X_IT": text}, schema) == expected
    found = READER.from_mapping({"it": text}, schema)
    assert found == expected
    assert [type(each) for each in found.values()] == [type(each) for each in expected.values()]


@pytest.mark.parametrize("text", ["many", "1.5", "1e400", "1" * 40, "nan", "inf", "0x10", "\u0661", "1_000", "{"])
def test_what_is_no_whole_number_is_refused_by_name_and_left_to_validation_in_a_file(text: str) -> None:
    with pytest.raises(WrongError, match=r"^Setting X_SIZE is no whole number: ") as refused:
        READER.from_environment({"X_SIZE": text}, SCHEMA)
    assert text not in str(refused.value).replace("X_SIZE", "")
    assert READER.from_mapping({"size": text}, SCHEMA) == {"size": text}


def test_a_whole_number_that_a_file_writes_with_a_point_is_whole() -> None:
    (size,) = READER.from_mapping({"size": 500.0}, SCHEMA).values()
    assert (size, type(size)) == (500, int)


def test_what_is_no_text_is_left_as_it_is() -> None:
    values: list[Any] = [True, 7, 1.5, [], {}, ["x"]]
    for value in values:
        assert READER.from_mapping({"key": value, "other": value}, SCHEMA) == {"key": value, "other": value}


@pytest.mark.parametrize(("word", "value"), [("C1Z", "c1z"), (" csv ", "csv"), ("xml", "xml")])
def test_a_choice_is_found_by_its_word(word: str, value: str) -> None:
    assert TARGET.from_environment({"TARGET_C1_FORMAT": word}, TARGET_SCHEMA) == {"format": value}


@given(st.text(max_size=30), st.sampled_from(["integer", "number", "boolean", "object", "string"]))
def test_any_text_is_read_or_refused(text: str, kind: str) -> None:
    value: Any
    try:
        value = read_value(text, {"type": kind})
    except UnreadableError:
        return
    types = {"integer": int, "number": float, "boolean": bool, "string": str}
    assert value is None or kind == "object" or type(value) is types[kind]


# Secrets out of files


def test_a_secret_comes_out_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("  the secret\n\n")
    for variable in ("X_KEY_FILE", "BATON_KEY_FILE"):
        assert READER.from_environment({variable: str(tmp_path / "key")}, SCHEMA) == {"key": "the secret"}


@pytest.mark.parametrize(("reader", "schema"), COMMANDS, ids=IDS)
def test_every_secret_of_a_command_may_come_out_of_a_file(
    reader: Reader, schema: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("{}\n")
    for name, definition in schema["properties"].items():
        variable = f"{reader.prefix}{name.upper()}_FILE"
        found = reader.from_environment({variable: str(tmp_path / "secret")}, schema)
        assert (name in found) == bool(definition.get("secret")), name
        assert bool(reader.unknown_variables([variable], schema)) != bool(definition.get("secret")), name


def test_a_file_of_a_secret_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name, what in (("none", "cannot be read"), (".", "cannot be read"), ("empty", "empty"), ("binary", "no text")):
        with pytest.raises(WrongError, match=f"^Setting X_KEY_FILE names a file that .*{what}"):
            READER.from_environment({"X_KEY_FILE": str(tmp_path / name)}, SCHEMA)


def test_a_secret_given_twice_is_refused_and_ours_wins_over_another_name(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("in the file")
    file = str(tmp_path / "key")
    with pytest.raises(WrongError, match="X_KEY is set, and X_KEY_FILE as well") as refused:
        READER.from_environment({"X_KEY": "hidden", "X_KEY_FILE": file}, SCHEMA)
    assert "hidden" not in str(refused.value)
    assert READER.from_environment({"X_KEY": "ours", "BATON_KEY_FILE": str(tmp_path / "none")}, SCHEMA) == {
        "key": "ours"
    }
    assert READER.from_environment({"X_KEY_FILE": file, "BATON_KEY": "theirs"}, SCHEMA) == {"key": "in the file"}
    assert READER.from_environment({"X_KEY": "", "BATON_KEY": "theirs"}, SCHEMA) == {"key": "theirs"}


# Names


def test_a_variable_that_nothing_reads_is_named_with_the_nearest() -> None:
    names = ["X_SICE", "X_KEY", "X_KEY_FILE", "X_LOGLEVEL", "BATON_KEI", "BATON_FILE", "PATH", "X__SELECT"]
    assert READER.unknown_variables(names, SCHEMA) == [
        "Unknown setting 'sice' is ignored; did you mean 'size'?",
        "Unknown setting 'BATON_KEI' is ignored; did you mean 'BATON_KEY'?",
    ]


def test_what_every_baton_connector_has_is_no_typing_error() -> None:
    # As the help texts of C1's published connectors list them.
    theirs = """CLIENT_ID CLIENT_SECRET FILE LOG_FORMAT LOG_LEVEL LOG_LEVEL_DEBUG_EXPIRES_AT LOG_PATH PROVISIONING
        TICKETING SKIP_FULL_SYNC SYNC_RESOURCES OTEL_COLLECTOR_ENDPOINT EXTERNAL_RESOURCE_C1Z PARALLEL_SYNC
        STORAGE_ENGINE
        EXTERNAL_RESOURCE_ENTITLEMENT_ID_FILTER HEALTH_CHECK_PORT TASK_CONCURRENCY HTTP_TIMEOUT_SECONDS"""
    ours = ["BASE_URL", "API_TOKEN", "API_TOKEN_FILE", "CLIENT_SECRET_FILE", "PROJECT_SLUG", "C1_CA_BUNDLE"]
    names = [f"BATON_{name}" for name in [*theirs.split(), *ours]]
    for reader, schema in COMMANDS:
        assert reader.unknown_variables(names, schema) == []
    for reader, schema in (COMMANDS[0], COMMANDS[2]):
        assert reader.unknown_variables(["BATON_BASE_URI"], schema) == [
            "Unknown setting 'BATON_BASE_URI' is ignored; did you mean 'BATON_BASE_URL'?"
        ]
    assert CONNECTOR.unknown_variables(["BATON_CLIENT_SECERT"], CONNECTOR_SCHEMA) == [
        "Unknown setting 'BATON_CLIENT_SECERT' is ignored; did you mean 'BATON_CLIENT_SECRET'?"
    ]


def test_the_log_level_is_the_commands_own_then_that_of_baton_connectors() -> None:
    environ = {"X_LOGLEVEL": "", "BATON_LOG_LEVEL": " warn ", "LOGLEVEL": "error"}
    assert log_level(environ, "X_", WrongError) == "WARN"
    assert log_level({**environ, "X_LOGLEVEL": "Debug"}, "X_", WrongError) == "DEBUG"
    assert log_level({"LOGLEVEL": "error"}, "X_", WrongError) == "ERROR"
    assert log_level({}, "X_", WrongError) == "INFO"
    settle_log_level(environ, "X_", WrongError)
    assert environ["X_LOGLEVEL"] == "WARN"
    for variable in ("X_LOGLEVEL", "BATON_LOG_LEVEL", "LOGLEVEL"):
        with pytest.raises(WrongError, match=f"^Setting {variable} is no log level"):
            log_level({variable: "loud"}, "X_", WrongError)
