"""What a schema and a selection keep of a record: by hand, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from ory_reader.records.projection import WHOLE, Projection, project, prune
from tests.views import Mask, crumb


def kept(schema: dict[str, Any], *deselected: tuple[str, ...], private: tuple[str, ...] = ()) -> Projection:
    return project({"properties": schema}, Mask(deselected), private)


ADDRESS = {"type": "object", "properties": {"city": {}, "street": {}}}
CLOSED = {**ADDRESS, "additionalProperties": False}


def test_a_record_is_closed_and_its_id_always_kept() -> None:
    field = kept({"id": {}, "name": {}, "email": {}}, crumb("email"), crumb("id"))
    assert field.fields == {"id": WHOLE, "name": WHOLE}
    assert prune({"name": "Ann", "id": "a", "email": "x", "new": 1}, field) == {"id": "a", "name": "Ann"}
    assert prune({"id": "a"}, field) == {"id": "a"}


@pytest.mark.parametrize(
    ("schema", "deselected", "given", "expected"),
    [
        # An open object passes whole, whatever is in it.
        (ADDRESS, [], {"city": "Ghent", "new": 1}, {"city": "Ghent", "new": 1}),
        # What is deselected goes, what nobody declared stays.
        (ADDRESS, [crumb("at", "street")], {"street": "x", "new": 1}, {"new": 1}),
        # A closed one keeps what it declares.
        (CLOSED, [], {"city": "Ghent", "new": 1}, {"city": "Ghent"}),
        (CLOSED, [crumb("at", "city")], {"city": "Ghent", "street": "x"}, {"street": "x"}),
        # A catalog deselects what no schema declares.
        ({"type": "object"}, [crumb("at", "secret")], {"secret": 1, "other": 2}, {"other": 2}),
        # Elements of a list are pruned one by one.
        ({"items": CLOSED}, [], [{"city": "Ghent", "new": 1}, None], [{"city": "Ghent"}, None]),
        ({"items": CLOSED}, [], {"city": "Ghent"}, None),
        # A map: what is said of each member.
        (
            {"additionalProperties": CLOSED},
            [],
            {"a": {"city": "x", "new": 1}, "b": None},
            {"a": {"city": "x"}, "b": None},
        ),
        (
            {"properties": {"a": {}}, "additionalProperties": CLOSED},
            [],
            {"a": {"new": 1}, "b": {"new": 1, "street": "x"}},
            {"a": {"new": 1}, "b": {"street": "x"}},
        ),
    ],
)
def test_what_is_kept_below_a_field(schema: Any, deselected: Any, given: Any, expected: Any) -> None:
    field = kept({"at": schema}, *deselected)
    assert prune({"id": "a", "at": given}, field) == {"id": "a", "at": expected}


@pytest.mark.parametrize("given", ["text", 7, True, [{"secret": 1}]])
def test_a_closed_object_of_another_type_becomes_null(given: Any) -> None:
    assert prune({"id": "a", "at": given}, kept({"at": CLOSED})) == {"id": "a", "at": None}


@pytest.mark.parametrize(
    ("given", "expected"),
    [("text", "text"), (7, 7), (None, None), ([{"street": "x", "new": 1}, "y"], [{"new": 1}, "y"])],
)
def test_an_open_object_of_another_type_passes_and_a_list_is_pruned_by_its_elements(given: Any, expected: Any) -> None:
    field = kept({"at": ADDRESS}, crumb("at", "street"))
    assert prune({"id": "a", "at": given}, field) == {"id": "a", "at": expected}


NAMES = {"type": "object", "properties": {"name": ADDRESS, "email": {}}}


def test_who_deselects_a_trait_wants_none_that_nobody_could_have_named() -> None:
    given = {"id": "a", "traits": {"name": {"city": "x", "new": 1}, "email": "y", "new": 2}}
    everything = kept({"traits": NAMES}, private=("traits",))
    assert prune(given, everything) == given
    without = kept({"traits": NAMES}, crumb("traits", "email"), private=("traits",))
    assert prune(given, without) == {"id": "a", "traits": {"name": {"city": "x"}}}
    # In a field that is not private, only what was named goes.
    public = kept({"traits": NAMES}, crumb("traits", "email"))
    assert prune(given, public) == {"id": "a", "traits": {"name": {"city": "x", "new": 1}, "new": 2}}


def test_a_private_object_that_is_closed_by_another_lets_pass_what_has_no_members() -> None:
    field = kept({"traits": NAMES}, crumb("traits", "email"), private=("traits",))
    assert prune({"id": "a", "traits": {"name": "Ann"}}, field) == {"id": "a", "traits": {"name": "Ann"}}
    # Where a member of its own was deselected it does not: it might hold that.
    own = kept({"traits": NAMES}, crumb("traits", "name", "city"), private=("traits",))
    assert prune({"id": "a", "traits": {"name": "Ann"}}, own) == {"id": "a", "traits": {"name": None}}


def test_deselected_below_items_and_maps_closes_as_well() -> None:
    schema = {"type": "object", "properties": {"emails": {"items": {**ADDRESS}}}}
    item = (*crumb("traits", "emails"), "items", "properties", "city")
    field = kept({"traits": schema}, item, private=("traits",))
    given = {"id": "a", "traits": {"emails": [{"city": "x", "street": "y", "new": 1}], "new": 2}}
    assert prune(given, field) == {"id": "a", "traits": {"emails": [{"street": "y"}]}}


@pytest.mark.parametrize(
    ("field", "compiled"),
    [
        (WHOLE, True),
        (Projection(fields={"a": WHOLE}), True),
        (Projection(every=Projection(fields={"a": WHOLE})), True),
        (Projection(items=Projection(fields={})), True),
        (Projection(fields={"a": WHOLE}, open=True), False),
        (Projection(fields={"a": WHOLE}, every=Projection(fields={})), False),
        (Projection(dropped=frozenset({"a"}), every=Projection(fields={})), False),
        (Projection(fields={"a": Projection(fields={}, open=True)}), False),
        (Projection(items=Projection(fields={}, open=True)), False),
    ],
)
def test_what_a_struct_can_express(field: Projection, compiled: bool) -> None:  # noqa: FBT001
    assert field.is_compiled is compiled
