"""Any identity, any identity schema: records fit the emitted SCHEMA, nothing is lost, and both ways write the same.

Names come from a small pool, so that values meet schemas; what is expected is said in other words than the tap's.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.views import Json, View, crumb, identity, page

NAMES = [
    *("email", "emails", "username", "phone", "name", "first", "last", "full_name", "employee_id", "account_type"),
    *("service_account", "manager", "x", "a/b~c", "0", "", "ключ", 'quo"te', "Email", "name__first"),
]
names = st.sampled_from(NAMES)
texts = st.sampled_from(["", " ", "a@b.c", "A@B.C", "Ada", "17", "+49 30 1", "\u2028", "é\x7f\n", "true"]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=5
)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 9).map(float)
scalars = st.none() | st.booleans() | numbers | texts


def _below(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(children, max_size=3) | st.dictionaries(names, children, max_size=4)


values = st.recursive(scalars, _below, max_leaves=12)
traits_values = st.dictionaries(names, values, max_size=8) | values

keywords = st.fixed_dictionaries(
    {},
    optional={
        "credentials": st.dictionaries(
            st.sampled_from(["password", "webauthn", "code", "passkey", "totp"]),
            st.sampled_from([{"identifier": True}, {"identifier": True, "via": "sms"}, {"display_name": True}, 7]),
            max_size=2,
        ),
        "verification": st.sampled_from([{"via": "email"}, {"via": "sms"}, {"via": "phone"}, {}, None]),
        "recovery": st.sampled_from([{"via": "email"}, {"via": []}]),
    },
)
kinds = st.sampled_from(["string", "integer", "number", "boolean", "object", "array", "null"])
references = st.sampled_from(
    ["#", "#/properties/traits", "#/definitions/a", "#/definitions/b", "other.json", "#nowhere"]
)
leaves = st.fixed_dictionaries(
    {},
    optional={
        "type": kinds | st.lists(kinds, max_size=3),
        "format": st.sampled_from(["email", "tel", "date-time", "uuid"]),
        "title": texts,
        "description": texts,
        "enum": st.lists(scalars, max_size=2),
        "const": scalars,
        "ory.sh/kratos": keywords,
        "$ref": references,
    },
)


def _combined(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(children, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "array", ["object", "null"], ["string", "object"], ["array", "string"]]),
            "properties": st.dictionaries(names, children, max_size=6),
            "items": children,
            "additionalProperties": st.booleans(),
            "allOf": several,
            "anyOf": several,
            "oneOf": several,
            "if": children,
            "then": children,
            "else": children,
            "ory.sh/kratos": keywords,
        },
    )


nodes = st.recursive(leaves | st.booleans(), _combined, max_leaves=10)
usual = st.fixed_dictionaries({"type": st.just("object"), "properties": st.dictionaries(names, nodes, max_size=8)})
traits_schemas = usual | nodes

SCHEMA_IDS = ["default", "service", "preset://email"]
projects = st.dictionaries(st.sampled_from(SCHEMA_IDS), traits_schemas, max_size=3)
addresses = st.lists(
    st.fixed_dictionaries(
        {"value": texts}, optional={"verified": st.booleans(), "via": st.sampled_from(["email", "sms", "phone", "x"])}
    ),
    max_size=3,
)
odd: st.SearchStrategy[Any] = st.sampled_from([None, 7, "x", [], {}, [7], True])
credentials = st.dictionaries(
    st.sampled_from(["password", "totp", "oidc", "passkey", "webauthn", "new"]),
    st.fixed_dictionaries({}, optional={"identifiers": st.lists(texts, max_size=2), "config": odd}),
    max_size=3,
)
# What a server may send, and what none was seen to.
fields = st.fixed_dictionaries(
    {"schema_id": st.sampled_from(SCHEMA_IDS)},
    optional={
        "external_id": texts,
        "state": st.sampled_from(["active", "inactive", "new"]),
        "state_changed_at": st.just("2026-01-01T00:00:00Z"),
        "verifiable_addresses": addresses | st.none(),
        "recovery_addresses": addresses,
        "credentials": credentials,
        "metadata_public": values,
    },
)
odd_fields = st.dictionaries(
    st.sampled_from(["schema_id", "state", "verifiable_addresses", "recovery_addresses", "credentials", "created_at"]),
    odd,
    max_size=2,
)
project_settings = st.fixed_dictionaries(
    {},
    optional={
        "credential_metadata": st.sampled_from([True, "exact"]),
        "user_fields": st.sampled_from(
            [{"email": "/traits/x/0"}, {"username": "/metadata_public/x"}, {"service": {"login": "/traits/name/first"}}]
        ),
    },
)
QUICK = settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def restored(value: Any, apart: Json) -> Any:
    """A value with everything that was kept apart put back to its JSON pointer."""
    if "" in apart:
        assert value is None
        return apart[""]
    value = json.loads(json.dumps(value))
    for pointer, taken in apart.items():
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
        place = value
        for part in way:
            place = place[int(part) if isinstance(place, list) else part]
        key = int(last) if isinstance(place, list) else last
        assert place[key] is None
        place[key] = taken
    return value


def same(found: Any, given: Any) -> bool:
    """Whether nothing was lost: the same value, or the same number as text or as an integer."""
    if isinstance(given, dict) and isinstance(found, dict):
        return list(found) == list(given) and all(same(found[name], given[name]) for name in given)
    if isinstance(given, list) and isinstance(found, list):
        return len(found) == len(given) and all(map(same, found, given))
    if isinstance(given, float) and isinstance(found, int) and not isinstance(found, bool):
        return found == given
    if isinstance(given, (bool, dict, list)) and isinstance(found, str):
        # Text is declared where identity schemas allow several types.
        return json.dumps(json.loads(found)) == json.dumps(given)
    if isinstance(given, (int, float)) and isinstance(found, str):
        return float(Decimal(found)) == float(given) if isinstance(given, float) else int(found) == given
    return type(found) is type(given) and bool(found == given)


@QUICK
@given(project=projects, traits=traits_values, more=fields, odd_ones=odd_fields)
def test_traits_always_fit_the_schema_and_nothing_is_lost(
    project: Json, traits: Any, more: Json, odd_ones: Json
) -> None:
    row = identity(traits, **{**more, **odd_ones})
    # Two streams, two ways: the page as it is, and the page with a neighbour that has to go the slower way.
    for stream, field in (("identities", "traits"), ("users", "profile")):
        view = View(stream, project)
        if odd_ones and stream == "identities":
            # This stream passes on what the server sends; that only its traits are checked is its promise.
            fast, slow = ([json.loads(line)["record"] for line in view.block(each).splitlines()] for each in both(row))
        else:
            fast, slow = (view.records(each) for each in both(row))
        assert fast == slow[:1]
        apart = fast[0].get("nonconforming_traits") or {}
        assert same(restored(fast[0][field], apart), traits)
        declared = view.validator.evolve(schema=view.schema["properties"][field])
        declared.validate(fast[0][field])


def both(row: Json) -> tuple[bytes, bytes]:
    neighbour = identity({"x": "\ud800"})
    return page(row), page(row, neighbour)


@QUICK
@given(project=projects, traits=traits_values, more=fields, odd_ones=odd_fields, config=project_settings)
def test_a_user_fits_the_schema_whatever_the_identity(
    project: Json, traits: Any, more: Json, odd_ones: Json, config: Json
) -> None:
    row = identity(traits, **{**more, **odd_ones})
    (record,) = View("users", project, **config).records(page(row))
    assert record["id"] == row["id"]
    assert record["email"] == (record["emails"][0]["address"] if record["emails"] else None)
    assert [each["primary"] for each in record["emails"]] == [n == 0 for n in range(len(record["emails"]))]
    lowered = [each["address"].lower() for each in record["emails"]]
    assert len(set(lowered)) == len(lowered)
    assert all("@" in each for each in lowered)
    assert record["display_name"].strip()
    assert (record["login"] or "").lower() not in [each.lower() for each in record["login_aliases"]] or not record[
        "login"
    ]
    assert record["account_type"] in {"human", "service", "system"}
    told = bool(config.get("credential_metadata")) and isinstance(row.get("credentials"), dict)
    assert [record[name] is not None for name in ("sso_enabled", "sso_providers")] == [told] * 2
    # What is only listed may not tell of a second factor.
    assert told or record["mfa_enabled"] is None
    methods = record["mfa_methods"]
    assert record["mfa_enabled"] is (None if methods is None else bool(methods))


@QUICK
@given(project=projects, traits=traits_values, more=fields, data=st.data())
def test_what_is_deselected_of_traits_is_in_no_part_of_a_record(
    project: Json, traits: Any, more: Json, data: st.DataObject
) -> None:
    # Only declared traits can be deselected, and those that are there are of interest.
    declared = list(ways(View("identities", project).schema["properties"]["traits"]))
    present = [way for way in declared if holds(traits, way)] or declared
    if not present:
        return
    chosen = data.draw(st.lists(st.sampled_from(present), min_size=1, max_size=3))
    view = View("identities", project, deselected=[crumb("traits", *way) for way in chosen])
    fast, slow = (view.records(each)[0] for each in both(identity(traits, **more)))
    assert fast == slow
    for record in (fast, slow):
        for way in chosen:
            assert not holds(record["traits"], way)
            pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in way)
            assert not any(
                kept == pointer or kept.startswith(f"{pointer}/") for kept in record.get("nonconforming_traits") or {}
            )


@QUICK
@given(project=projects, traits=traits_values, data=st.data())
def test_no_part_of_a_record_depends_on_traits_that_were_not_asked_for(
    project: Json, traits: Any, data: st.DataObject
) -> None:
    schema = View("identities", project).schema["properties"]["traits"]
    declared = list(ways(schema))
    if not declared:
        return
    chosen = data.draw(st.sets(st.sampled_from(declared), min_size=1))
    asked_for = only_selected(traits, schema, (), chosen)
    for stream, field in (("identities", "traits"), ("users", "profile")):
        view = View(stream, project, deselected=[crumb(field, *way) for way in chosen])
        for all_of_them, some in zip(both(identity(traits)), both(identity(asked_for)), strict=True):
            found, expected = view.records(all_of_them)[0], view.records(some)[0]
            for name in (field, "nonconforming_traits"):
                left, right = (json.dumps(each.get(name), sort_keys=True) for each in (found, expected))
                assert left == right


def only_selected(value: Any, schema: Json, way: tuple[str, ...], deselected: set[tuple[str, ...]]) -> Any:
    """What is left of a value without undeclared and deselected members of objects with declared ones."""
    properties = schema.get("properties")
    if isinstance(value, list) and "items" in schema:
        return [only_selected(item, schema["items"], (), set()) for item in value]
    if not properties:
        return value
    if isinstance(value, dict):
        return {
            name: only_selected(value[name], member, (*way, name), deselected)
            for name, member in properties.items()
            if name in value and (*way, name) not in deselected
        }
    hides = any(each[: len(way)] == way for each in deselected)
    return None if hides else value


def ways(schema: Json) -> Iterator[tuple[str, ...]]:
    """The names on the way to each declared member of objects."""
    for name, member in schema.get("properties", {}).items():
        yield (name,)
        yield from ((name, *below) for below in ways(member))


def holds(value: Any, way: tuple[str, ...]) -> bool:
    for name in way:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True


@QUICK
@given(schema=usual, traits=st.dictionaries(names, values, max_size=8), more=fields, config=project_settings)
def test_what_does_not_fit_elsewhere_changes_nothing_of_a_user(
    schema: Json, traits: Json, more: Json, config: Json
) -> None:
    schema["properties"]["zz"] = {"type": "integer"}
    view = View("users", {"default": schema, "service": schema}, **config)
    fits, odd = (view.records(page(identity({**traits, "zz": value}, **more)))[0] for value in (7, "x"))
    for name in ("profile", "nonconforming_traits"):
        del fits[name], odd[name]
    assert fits == odd
