"""Identity schemas in, declared traits out: unions, references, combinations, and what is left open."""

import logging
from typing import Any

import pytest
from jsonschema import Draft7Validator
from singer_sdk.helpers._flattening import flatten_schema
from singer_sdk.singerlib import Schema

from ory_reader.traits.declaration import MAX_PROPERTIES, shapes_of, typed_traits
from ory_reader.traits.shapes import OPEN, Shape, traits_shape

KINDS = ["object", "array", "string", "number", "boolean", "null"]
FREE = {"additionalProperties": True, "anyOf": [{"type": kind} for kind in KINDS]}
#: Text where identity schemas allow several types.
OF_MANY = {"type": ["string", "null"], "contentMediaType": "text/plain"}
BASE = {**FREE, "description": "The identity's own data."}


def document(traits: Any, **more: Any) -> dict[str, Any]:
    return {"$id": "https://example.com/x.json", "type": "object", "properties": {"traits": traits}, **more}


def declared(*documents: dict[str, Any]) -> dict[str, Any]:
    return typed_traits(BASE, shapes_of({f"schema-{number}": each for number, each in enumerate(documents)}))


def properties(*traits: Any, **more: Any) -> dict[str, Any]:
    """The declared properties of schemas whose traits have these properties."""
    schema = declared(*(document({"type": "object", "properties": each}, **more) for each in traits))
    assert schema["type"] == ["object", "null"]
    assert schema["additionalProperties"] is True
    found: dict[str, Any] = schema.get("properties", {})
    return found


def test_types_become_nullable_and_titles_and_descriptions_stay() -> None:
    traits = {
        "email": {"type": "string", "format": "email", "title": "E-Mail", "minLength": 3},
        "age": {"type": "integer", "description": "In years.", "minimum": 0, "maximum": 200},
        "score": {"type": ["number", "null"]},
        "newsletter": {"type": "boolean", "default": False},
        "kind": {"enum": ["a", "b", None]},
        "version": {"const": 2},
    }
    assert properties(traits) == {
        "email": {"type": ["string", "null"], "title": "E-Mail"},
        "age": {"type": ["integer", "null"], "description": "In years."},
        "score": {"type": ["number", "null"]},
        "newsletter": {"type": ["boolean", "null"]},
        "kind": {"type": ["string", "null"]},
        "version": {"type": ["integer", "null"]},
    }


def test_objects_and_arrays_are_followed() -> None:
    traits = {
        "name": {"type": "object", "properties": {"first": {"type": "string"}}, "additionalProperties": False},
        "addresses": {"type": "array", "items": {"properties": {"city": {"type": "string"}}}},
    }
    assert properties(traits) == {
        "name": {
            "type": ["object", "null"],
            "additionalProperties": True,
            "properties": {"first": {"type": ["string", "null"]}},
        },
        "addresses": {
            "type": ["array", "null"],
            "items": {
                "type": ["object", "null"],
                "additionalProperties": True,
                "properties": {"city": {"type": ["string", "null"]}},
            },
        },
    }


def test_the_union_joins_types_and_members() -> None:
    one = {
        "id": {"type": "integer", "title": "Number"},
        "n": {"type": "integer"},
        "name": {"type": "object", "properties": {"first": {"type": "string"}}},
        "tags": {"type": "array", "items": {"type": "string"}},
    }
    other = {
        "id": {"type": "string", "title": "Text"},
        "n": {"type": "number"},
        "name": {"type": "object", "properties": {"last": {"type": "string"}}},
        "tags": {"type": "array", "items": {"type": "integer"}},
        "phone": {"type": "string"},
    }
    found = properties(one, other)
    assert found["id"] == {**OF_MANY, "title": "Number"}
    assert found["n"] == {"type": ["number", "null"]}
    assert list(found["name"]["properties"]) == ["first", "last"]
    assert found["tags"]["items"] == OF_MANY
    assert found["phone"] == {"type": ["string", "null"]}


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["string", "integer"], OF_MANY),
        (["string", "boolean"], OF_MANY),
        (["string", "object"], OF_MANY),
        (["array", "string"], OF_MANY),
        (["number", "boolean"], OF_MANY),
        (["integer", "boolean"], OF_MANY),
        (["number", "integer"], {"type": ["number", "null"]}),
        (["object", "array"], FREE),
        (["object", "number"], FREE),
        (["array", "boolean"], FREE),
    ],
)
def test_of_several_types_one_is_declared_that_every_target_takes(kinds: list[str], expected: dict[str, Any]) -> None:
    assert properties(*({"x": {"type": kind}} for kind in kinds)) == {"x": expected}
    assert properties({"x": {"type": kinds}}) == {"x": expected}


def test_free_json_is_text_where_the_sdk_flattens_it() -> None:
    schema = {"properties": {"traits": {"type": ["object", "null"], "properties": properties({"x": {}})}}}
    # As a catalog hands it on.
    handed_on = Schema.from_dict(schema).to_dict()
    (column,) = flatten_schema(handed_on, max_level=1)["properties"].values()
    assert set(column["type"]) == {"string", "null"}


@pytest.mark.parametrize(
    "anything",
    [
        {},
        True,
        {"title": "x"},
        {"type": "strange"},
        {"type": [7]},
        {"type": "null"},
        {"const": None},
        {"$ref": "other.json"},
    ],
)
def test_what_a_schema_leaves_open_stays_open(anything: Any) -> None:
    assert {**properties({"x": anything})["x"], **FREE} == properties({"x": anything})["x"]
    assert "type" not in properties({"x": anything})["x"]


def test_references_into_the_document_are_followed() -> None:
    traits = {
        "email": {"$ref": "#/definitions/email"},
        "again": {"$ref": "https://example.com/x.json#/definitions/email"},
        "escaped": {"$ref": "#/definitions/a~1b%25"},
        "in_a_list": {"$ref": "#/definitions/choices/oneOf/1"},
        "nowhere": {"$ref": "#/definitions/none"},
        "elsewhere": {"$ref": "https://example.com/y.json#/definitions/email"},
        "anchor": {"$ref": "#email"},
    }
    definitions = {
        "email": {"type": "string", "title": "E-Mail"},
        "a/b%": {"type": "boolean"},
        "choices": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
    }
    found = properties(traits, definitions=definitions)
    assert found["email"] == found["again"] == {"type": ["string", "null"], "title": "E-Mail"}
    assert found["escaped"] == {"type": ["boolean", "null"]}
    assert found["in_a_list"] == {"type": ["integer", "null"]}
    assert [found[name] for name in ("nowhere", "elsewhere", "anchor")] == [FREE] * 3


def test_the_traits_themselves_may_be_a_reference() -> None:
    schema = declared(
        document({"$ref": "#/definitions/t"}, definitions={"t": {"properties": {"a": {"type": "string"}}}})
    )
    assert schema["properties"] == {"a": {"type": ["string", "null"]}}


def test_a_circle_of_references_ends_open() -> None:
    person = {"type": "object", "properties": {"name": {"type": "string"}, "manager": {"$ref": "#/definitions/person"}}}
    found = properties({"boss": {"$ref": "#/definitions/person"}}, definitions={"person": person})
    assert found["boss"]["properties"]["name"] == {"type": ["string", "null"]}
    assert found["boss"]["properties"]["manager"] == FREE


def test_all_of_any_of_one_of_and_conditions_are_combined() -> None:
    traits = {
        "both": {"allOf": [{"type": "string"}, {"title": "Both"}]},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "nullable": {"oneOf": [{"type": "string"}, {"type": "null"}]},
        "narrowed": {"type": "string", "anyOf": [{"minLength": 2}, {"type": "integer"}]},
    }
    assert properties(traits) == {
        "both": {"type": ["string", "null"], "title": "Both"},
        "either": OF_MANY,
        "nullable": {"type": ["string", "null"]},
        "narrowed": {"type": ["string", "null"]},
    }
    conditional = {
        "type": "object",
        "properties": {"kind": {"type": "string"}},
        "allOf": [{"properties": {"a": {"type": "string"}}}],
        "anyOf": [{"properties": {"b": {"type": "string"}}}, {"required": ["c"]}],
        "if": {"properties": {"kind": {"const": "x"}}},
        "then": {"properties": {"kind": {"minLength": 1}, "d": {"type": "integer"}}},
        "else": {"properties": {"d": {"type": "string"}}},
        "dependentSchemas": {"kind": {"properties": {"e": {"type": "boolean"}}}},
    }
    schema = declared(document(conditional))
    assert schema["properties"]["d"] == OF_MANY
    assert {name: each["type"] for name, each in schema["properties"].items()} == {
        "kind": ["string", "null"],
        "a": ["string", "null"],
        "b": ["string", "null"],
        "d": ["string", "null"],
        "e": ["boolean", "null"],
    }


def test_a_schema_that_says_nothing_of_its_traits_does_not_open_the_others() -> None:
    typed = document({"type": "object", "properties": {"a": {"type": "string"}}})
    nothings: list[dict[str, Any]] = [document({}), {}, {"properties": []}, document(traits=True)]
    for nothing in nothings:
        assert declared(typed, nothing)["properties"] == {"a": {"type": ["string", "null"]}}
        assert declared(nothing) == BASE
    assert declared() == BASE


def test_traits_that_are_no_object_are_declared_as_what_they_are() -> None:
    assert declared(document({"type": "string"}))["type"] == ["string", "null"]
    mixed = declared(document({"type": "string"}), document({"type": "object", "properties": {"a": {}}}))
    assert mixed == BASE


def nested(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        inner = {"type": "object", "properties": {"x": inner}}
    return inner


def depth_of(schema: dict[str, Any]) -> int:
    return 1 + max(map(depth_of, schema.get("properties", {}).values()), default=0)


def test_depth_and_number_are_bounded_and_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert depth_of(declared(document(nested(8)))) == 9
    assert "stay undeclared" not in caplog.text
    assert depth_of(declared(document(nested(9)))) == 9
    assert "1 trait(s) stay undeclared, as they are too many, too deep or of equal names; first: x__x__x" in caplog.text
    wide = {f"t{number}": {"type": "object", "properties": {"x": {}}} for number in range(MAX_PROPERTIES - 1)}
    found = properties(wide)
    # What is cut is what lies deepest.
    assert len(found) == MAX_PROPERTIES - 1
    assert [name for name, each in found.items() if "properties" in each] == ["t0"]


def test_a_schema_that_unfolds_without_end_is_cut() -> None:
    definitions = {
        f"d{n}": {"type": "object", "properties": {side: {"$ref": f"#/definitions/d{n + 1}"} for side in "abcdefgh"}}
        for n in range(30)
    }
    shape = traits_shape(document({"$ref": "#/definitions/d0"}, definitions=definitions))
    assert shape.is_object
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(500):
        deep = {"allOf": [deep]}
    assert traits_shape(document(deep)) == OPEN


def test_names_that_would_be_the_same_column_are_declared_once() -> None:
    found = properties(
        {
            "name": {"type": "object", "properties": {"first": {"type": "string"}}},
            "name__first": {"type": "string"},
            "Email": {"type": "string"},
            "email": {"type": "string"},
            'quo"te': {"type": "string"},
            "line\nbreak": {"type": "string"},
            "ключ": {"type": "string"},
        }
    )
    assert list(found) == ["name", "name__first", "Email", "ключ"]
    assert "properties" not in found["name"]


@pytest.mark.parametrize(
    "odd",
    [
        {"properties": 7},
        {"properties": {"traits": {"type": "object", "properties": ["x"]}}},
        {"properties": {"traits": {"type": "object", "properties": {"x": 7, "y": None, "z": []}}}},
        {"properties": {"traits": {"type": "object", "properties": {"x": {"items": [{"type": "string"}]}}}}},
        {"properties": {"traits": {"allOf": 7, "anyOf": {}, "oneOf": [], "then": [], "$ref": 7, "enum": 7}}},
        {"properties": {"traits": {"type": {}, "title": 7, "ory.sh/kratos": []}}},
        {"$id": 7, "properties": {"traits": {"$ref": "#/properties/7/x"}}},
    ],
)
def test_schemas_that_are_none_are_never_fatal(odd: dict[str, Any]) -> None:
    Draft7Validator.check_schema(declared(odd))


def test_the_keyword_survives_references_and_combinations() -> None:
    keyword = {"credentials": {"password": {"identifier": True}}}
    traits = {"type": "object", "properties": {"a": {"allOf": [{"$ref": "#/definitions/login"}]}}}
    shape = traits_shape(document(traits, definitions={"login": {"type": "string", "ory.sh/kratos": keyword}}))
    assert shape.properties["a"] == Shape(types=frozenset({"string"}), keyword=keyword)
