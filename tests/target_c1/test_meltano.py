"""A real Meltano runs the repository's own meltano.yml; the roads of docs/target-c1.md are gone literally."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ory_sandbox import Sandbox
from target_c1.c1z import read_c1z_ids
from target_c1.inspection import inspect_file
from tests.command import run_tap
from tests.target_c1.protobuf import new, user_trait
from tests.target_c1.support import blobs_of

ROOT = Path(__file__).parents[2]
MELTANO = Path(sys.executable).with_name("meltano")
KEY = "ory_pat_never_to_be_seen_again"
PEOPLE = 2000
SECONDS = 600
FOREIGN = ("TAP_ORY_", "TARGET_C1_", "MELTANO_", "BATON_")
RAW = "These users come from the stream 'identities'"


@pytest.fixture(scope="module")
def installed() -> None:
    """Both plugins, from the checkout; a second installation takes a moment only."""
    for plugin in (["extractor", "tap-ory", "tap-ory-users"], ["loader", "target-c1"]):
        command = [str(MELTANO), "install", *plugin]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture
def project(installed: None, tmp_path: Path) -> Path:
    """The repository's project with what is installed, its own state, and the place of its output to itself."""
    shutil.copy(ROOT / "meltano.yml", tmp_path)
    (tmp_path / ".meltano").symlink_to(ROOT / ".meltano")
    return tmp_path


def environment(directory: Path, sandbox: Sandbox) -> dict[str, str]:
    """What a user has exported, and a state database of its own in `directory`."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)},
        "TAP_ORY_BASE_URL": sandbox.url,
        "TAP_ORY_API_TOKEN": KEY,
        "MELTANO_DATABASE_URI": f"sqlite:///{directory}/meltano.db",
    }


def run(project: Path, sandbox: Sandbox, extractor: str = "tap-ory-users") -> tuple[int, str]:
    """Run the pipeline without a setting for the target; return the exit code and all that was printed."""
    command = [str(MELTANO), "run", "--no-install", extractor, "target-c1"]
    variables = environment(project, sandbox)
    done = subprocess.run(
        command, cwd=project, env=variables, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_meltano_leaves_a_valid_file_and_keeps_it_where_a_read_is_not_whole(project: Path, tmp_path: Path) -> None:
    path, scratch = project / "output" / "users.c1z", tmp_path / "database"
    with Sandbox(PEOPLE, manner="network", api_token=KEY) as sandbox:
        code, printed = run(project, sandbox)
        assert code == 0, printed[-3000:]
        assert f"Published {PEOPLE:,} users" in printed
        assert RAW not in printed
        assert KEY not in printed
        report: list[str] = []
        assert inspect_file(str(path), report.append), report
        everybody = {identity["id"] for identity in sandbox.identities}
        assert set(read_c1z_ids(path, scratch)) == everybody

        first, last = min(everybody), max(everybody)
        sandbox.make_unreadable(last)
        before = path.read_bytes()
        code, printed = run(project, sandbox)
        assert code != 0
        assert "no ACTIVATE_VERSION after the last of" in printed
        assert path.read_bytes() == before

        # With the state of the first run, which the second one must not have replaced: everybody is read again.
        sandbox.mend()
        sandbox.delete(first)
        code, printed = run(project, sandbox)
        assert code == 0, printed[-3000:]
        assert f"1 of {PEOPLE:,} users are missing" in printed
        assert set(read_c1z_ids(path, scratch)) == everybody - {first}
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_raw_identities_are_published_with_a_warning(project: Path) -> None:
    with Sandbox(PEOPLE, manner="network", api_token=KEY) as sandbox:
        code, printed = run(project, sandbox, "tap-ory")
    assert code == 0, printed[-3000:]
    assert f"Published {PEOPLE:,} users" in printed
    assert printed.count(RAW) == 1
    assert "meltano run tap-ory-users target-c1" in printed


def roads() -> list[str]:
    """The shell blocks of docs/target-c1.md that lead to a file."""
    page = (ROOT / "docs" / "target-c1.md").read_text(encoding="utf-8")
    blocks: list[str] = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [block for block in blocks if "target-c1" in block and "export" in block]


def test_there_are_two_roads() -> None:
    assert len(roads()) == 2


@contextmanager
def users_of_the_tap() -> Iterator[tuple[Sandbox, dict[str, dict[str, Any]]]]:
    """A sandbox, and its people as the stream `users` has them."""
    with Sandbox(PEOPLE, manner="network", api_token=KEY) as sandbox:
        variables = {"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_API_TOKEN": KEY}
        run = run_tap("--select", "users", environment=variables)
        yield sandbox, {each["record"]["id"]: each["record"] for each in run.messages if each["type"] == "RECORD"}


@pytest.mark.parametrize("block", roads(), ids=["pipe", "meltano"])
def test_the_documented_roads_publish_whom_the_stream_users_has(block: str, tmp_path: Path) -> None:
    file = tmp_path / "users.c1z"
    # Exported before, and installed where the tests run.
    commands = [line for line in block.splitlines() if not line.startswith(("export ", "pip install "))]
    assert {"TAP_ORY_BASE_URL", "TAP_ORY_API_TOKEN", "TARGET_C1_PATH"} == set(re.findall(r"export (\w+)=", block))
    with users_of_the_tap() as (sandbox, expected):
        variables = environment(tmp_path, sandbox)
        path = f"{MELTANO.parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", "\n".join(commands)],
            cwd=ROOT,
            env={**variables, "TARGET_C1_PATH": str(file), "PATH": path},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert RAW not in done.stdout + done.stderr
    assert len(expected) == PEOPLE
    assert {user["account_type"] for user in expected.values()} == {"human", "service"}
    for blob in blobs_of(file, tmp_path):
        resource = new("Resource").FromString(blob)
        trait, user = user_trait(resource), expected.pop(resource.id.resource)
        assert resource.display_name == user["display_name"]
        assert ("unspecified", "human", "service", "system")[trait.account_type] == user["account_type"]
        assert (trait.structured_name.given_name, trait.structured_name.family_name) == (
            user["first_name"] or "",
            user["last_name"] or "",
        )
        assert (trait.login, list(trait.login_aliases)) == (user["login"] or "", user["login_aliases"])
        assert [each.address for each in trait.emails] == [each["address"] for each in user["emails"]]
    assert expected == {}
