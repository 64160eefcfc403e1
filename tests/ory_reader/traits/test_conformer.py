"""Values that fit pass untouched; others are converted where nothing is lost, or kept apart."""

import json
import logging
from typing import Any

import msgspec
import pytest

from ory_reader.traits.conformer import Conformer
from ory_reader.traits.decoder_types import Wanted, compiled
from ory_reader.traits.paths import EACH

TEXT, WHOLE_NUMBER, NUMBER, FLAG = ({"type": [kind, "null"]} for kind in ("string", "integer", "number", "boolean"))
SCHEMA: dict[str, Any] = {
    "type": ["object", "null"],
    "additionalProperties": True,
    "properties": {
        "text": TEXT,
        "whole": WHOLE_NUMBER,
        "number": NUMBER,
        "flag": FLAG,
        "either": {"type": ["string", "integer", "null"]},
        "many": {"type": ["string", "null"], "contentMediaType": "text/plain"},
        "list": {"type": ["array", "null"], "items": TEXT},
        "name": {"type": ["object", "null"], "properties": {"first": TEXT, "a/b~c": TEXT}},
        "open": {"type": ["object", "array", "string", "number", "boolean", "null"]},
        "map": {"type": ["object", "null"]},
        "any_list": {"type": ["array", "null"]},
    },
}


def read(*values: str, schema: dict[str, Any] = SCHEMA) -> list[tuple[str, str | None]]:
    """Each value as it goes on, and what is kept apart; the very text where nothing changed."""
    raws = [msgspec.Raw(value.encode()) for value in values]
    _, misfits = Conformer(schema, name="traits").read(raws)
    return [
        (bytes(misfits[n].value).decode(), bytes(misfits[n].apart).decode()) if n in misfits else (value, None)
        for n, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    "value",
    [
        "null",
        "{}",
        '{"text":null,"whole":null,"number":null,"flag":null,"list":null,"name":null,"open":null}',
        '{"text":"x","whole":-7,"number":1.5,"flag":true,"either":"x","list":["a",null],"name":{"first":"x"}}',
        '{"either":7,"number":7,"list":[],"name":{},"map":{"x":[1,{"y":2}]},"any_list":[1,"a",{}]}',
        '{"unknown": [1, {"deep" :1e5}], "text": "\\u00e9"}',
        '{"open":1.7e308,"number":-1.7e308,"whole":9223372036854775807}',
        '{"open":12345678901234567890123,"number":1e-300,"whole":-9223372036854775808}',
        '{"number":123456789012345678901234567890.10}',
        '{"open":"7e123, 7e1234","text":"9e999","x":["1e400"]}',
        f'{{"text":"{"9" * 5000}"}}',
        *(f'{{"open":{value}}}' for value in ('"x"', "1", "1.5", "true", "[1]", '{"x":1}')),
    ],
)
def test_what_fits_is_not_touched(value: str, caplog: pytest.LogCaptureFixture) -> None:
    assert read(value) == [(value, None)]
    # Nor is it beside something that has to be mended.
    assert read('{"text":1}', value)[1] == (value, None)
    assert caplog.text.count("WARNING") <= 1


@pytest.mark.parametrize(
    ("value", "mended"),
    [
        ('{"text":42}', {"text": "42"}),
        ('{"text":1.10,"x":0.10}', {"text": "1.10", "x": 0.10}),
        ('{"text":-1e3}', {"text": "-1e3"}),
        ('{"text":123456789012345678901234567890}', {"text": "123456789012345678901234567890"}),
        (f'{{"text":{"9" * 5000}}}', {"text": "9" * 5000}),
        ('{"whole":3.0}', {"whole": 3}),
        ('{"whole":1e3}', {"whole": 1000}),
        ('{"either":1.0}', {"either": 1}),
        ('{"either":1.5}', {"either": "1.5"}),
        ('{"list":["a",7]}', {"list": ["a", "7"]}),
        ('{"name":{"first":7,"other":7}}', {"name": {"first": "7", "other": 7}}),
        ('{"many":99.50}', {"many": "99.50"}),
        ('{"many":true}', {"many": "true"}),
        ('{"many":{"x": [1.10, null, "é"]}}', {"many": '{"x":[1.10,null,"é"]}'}),
        ('{"many":["a"]}', {"many": '["a"]'}),
        # Where no type is declared: what no double holds becomes text.
        ('{"open":1e400}', {"open": "1e400"}),
        ('{"open":{"a":[1E-400,1]}}', {"open": {"a": ["1E-400", 1]}}),
        (f'{{"unknown":{"9" * 5000}}}', {"unknown": "9" * 5000}),
        ('{"map":{"x":-1e99999999999999999999}}', {"map": {"x": "-1e99999999999999999999"}}),
        ('{"any_list":[1e400 ]}', {"any_list": ["1e400"]}),
        # NUL is in no text that PostgreSQL takes.
        ('{"text":"a\\u0000b","many":"\\u0000","a\\u0000":1}', {"text": "a\ufffdb", "many": "\ufffd", "a\ufffd": 1}),
        ('{"unknown":["\\\\\\u0000","\\\\u0000"]}', {"unknown": ["\\\ufffd", "\\u0000"]}),
    ],
)
def test_a_number_is_converted_where_nothing_is_lost(value: str, mended: dict[str, Any]) -> None:
    ((text, apart),) = read(value)
    assert json.loads(text) == mended
    assert [type(each) for each in json.loads(text).values()] == [type(each) for each in mended.values()]
    assert apart == "null"


@pytest.mark.parametrize(
    ("value", "mended", "apart"),
    [
        ('{"text":true}', {"text": None}, {"/text": True}),
        ('{"text":{"x":1}}', {"text": None}, {"/text": {"x": 1}}),
        ('{"text":["x"]}', {"text": None}, {"/text": ["x"]}),
        ('{"whole":1.5}', {"whole": None}, {"/whole": 1.5}),
        ('{"whole":"7"}', {"whole": None}, {"/whole": "7"}),
        ('{"whole":1e999999}', {"whole": None}, {"/whole": "1e999999"}),
        ('{"whole":9223372036854775808}', {"whole": None}, {"/whole": 9223372036854775808}),
        ('{"whole":-9223372036854775809}', {"whole": None}, {"/whole": -9223372036854775809}),
        (f'{{"whole":{"9" * 5000}}}', {"whole": None}, {"/whole": "9" * 5000}),
        ('{"number":1e400}', {"number": None}, {"/number": "1e400"}),
        ('{"number":1e-99999}', {"number": None}, {"/number": "1e-99999"}),
        (f'{{"number":{"9" * 400}}}', {"number": None}, {"/number": "9" * 400}),
        ('{"number":1e99999999999999999999}', {"number": None}, {"/number": "1e99999999999999999999"}),
        ('{"text":["a\\u0000",1e400]}', {"text": None}, {"/text": ["a\ufffd", "1e400"]}),
        ('{"number":"7"}', {"number": None}, {"/number": "7"}),
        ('{"flag":1}', {"flag": None}, {"/flag": 1}),
        ('{"list":"x"}', {"list": None}, {"/list": "x"}),
        ('{"list":["x",true,"y"]}', {"list": ["x", None, "y"]}, {"/list/1": True}),
        ('{"name":"Ada"}', {"name": None}, {"/name": "Ada"}),
        ('{"name":{"first":[1]}}', {"name": {"first": None}}, {"/name/first": [1]}),
        ('{"name":{"a/b~c":false}}', {"name": {"a/b~c": None}}, {"/name/a~1b~0c": False}),
        ('{"map":7,"text":"kept"}', {"map": None, "text": "kept"}, {"/map": 7}),
        ('"traits"', None, {"": "traits"}),
        ("[1]", None, {"": [1]}),
        ("17", None, {"": 17}),
    ],
)
def test_another_value_is_null_there_and_kept_apart(value: str, mended: Any, apart: dict[str, Any]) -> None:
    ((text, kept),) = read(value)
    assert json.loads(text) == mended
    assert kept is not None
    assert json.loads(kept) == apart
    # 1 == True to Python.
    assert json.dumps(json.loads(kept)) == json.dumps(apart)


def test_one_warning_a_path_without_any_value(caplog: pytest.LogCaptureFixture) -> None:
    warned: set[str] = set()
    for _ in range(2):
        conformer = Conformer(SCHEMA, name="traits", warned=warned)
        conformer.read([msgspec.Raw(b'{"text":1,"list":["x-secret",{"x-secret":1},2]}')] * 3)
    messages = [record.getMessage() for record in caplog.records]
    assert [message.split(" is ")[0] for message in messages] == ["traits.text", "traits.list.*"]
    assert messages[0].startswith("traits.text is not always of its declared type (string). ")
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    assert "x-secret" not in caplog.text


def test_what_is_declared_as_text_of_many_types_needs_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    read('{"many":7}', '{"many":true}')
    assert caplog.text == ""


def test_a_number_that_becomes_text_is_told_without_its_value(caplog: pytest.LogCaptureFixture) -> None:
    read('{"open":1e4040}', '{"open":[1e4040]}')
    assert caplog.messages == [
        "traits.open holds a number that no column takes, beyond 1.8e308 or of thousands of digits. It becomes text."
    ]


def test_traits_nested_too_deep_go_on_as_they_came() -> None:
    value = '{"text":7,"x":' + "[" * 700 + "]" * 700 + "}"
    assert read(value) in ([(value, None)], [('{"text":"7"' + value[9:], "null")])


def test_nothing_declared_means_nothing_to_check() -> None:
    assert not Conformer({}, name="traits").checks
    assert not Conformer(
        {"type": ["object", "array", "string", "integer", "number", "boolean", "null"]}, name="t"
    ).checks
    assert Conformer(SCHEMA, name="traits").checks
    assert Conformer({"type": "string"}, name="traits").checks


# Values that a reader wants, declared or not.

PATHS = [
    ("text",),
    ("name", "first"),
    ("name", "nick"),
    ("list", EACH),
    ("extra",),
    ("extra", "x"),
    ("service",),
    ("ids", 1),
]


def wanted(value: str, schema: dict[str, Any]) -> Any:
    tree = Wanted.from_paths(PATHS, flags=[("service",)])
    conformer = Conformer(schema, tree, name="traits")
    (found,), _ = conformer.read([msgspec.Raw(value.encode())])

    def member(parent: Any, place: Wanted, name: str) -> Any:
        return getattr(parent, place.attributes[name]) if isinstance(parent, place.struct) else None

    name, extra = member(found, tree, "name"), member(found, tree, "extra")
    return [
        member(found, tree, "text"),
        member(name, tree.members["name"], "first"),
        member(name, tree.members["name"], "nick"),
        member(found, tree, "list"),
        extra if isinstance(extra, str) else None,
        member(extra, tree.members["extra"], "x"),
        member(found, tree, "service"),
        member(found, tree, "ids"),
    ]


@pytest.mark.parametrize("schema", [SCHEMA, {}])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{}", [None] * 8),
        ("null", [None] * 8),
        (
            '{"text":"t","name":{"first":"f","nick":"n"},"list":["a"],"extra":"e","service":true,"ids":["x","y"]}',
            ["t", "f", "n", ["a"], "e", None, True, ["x", "y"]],
        ),
        ('{"extra":{"x":"y"}}', [None] * 5 + ["y", None, None]),
        (
            '{"text":7,"name":{"nick":1.50},"extra":{"x":12},"ids":[1,2]}',
            ["7", None, "1.50", None, None, "12", None, ["1", "2"]],
        ),
        ('{"text":true,"name":[1],"list":{},"extra":[1],"service":"yes","ids":7}', [None] * 8),
        ('{"extra":true,"service":1,"text":"kept"}', ["kept", *[None] * 7]),
        ('"text"', [None] * 8),
    ],
)
def test_wanted_values_are_read_whatever_is_there(schema: dict[str, Any], value: str, expected: list[Any]) -> None:
    assert wanted(value, schema) == expected


def test_the_compiled_type_takes_nothing_that_does_not_fit() -> None:
    kind = compiled(SCHEMA)
    for value in ('{"text":1}', '{"whole":1.0}', '{"list":[1]}', '{"map":[]}', "[]", '{"name":{"first":1}}'):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(value, type=kind)
