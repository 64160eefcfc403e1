"""`tap-ory | target-c1` on 100,000 people of the sandbox: every user in the file is that of the record it came from."""

import json
import shlex
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ory_sandbox import Sandbox
from target_c1.c1z import unpack_c1z
from target_c1.inspection import inspect_file
from tests.target_c1.protobuf import new, user_trait
from tests.target_c1.support import TARGET, environment, settings_in_environment
from tests.target_c1.test_c1z import assert_tables

PEOPLE = 100_000
TAP = (sys.executable, "-m", "tap_ory")
#: A guard against hanging, not a measure of speed.
SECONDS = 800


@dataclass(frozen=True)
class Piped:
    """What a run of the pipe left: the tap's lines, the file, the database in it, and what target-c1 printed."""

    lines: Path
    file: Path
    database: Path
    state: str
    log: str


def catalog(directory: Path, stream: str, environ: dict[str, str]) -> Path:
    """A catalog that selects one stream."""
    done = subprocess.run(
        [*TAP, "--config", "ENV", "--discover"], env=environ, capture_output=True, check=True, timeout=60
    )
    found = json.loads(done.stdout)
    for each in found["streams"]:
        for entry in each["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = each["tap_stream_id"] == stream
    path = directory / "catalog.json"
    path.write_text(json.dumps(found))
    return path


@pytest.fixture(scope="module", params=["identities", "users"])
def piped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Piped:
    directory = tmp_path_factory.mktemp("pipe")
    people = PEOPLE if request.param == "identities" else PEOPLE // 20
    file, lines = directory / "users.c1z", directory / "lines"
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(people))
        environ = environment(
            TAP_ORY_BASE_URL=sandbox.url,
            TAP_ORY_PUBLIC_URL=sandbox.public_url or sandbox.url,
            **settings_in_environment({"path": str(file)}),
        )
        tap = [*TAP, "--config", "ENV", "--catalog", str(catalog(directory, request.param, environ))]
        pipe = (
            f"set -o pipefail; {shlex.join(tap)} 2>/dev/null | tee {lines} | {shlex.join([*TARGET, '--config', 'ENV'])}"
        )
        done = subprocess.run(
            ["bash", "-c", pipe], env=environ, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    assert done.returncode == 0, done.stderr
    unpack_c1z(file, directory / "database")
    return Piped(lines, file, directory / "database", done.stdout, done.stderr)


def records_of(piped: Piped) -> dict[str, dict[str, Any]]:
    """The records by id, as the tap wrote them."""
    with piped.lines.open("rb") as lines:
        messages = (json.loads(line) for line in lines)
        return {message["record"]["id"]: message["record"] for message in messages if message["type"] == "RECORD"}


def test_the_file_is_whole(piped: Piped) -> None:
    people = len(records_of(piped))
    with closing(sqlite3.connect(piped.database)) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert_tables(connection)
        one = "select count(*), count(ended_at) from v1_sync_runs"
        assert connection.execute(one).fetchall() == [(1, 1)]
        assert connection.execute("select external_id from v1_resource_types").fetchall() == [("user",)]
        counts = connection.execute("select count(*), count(distinct external_id) from v1_resources").fetchall()
    assert counts == [(people, people)]
    assert people in (PEOPLE, PEOPLE // 20)
    assert f"Published {people:,} users" in piped.log
    with piped.lines.open("rb") as lines:
        states = [json.loads(line)["value"] for line in lines if line.startswith(b'{"type":"STATE"')]
    assert [json.loads(line) for line in piped.state.splitlines()] == states[-1:]
    if people < PEOPLE:  # with as many as PEOPLE it takes longer than all else here
        printed: list[str] = []
        assert inspect_file(str(piped.file), printed.append), printed


def same(found: Any, expected: Any) -> bool:
    """Whether a `Value` says the same as JSON."""
    kind = found.WhichOneof("kind")
    if kind == "struct_value":
        fields = found.struct_value.fields
        return len(fields) == len(expected) and all(same(fields[name], expected[name]) for name in expected)
    if kind == "list_value":
        values = found.list_value.values
        return len(values) == len(expected) and all(map(same, values, expected))
    if kind == "null_value":
        return expected is None
    value = getattr(found, kind)
    return type(value) is (float if type(expected) is int else type(expected)) and value == expected


def moment(text: str) -> tuple[int, int]:
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp()
    return int(seconds), int(fraction.ljust(9, "0"))


def addresses(record: dict[str, Any]) -> set[str]:
    """The e-mail addresses of a record of either stream, without regard to case."""
    if "traits" not in record:
        return {each["address"].casefold() for each in record["emails"] or []}
    found = [each["value"] for each in record.get("verifiable_addresses") or [] if each["via"] == "email"]
    found += [each["value"] for each in record.get("recovery_addresses") or [] if each["via"] == "email"]
    traits = record["traits"]
    if isinstance(traits, dict) and traits.get("email"):
        found.append(traits["email"])
    return {each.casefold() for each in found}


def test_every_user_is_that_of_its_record(piped: Piped) -> None:
    records = records_of(piped)
    with closing(sqlite3.connect(piped.database)) as connection:
        for external_id, blob in connection.execute("select external_id, data from v1_resources"):
            resource = new("Resource").FromString(blob)
            trait = user_trait(resource)
            record = records.pop(resource.id.resource)
            assert external_id == f"user:{record['id']}"
            assert resource.id.resource_type == "user"
            enabled = record.get("state", record.get("status")) in ("active", "enabled")
            assert resource.status.status == trait.status.status == (1 if enabled else 2)
            assert resource.status.details == trait.status.details
            since = record.get("state_changed_at", record.get("status_changed_at"))
            details = f"inactive in Ory since {since}" if since else "inactive in Ory"
            assert resource.status.details == ("" if enabled else details)
            created = resource.created_at
            assert (created.seconds, created.nanos) == moment(record["created_at"])
            assert trait.created_at == created
            assert {each.address.casefold() for each in trait.emails} == addresses(record)
            assert [each.is_primary for each in trait.emails] == [number == 0 for number in range(len(trait.emails))]
            assert resource.display_name
            traits = record.get("traits", record.get("profile"))
            assert same(resource.profile.fields["traits"], traits)
            assert trait.profile == resource.profile
            if "display_name" in record:
                assert resource.display_name == record["display_name"]
                assert trait.login == (record["login"] or "")
                assert list(trait.login_aliases) == record["login_aliases"]
    assert records == {}
