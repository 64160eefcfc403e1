"""Compiled maps and flattening, for any schema, people, settings and expressions: they make what the SDK makes."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ory_reader.traits.declaration import shapes_of, typed_traits
from tests.tap_ory.sdk_messages import Json, catalog_of, sdk_messages, tap_messages

SETTINGS = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
Text = st.SearchStrategy[str]

# People, as JSON text: all that JSON allows is in it.

NAMES = [
    "email",
    "name",
    "first",
    "last",
    "groups",
    "n",
    "a.b",
    "Ключ",
    'quo"te',
    "",
    "a_rather_long_name_of_a_trait" * 2,
]
OTHERS = ["zz", "undeclared thing"]
strings = st.sampled_from(
    ['"a@b.c"', '"Ada"', '""', '"5"', '"J\\u00fcrgen\\n"', '"Ж\x7f<&>"', '"\\/\\""', '"渋😀"', '"\\ud83d\\ude00"']
)
scalars = strings | st.sampled_from(
    ["null", "true", "false", "0", "-0", "17", "1.50", "1e3", "-0.0", "1E+30", "123456789012345678901234567890"]
)
spaces = st.sampled_from(["", "", "", " ", "\n"])


@st.composite
def objects(draw: st.DrawFn, values: Text, names: tuple[str, ...] = (*NAMES, *OTHERS), *, twice: bool = True) -> str:
    """An object, whose members may come `twice`."""
    each = st.tuples(st.sampled_from(names), values, spaces)
    members = draw(st.lists(each, max_size=5, unique_by=None if twice else lambda member: member[0]))
    text = ",".join(f"{space}{json.dumps(name)}{space}:{space}{value}" for name, value, space in members)
    return f"{{{text}}}"


def arrays(values: Text) -> Text:
    return st.tuples(st.lists(values, max_size=3), spaces).map(lambda each: f"[{f',{each[1]}'.join(each[0])}]")


anything = st.recursive(scalars, lambda inner: objects(inner) | arrays(inner), max_leaves=8)
# What the server itself makes has each member once.
addresses = arrays(objects(scalars, ("id", "value", "verified", "via"), twice=False))
FIELDS: dict[str, Text] = {
    "schema_id": st.sampled_from(['"s"', "null"]),
    "external_id": strings | scalars,
    "state": st.sampled_from(['"active"', '"active"', '"inactive"', "null", "5"]),
    "verifiable_addresses": addresses | st.just("null"),
    "recovery_addresses": addresses,
    "metadata_public": anything,
    "metadata_admin": anything,
    "created_at": st.just('"2026-01-02T03:04:05Z"'),
    "organization_id": st.sampled_from(["null", '"o"', "{}"]),
    "credentials": objects(objects(scalars, ("type", "version")), ("password", "oidc")),
}


@st.composite
def pages(draw: st.DrawFn) -> bytes:
    rows = []
    for number in range(draw(st.integers(0, 4))):
        names = draw(st.lists(st.sampled_from(sorted(FIELDS)), unique=True))
        values = {
            "id": f'"{number:08}"',
            "traits": draw(objects(anything)),
            **{each: draw(FIELDS[each]) for each in names},
        }
        rows.append(f"{{{','.join(f'{json.dumps(name)}:{value}' for name, value in values.items())}}}")
    # Half a surrogate pair sends a page the slower way.
    half = draw(st.sampled_from(["", "", "", "", "", "", ',{"id":"h","traits":{"zz":"\\ud83d"}}'])) if rows else ""
    return f"[{','.join(rows)}{half}]".encode()


# Schemas of traits, as this tap declares them

nodes = st.recursive(
    st.sampled_from([{}, *({"type": kind} for kind in ("string", "integer", "number", "boolean", "array", "object"))]),
    lambda inner: st.dictionaries(st.sampled_from(NAMES), inner, max_size=4).map(
        lambda members: {"type": "object", "properties": members}
    ),
    max_leaves=8,
)
schemas = st.dictionaries(st.sampled_from(NAMES), nodes, max_size=5).map(
    lambda members: typed_traits(
        {"description": ""},
        shapes_of({"s": {"properties": {"traits": {"type": "object", "properties": members}}}}),
    )
)
flattening = st.fixed_dictionaries(
    {"flattening_enabled": st.sampled_from([True]), "flattening_max_depth": st.integers(0, 4)},
    optional={
        "flattening_separator": st.sampled_from(["__", ".", "-", "_x_"]),
        "flattening_max_key_length": st.sampled_from([40, 60, 255]),
    },
)
streams = st.sampled_from(["identities", "users"])


def same_as_the_sdk(page: bytes, catalog: Json, **config: Any) -> None:
    messages, failed = tap_messages(page, catalog, **config)
    expected = sdk_messages(page, catalog, **config)
    assert ([each for each in messages if each["type"] == "RECORD"], failed) == expected


@SETTINGS
@given(page=pages(), stream=streams, traits=schemas, config=flattening)
def test_flattened_records_are_the_sdks(page: bytes, stream: str, traits: Json, config: Json) -> None:
    catalog = catalog_of(stream, traits)
    same_as_the_sdk(page, catalog, **config)
    # So does the way of the dicts.
    assert tap_messages(page, catalog, blocks=False, **config) == tap_messages(page, catalog, **config)


# Expressions

ATOMS = [
    *("traits", "profile", "state", "external_id", "email", "emails", "metadata_public", "schema_id", "id", "self"),
    *("record['state']", "_['traits']", "record.get('external_id')", "_.get('state', 'x')", "record.traits", "record"),
    *("verifiable_addresses", "config", "config['salt']", "config.get('none')", "config.salt", "nope"),
    *(
        "__stream_name__",
        "__original_stream_name__",
        "'active'",
        "'email'",
        "''",
        "None",
        "True",
        "0",
        "17",
        "1.5",
        "[]",
    ),
]


def _operations(inner: Text) -> Text:
    templates = [
        *("md5({0})", "sha256(str({0}))", "md5({0} or '')", "str({0})", "int({0})", "float({0})", "bool({0})"),
        *(
            "{0}['email']",
            "{0}.email",
            "{0}.get('email')",
            "{0}.get({1}, '')",
            "{0}[{1}]",
            "{0}[0]",
            "{0}[1:]",
            "{0}[:-1]",
        ),
        *("{0}.lower()", "{0}.strip().upper()", "{0}.split('@')", "{0}.split('@')[-1]", "{0}.replace('a', {1})"),
        *("','.join({0})", "{0}.startswith({1})", "{0}.join({1})", "{0}.format({1})", "{0}.encode()", "{0}.nope"),
        *("({0} or {1})", "({0} and {1})", "(not {0})", "({0} == {1})", "({0} != {1})", "({0} < {1})", "({0} in {1})"),
        *("({0} not in ['active', {1}])", "({0} is None)", "({0} is not {1})", "({0} == {1} == 'active')"),
        *("({0} if {1} else None)", "({0} + {1})", "({0} * 2)", "({0} % {1})", "({0} - 1)", "({0} / 3)", "(-{0})"),
        *('f"{{{0}}}-{{{1}}}"', 'f"{{{0}!r}}"', 'f"{{{0}:>5}}"', "[{0}, {1}]", "({0},)", "{{'email': {0}}}", "{{{0}}}"),
        *("json.dumps({0})", "json.loads({0})", "[each for each in {0}]", "list({0})", "dict({0})", "set({0})"),
        *("{0}.pop('email')", "{0}.update({{'email': 1}})", "[each.pop() for each in {0}]", "{0}.copy()", "{0}.keys()"),
        *("datetime.date.fromisoformat('2026-01-02')", "datetime.datetime(2026, 1, 2, 3)", "lambda: {0}", "{0}._x"),
    ]
    return st.tuples(st.sampled_from(templates), inner, inner).map(lambda each: each[0].format(*each[1:]))


expressions = st.recursive(st.sampled_from(ATOMS), _operations, max_leaves=4)
properties = st.dictionaries(
    st.sampled_from(["new", "traits", "profile", "state", "email", "external_id", "metadata_public", "groups", "id"]),
    st.one_of(expressions, expressions, expressions, st.none(), st.just("__NULL__")),
    max_size=4,
)
options = st.fixed_dictionaries(
    {},
    optional={
        "__filter__": expressions | st.sampled_from(["state == 'active'", "'@' in (traits.get('email') or '')"]),
        "__else__": st.none(),
        "__key_properties__": st.sampled_from([["id"], [], ["state"]]),
    },
)


@st.composite
def maps(draw: st.DrawFn) -> Json:
    """Maps of a stream: its own, or another's of it, or both."""
    stream = draw(st.sampled_from(["identities", "users", "*"]))
    own = {**draw(options), **draw(properties)}
    if draw(st.booleans()):
        own["__alias__"] = "people"
    found: Json = {stream: draw(st.sampled_from([own, own, own, None]))}
    if draw(st.integers(0, 3)) == 0:
        alias: Json = {"__alias__": "state"} if draw(st.integers(0, 3)) == 0 else {}
        found["copy"] = {"__source__": stream, **draw(options), **draw(properties), **alias}
    return found


@settings(SETTINGS, max_examples=350)
@given(page=pages(), stream=streams, traits=schemas, stream_maps=maps(), config=st.just({}) | flattening)
def test_mapped_records_are_the_sdks(page: bytes, stream: str, traits: Json, stream_maps: Json, config: Json) -> None:
    mapped = {"stream_maps": stream_maps, "stream_map_config": {"salt": "pepper"}}
    same_as_the_sdk(page, catalog_of(stream, traits), **mapped, **config)
