"""The queries that docs/access.md shows, on a real PostgreSQL that target-postgres has filled with access."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ory_sandbox import Sandbox
from ory_sandbox.holdings import Holdings
from tests.command import run_tap
from tests.real.postgres import Postgres
from tests.real.target_postgres import TargetPostgres

PAGE = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8")
Answers = list[list[tuple[Any, ...]]]
QUERIES = re.findall(r"^```sql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
ADA, BOB = (f"{number:08x}-0000-4000-8000-000000000000" for number in (1, 2))
MEMBERS = {"namespace": "Team", "object": "a", "relation": "members"}
TUPLES: list[dict[str, Any]] = [
    {**MEMBERS, "subject_id": ADA},
    {**MEMBERS, "subject_id": BOB},
    {"namespace": "Document", "object": "x", "relation": "viewers", "subject_set": MEMBERS},
    {"namespace": "Document", "object": "x", "relation": "viewers", "subject_id": BOB},
]


@pytest.fixture(scope="module")
def answers(postgres: Postgres, target_postgres: Callable[[str], TargetPostgres]) -> Answers:
    """What each query answers."""
    people = [
        {"id": ADA, "schema_id": "customer", "traits": {"email": "ada@example.com"}},
        {"id": BOB, "schema_id": "customer", "traits": {"email": "bob@example.com"}, "state": "inactive"},
    ]
    target = target_postgres("access")
    with Sandbox(people, holdings=Holdings(tuples=TUPLES)) as sandbox:
        given = {"BASE_URL": sandbox.url, "PERMISSIONS_URL": sandbox.permissions_url, "ACCESS": "true"}
        streams = "users,access_resources,access_entitlements,access_grants"
        read = run_tap("--select", streams, environment={f"TAP_ORY_{name}": text for name, text in given.items()})
    assert read.code == 0, read.stderr
    target.load(read.stdout.encode())

    def asked(query: str) -> list[tuple[Any, ...]]:
        whole = f"SET search_path TO {target.schema}; SELECT coalesce(json_agg(t), '[]') FROM ({query}) t"
        return [tuple(row.values()) for row in json.loads(postgres.execute(whole))]

    return [asked(query.strip().rstrip(";")) for query in QUERIES]


def test_who_may_do_what_by_name(answers: Answers) -> None:
    assert answers[0] == [
        ("ada@example.com", True, "members of a"),
        ("ada@example.com", False, "viewers of x"),
        ("bob@example.com", True, "members of a"),
        ("bob@example.com", True, "viewers of x"),
    ]


def test_who_may_only_through_a_group(answers: Answers) -> None:
    assert answers[1] == [(ADA, "keto-Document:x:viewers", "keto-Team:a:members")]


def test_inactive_people_who_hold_something(answers: Answers) -> None:
    assert answers[2] == [(BOB, "bob@example.com", 2)]
