"""The PostgreSQL of the tests is a real one, and target-postgres does with versions what we rely on."""

import json
from collections.abc import Callable

import pytest

from tests.real.postgres import Postgres
from tests.real.target_postgres import LoadError, TargetPostgres

SCHEMA = {
    "type": "SCHEMA",
    "stream": "identities",
    "schema": {"type": "object", "properties": {"id": {"type": "string"}, "traits": {}}},
    "key_properties": ["id"],
}


def record(identity_id: str, version: int) -> dict[str, object]:
    return {"type": "RECORD", "stream": "identities", "record": {"id": identity_id, "traits": {}}, "version": version}


def lines(*messages: object) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


def test_answers_and_refuses(postgres: Postgres) -> None:
    (row,) = postgres.rows("SELECT version(), 'zoë' AS name")
    assert row["version"].startswith("PostgreSQL ")
    assert row["name"] == "zoë"
    assert postgres.rows("SELECT 1 WHERE false") == []
    with pytest.raises(RuntimeError, match="syntax error"):
        postgres.execute("SELEC 1")


def test_an_activated_version_deletes_older_rows_and_no_others(
    target_postgres: Callable[[str], TargetPostgres],
) -> None:
    target = target_postgres("contract")
    activate = {"type": "ACTIVATE_VERSION", "stream": "identities", "version": 1}
    state = {"type": "STATE", "value": {"a": 1}}
    assert target.load(lines(SCHEMA, record("a", 1), record("b", 1), activate, state)) == [{"a": 1}]
    target.load(lines(SCHEMA, record("b", 2), record("c", 2)))
    assert sorted(row["id"] for row in target.rows()) == ["a", "b", "c"]
    target.load(lines(SCHEMA, record("d", 2), {**activate, "version": 2}))
    assert sorted(row["id"] for row in target.rows()) == ["b", "c", "d"]
    copy = target_postgres("contract_copy")
    copy.copy_of(target)
    copy.load(lines(SCHEMA, record("b", 3), {**activate, "version": 3}))
    assert [row["id"] for row in copy.rows()] == ["b"]
    assert len(target.rows()) == 3


def test_what_the_target_cannot_take_is_an_error(target_postgres: Callable[[str], TargetPostgres]) -> None:
    with pytest.raises(LoadError, match="Traceback"):
        target_postgres("contract_refused").load(lines(record("a", 1)))
