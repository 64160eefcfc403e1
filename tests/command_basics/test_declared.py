"""A declaration is the JSON Schema that the SDK would make of it, and reads what a configuration gives."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from singer_sdk import typing as th

from command_basics.declared import marked, schema_of, setting, values_in


@dataclass(frozen=True, kw_only=True)
class Declared:
    where: str = setting("Where", "Where it is.", required=True, mark="a reason")
    key: str | None = setting("Key", "What opens it.", secret=True)
    count: int = setting("Count", "How many there are.", default=3, schema={"minimum": 1, "maximum": 9})
    seconds: float = setting("Seconds", "How long it lasts.", default=60, schema={"exclusiveMinimum": 0})
    on: bool = setting("On", "Whether it is.", default=False)
    kind: str = setting("Kind", "One of two.", default="", schema={"enum": ["a", "b"]})
    parts: Mapping[str, str] = setting("Parts", "Its parts.", default={}, schema={"additionalProperties": True})


def test_the_schema_is_the_sdks_to_the_byte() -> None:
    of_the_sdk = th.PropertiesList(
        th.Property("where", th.StringType, required=True, title="Where", description="Where it is."),
        th.Property("key", th.StringType, secret=True, title="Key", description="What opens it."),
        th.Property(
            "count", th.IntegerType(minimum=1, maximum=9), default=3, title="Count", description="How many there are."
        ),
        th.Property(
            "seconds", th.NumberType(exclusive_minimum=0), default=60, title="Seconds", description="How long it lasts."
        ),
        th.Property("on", th.BooleanType, default=False, title="On", description="Whether it is."),
        th.Property("kind", th.StringType(allowed_values=["a", "b"]), title="Kind", description="One of two."),
        th.Property(
            "parts", th.ObjectType(additional_properties=True), default={}, title="Parts", description="Its parts."
        ),
    )
    assert json.dumps(schema_of(Declared)) == json.dumps(of_the_sdk.to_dict())


def test_values_are_the_declared_ones_that_say_something() -> None:
    assert values_in(Declared, {"where": "", "count": None, "on": False, "parts": {}, "other": 1}) == {
        "on": False,
        "parts": {},
    }


def test_defaults_stand_for_what_is_not_given_and_are_shared_by_nobody() -> None:
    one, other = Declared(where="here"), Declared(where="here")
    assert (one.key, one.count, one.seconds, one.on, one.kind, one.parts) == (None, 3, 60, False, "", {})
    assert one.parts is not other.parts
    with pytest.raises(TypeError, match="where"):
        Declared()  # type: ignore[arg-type, unused-ignore]


def test_a_secret_is_in_no_repr() -> None:
    assert "ory_pat_secret" not in repr(Declared(where="here", key="ory_pat_secret"))


def test_marks_are_found_by_their_names() -> None:
    assert marked(Declared, "mark") == {"where": "a reason"}
