"""The example of docs/airbyte.md, copied literally, run twice by a user of PyAirbyte, while people change and go."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.real.server import Kratos
from tests.source_ory.support import ENVIRONMENT, ROOT

PAGE = (ROOT / "docs" / "airbyte.md").read_text(encoding="utf-8")
EXAMPLE, CHANGES_ONLY = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PLACEHOLDER = "https://your-slug.projects.oryapis.com/"
#: What the example has got, for the test to see.
EPILOGUE = """
import json
rows = {name: [dict(row) for row in result[name]] for name in ("identities", "users")}
print("\\nSEEN" + json.dumps([result.processed_records, rows], default=str))
"""
#: What the page says of changes.
ADVICE = '"credential_metadata": "true"'
PEOPLE = 30
SECONDS = 280

Rows = dict[str, dict[str, dict[str, Any]]]


def run(script: str, kratos: Kratos, airbyte_bin: Path, directory: Path) -> tuple[int, Rows]:
    """Run a script of the page in `directory`, where its cache is.

    Return how many records came, and the cache's rows by stream and id.
    """
    assert script.count(PLACEHOLDER) == 1
    path = directory / "example.py"
    path.write_text(script.replace(PLACEHOLDER, kratos.admin_url) + EPILOGUE)
    environment = {
        **ENVIRONMENT,
        "AIRBYTE_OFFLINE_MODE": "1",
        "DO_NOT_TRACK": "1",
        "ORY_API_TOKEN": "ory_pat_never-to-be-seen",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [airbyte_bin / "python", path]
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if done.returncode:
        pytest.fail(f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}", pytrace=False)
    assert "ory_pat_never-to-be-seen" not in done.stdout + done.stderr
    (seen,) = [line.removeprefix("SEEN") for line in done.stdout.splitlines() if line.startswith("SEEN")]
    processed, found = json.loads(seen)
    rows = {name: {row["id"]: row for row in each} for name, each in found.items()}
    assert all(len(rows[name]) == len(each) for name, each in found.items()), "somebody is there twice"
    return processed, rows


def emails(rows: Rows) -> dict[str, dict[str, Any]]:
    """Who has which address, by stream."""
    identities = {key: row["traits"].get("email") for key, row in rows["identities"].items()}
    return {"identities": identities, "users": {key: row["email"] for key, row in rows["users"].items()}}


def make_old(kratos: Kratos) -> None:
    """Let everybody have changed on another day, long ago, so that a look-back covers one of them at most."""
    times = {
        "identities": ("created_at", "updated_at", "state_changed_at"),
        "identity_credentials": ("created_at", "updated_at"),
        "identity_verifiable_addresses": ("created_at", "updated_at", "verified_at"),
    }
    for table, columns in times.items():
        changes = ", ".join(f"{column} = datetime({column}, '-' || (rowid + 30) || ' days')" for column in columns)
        kratos.execute(f"UPDATE {table} SET {changes}")


def change(kratos: Kratos, identity_id: str, email: str) -> None:
    patch = [{"op": "replace", "path": "/traits/email", "value": email}]
    answer = requests.patch(f"{kratos.admin_url}admin/identities/{identity_id}", json=patch, timeout=30)
    answer.raise_for_status()


@pytest.mark.parametrize("deleted_stay", [False, True], ids=["example", "changes only"])
def test_the_example_follows_people_who_change_and_go(
    *, deleted_stay: bool, tmp_path: Path, start_kratos: Callable[[str, int], Kratos], airbyte_bin: Path
) -> None:
    script = EXAMPLE
    if deleted_stay:
        script, replaced = re.subn(r"^result = source\.read\(.*\n", CHANGES_ONLY, EXAMPLE, flags=re.MULTILINE)
        assert replaced == 1
        script, replaced = re.subn(r'(?<=config=\{)(?="base_url")', ADVICE + ", ", script)
        assert replaced == PAGE.count(f"`{ADVICE}`") == 1
    kratos = start_kratos("v1.3.1", PEOPLE)
    make_old(kratos)
    source = {row["id"]: row["traits"].get("email") for row in kratos.all_rows()}
    processed, first = run(script, kratos, airbyte_bin, tmp_path)
    assert set(first["identities"]) == set(first["users"]) == set(source)
    assert processed == 2 * PEOPLE
    changed, gone = [key for key, email in source.items() if email][:2]
    change(kratos, changed, "changed@example.com")
    kratos.delete(gone)
    created = kratos.create({"schema_id": "person", "traits": {"email": "later@example.com"}})["id"]
    processed, second = run(script, kratos, airbyte_bin, tmp_path)
    # Who changed, who came, and whom the look-back covers.
    assert processed <= 2 * (3 if deleted_stay else PEOPLE)
    everybody = {row["id"] for row in kratos.all_rows()}
    assert created in everybody
    assert gone not in everybody
    for found in emails(second).values():
        assert found[changed] == "changed@example.com"
        assert found[created] == "later@example.com"
        assert set(found) == (everybody | {gone} if deleted_stay else everybody)
    said = (
        "people who were deleted in Ory stay there"
        if deleted_stay
        else "a person who was deleted in Ory is deleted\nthere too"
    )
    assert said in PAGE
