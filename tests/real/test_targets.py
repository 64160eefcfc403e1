"""Typed traits and users in real targets: PostgreSQL and DuckDB, with the tap's flattening on and off.

What is compared is what the server has with what the tables hold, row by row.
"""

import json
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ory_sandbox import Sandbox
from tap_ory.tap import TapOry
from tests.command import sync
from tests.real.postgres import Postgres
from tests.real.server import Kratos
from tests.real.target_duckdb import SCHEMA, TargetDuckDB
from tests.real.target_postgres import TargetPostgres
from tests.real.targets import NotInstalledError

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
FLAT = {"flattening_enabled": True, "flattening_max_depth": 3}
#: Metadata may be any JSON value, and the people of these servers have bare texts and numbers as such: no column of
#: target-duckdb takes those beside objects, and the SDK's flattening declares them as text alone.
LEFT_OUT = ("metadata_public", "metadata_admin")


class Warehouse(ABC):
    """A target with its tables."""

    json: str
    array: str
    text: str
    whole: str
    decimal: str
    flag: str

    @abstractmethod
    def load(self, messages: bytes) -> None:
        """Load Singer messages."""

    @abstractmethod
    def rows(self, table: str) -> dict[str, Json]:
        """The rows of a table by id."""

    @abstractmethod
    def columns(self, table: str) -> dict[str, str]:
        """The columns of a table and their types."""


class InPostgres(Warehouse):
    json, array, text, whole, decimal, flag = "jsonb", "ARRAY", "text", "bigint", "numeric", "boolean"

    def __init__(self, postgres: Postgres, target: TargetPostgres) -> None:
        self._postgres = postgres
        self._target = target

    def load(self, messages: bytes) -> None:
        self._target.load(messages)

    def rows(self, table: str) -> dict[str, Json]:
        return {row["id"]: row for row in self._target.rows(table)}

    def columns(self, table: str) -> dict[str, str]:
        found = self._postgres.rows(
            "SELECT column_name, data_type FROM information_schema.columns"
            f" WHERE table_schema = '{self._target.schema}' AND table_name = '{table}'"
        )
        return {each["column_name"]: each["data_type"] for each in found}


class InDuckDB(Warehouse):
    json, array, text, whole, decimal, flag = "JSON", "JSON", "VARCHAR", "HUGEINT", "DOUBLE", "BOOLEAN"

    def __init__(self, target: TargetDuckDB) -> None:
        self._target = target

    def load(self, messages: bytes) -> None:
        self._target.load(messages)

    def rows(self, table: str) -> dict[str, Json]:
        columns = self.columns(table)
        found = self._target.rows(f"SELECT * FROM {SCHEMA}.{table}")
        # DuckDB gives JSON as text.
        return {
            row["id"]: {
                name: json.loads(value) if value is not None and columns[name] == self.json else value
                for name, value in row.items()
            }
            for row in found
        }

    def columns(self, table: str) -> dict[str, str]:
        return self._target.columns(table)


@pytest.fixture(params=["postgres", "duckdb"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Warehouse:
    if request.param == "duckdb":
        try:
            return InDuckDB(TargetDuckDB(tmp_path / "warehouse.duckdb"))
        except NotInstalledError as error:
            if os.environ.get("CI") or os.environ.get("TAP_ORY_REQUIRE_REAL"):
                pytest.fail(f"target-duckdb is required here: {error}", pytrace=False)
            pytest.skip(str(error))
    make: Callable[[str], TargetPostgres] = request.getfixturevalue("target_postgres")
    name = "".join(each if each.isalnum() else "_" for each in request.node.name.lower())
    return InPostgres(request.getfixturevalue("postgres"), make(name[:60]))


def messages(base_url: str, *left_out: str, **config: Any) -> bytes:
    """What the tap writes of both streams, discovered and selected but for some fields."""
    catalog = json.loads(json.dumps(TapOry(config={"base_url": base_url}, setup_mapper=False).catalog_dict))
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = entry["breadcrumb"][-1:] not in [[name] for name in left_out]
    return sync({"base_url": base_url, **config}, catalog=catalog)


def traits_of(kratos: Kratos) -> dict[str, Json]:
    return {row["id"]: row["traits"] for row in kratos.all_rows()}


def test_traits_are_json_without_flattening(warehouse: Warehouse, kratos_v1_3: Kratos) -> None:
    traits = traits_of(kratos_v1_3)
    warehouse.load(messages(kratos_v1_3.admin_url, *LEFT_OUT))
    assert {key: row["traits"] for key, row in warehouse.rows("identities").items()} == traits
    users = warehouse.rows("users")
    assert {key: row["profile"] for key, row in users.items()} == traits
    assert warehouse.columns("identities")["traits"] == warehouse.json
    columns = warehouse.columns("users")
    expected = {"email": warehouse.text, "email_verified": warehouse.flag, "emails": warehouse.array}
    assert {name: columns[name] for name in expected} == expected
    for key, given in traits.items():
        address = given.get("email") or (given.get("emails") or [None])[0]
        assert users[key]["email"] == address
        assert [each["address"] for each in users[key]["emails"]] == (
            given.get("emails") or [address] if address else []
        )
        assert users[key]["username"] == given.get("username")


def test_traits_are_columns_with_flattening(warehouse: Warehouse, kratos_v1_3: Kratos) -> None:
    traits = traits_of(kratos_v1_3)
    warehouse.load(messages(kratos_v1_3.admin_url, **FLAT))
    types = {
        "email": warehouse.text,
        "name__first": warehouse.text,
        "age": warehouse.whole,
        "groups": warehouse.text,
        "score": warehouse.decimal,
        "newsletter": warehouse.flag,
        "employment": warehouse.text,
    }
    for table, field in (("identities", "traits"), ("users", "profile")):
        columns, rows = warehouse.columns(table), warehouse.rows(table)
        assert {name: columns[f"{field}__{name}"] for name in types} == types
        assert rows.keys() == traits.keys()
        for key, given in traits.items():
            found = {name: rows[key][f"{field}__{name}"] for name in types}
            assert found["email"] == given.get("email")
            assert (found["name__first"] or "") == given.get("name", {}).get("first", "")
            assert found["age"] == given.get("age")
            assert found["score"] == given.get("score")
            assert found["newsletter"] == given.get("newsletter")
            for name in ("groups", "employment"):
                assert (found[name] and json.loads(found[name])) == given.get(name)


SCHEMAS = [
    (
        "person",
        {
            "properties": {
                "traits": {
                    "type": "object",
                    "properties": {
                        "email": {"type": "string"},
                        "badge": {"type": "string"},
                        "age": {"type": "integer"},
                    },
                }
            }
        },
    )
]
# What was written before the schema was as it is now.
OLD: list[Json] = [
    {"schema_id": "person", "traits": {"email": "a@b.c", "badge": 17, "age": 36}},
    {"schema_id": "person", "traits": {"email": "d@e.f", "badge": "18", "age": "unknown"}},
    {"schema_id": "person", "traits": "text"},
    {"schema_id": "person", "traits": {"email": ["x"], "more": {"a": [1]}}},
]


def test_the_sandboxes_own_people_are_rows_with_flattening(warehouse: Warehouse) -> None:
    with Sandbox(1000, manner="network", api_token="ory_pat_x") as sandbox:
        warehouse.load(messages(sandbox.url, api_token="ory_pat_x", credential_metadata=True, **FLAT))
        source = {row["id"]: row for row in sandbox.identities}
    rows = warehouse.rows("identities")
    assert rows.keys() == warehouse.rows("users").keys() == source.keys()
    assert {type(row["metadata_public"]).__name__ for row in source.values()} >= {"dict", "bool", "int", "NoneType"}
    for key, row in source.items():
        for name in LEFT_OUT:
            given, found = row.get(name), rows[key][name]
            assert found == given if given is None or isinstance(given, str) else json.loads(found) == given


LONG = "a_very_long_name_of_a_trait_that_somebody_has_thought_of_for_department"


def test_long_names_stay_different(warehouse: Warehouse) -> None:
    names = [f"{LONG}_1", f"{LONG}_2", "ж" * 40]
    traits = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    person = {"schema_id": "s", "traits": {name: name for name in names}}
    with Sandbox([person], schemas=[("s", {"properties": {"traits": traits}})]) as sandbox:
        given = messages(sandbox.url, **FLAT)
    # Twice: what was made of a name is looked for the second time.
    for _ in range(2):
        warehouse.load(given)
    for table, field in (("identities", "traits"), ("users", "profile")):
        (row,) = warehouse.rows(table).values()
        assert sorted(value for name, value in row.items() if name.startswith(f"{field}__")) == sorted(names)


def test_what_does_not_fit_stops_no_target_and_is_kept(warehouse: Warehouse) -> None:
    with Sandbox(OLD, schemas=SCHEMAS) as sandbox:
        warehouse.load(messages(sandbox.url, *LEFT_OUT))
    for table, field in (("identities", "traits"), ("users", "profile")):
        rows = [[row[field], row["nonconforming_traits"]] for row in warehouse.rows(table).values()]
        assert sorted(rows, key=json.dumps) == sorted(
            [
                [{"email": "a@b.c", "badge": "17", "age": 36}, None],
                [{"email": "d@e.f", "badge": "18", "age": None}, {"/age": "unknown"}],
                [None, {"": "text"}],
                [{"email": None, "more": {"a": [1]}}, {"/email": ["x"]}],
            ],
            key=json.dumps,
        )


@pytest.mark.parametrize("config", [{}, FLAT], ids=["json", "columns"])
def test_nobodys_odd_values_stop_a_target(warehouse: Warehouse, config: Json) -> None:
    huge = 10**400
    kinds = {"whole": "integer", "number": "number", "text": "string", "many": "string", "counted": "number"}
    others = {**kinds, "many": "number", "counted": "boolean"}
    schemas = [
        (name, {"properties": {"traits": {"type": "object", "properties": {key: {"type": of[key]} for key in of}}}})
        for name, of in (("a", kinds), ("b", others))
    ]
    odd: list[Json] = [
        {"text": "\0", "more": {"\0": ["\0"]}},
        {"whole": 2**63, "number": huge, "more": huge},
        {"number": 1e-320, "text": huge, "more": [-huge]},
        {"many": 99.5, "counted": True},
        {"many": {"x": [True]}, "counted": 7},
        {"many": "text", "counted": 7.25},
    ]
    people = [{"schema_id": "a", "traits": traits, "metadata_public": traits.get("more")} for traits in odd]
    with Sandbox(people, schemas=schemas) as sandbox:
        warehouse.load(messages(sandbox.url, **config))
        ids = {json.dumps(row["traits"]): row["id"] for row in sandbox.identities}
    for table, field in (("identities", "traits"), ("users", "profile")):
        rows = warehouse.rows(table)
        assert len(rows) == len(odd)
        found = [rows[ids[json.dumps(traits)]] for traits in odd]
        if config:
            assert {warehouse.columns(table)[f"{field}__{name}"] for name in ("many", "counted")} == {warehouse.text}
        many = [row[f"{field}__many"] if config else row[field].get("many") for row in found]
        counted = [row[f"{field}__counted"] if config else row[field].get("counted") for row in found]
        assert many == [None, None, None, "99.5", '{"x":[true]}', "text"]
        assert counted == [None, None, None, "true", "7", "7.25"]
        apart = found[1]["nonconforming_traits"]
        kept = {"/whole": 2**63, "/number": str(huge)}
        assert (json.loads(apart) if isinstance(apart, str) else apart) == kept


def test_what_does_not_fit_stops_no_target_that_has_columns(warehouse: Warehouse) -> None:
    with Sandbox(OLD, schemas=SCHEMAS) as sandbox:
        warehouse.load(messages(sandbox.url, **FLAT))
    rows = warehouse.rows("identities").values()
    found = sorted(
        ([row["traits__email"], row["traits__badge"], row["traits__age"], row["nonconforming_traits"]] for row in rows),
        key=json.dumps,
    )
    kept = [each[3] and json.loads(each[3]) for each in found]
    assert [each[:3] for each in found] == [["a@b.c", "17", 36], ["d@e.f", "18", None], [None] * 3, [None] * 3]
    assert kept[:2] == [None, {"/age": "unknown"}]
    assert sorted(kept[2:], key=json.dumps) == [{"": "text"}, {"/email": ["x"]}]
