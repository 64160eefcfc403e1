"""A real Meltano runs the repository's own meltano.yml: `meltano run tap-ory target-c1`, as in a fresh clone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ory_sandbox import Sandbox
from target_c1.c1z import read_c1z_ids
from target_c1.inspection import inspect_file

ROOT = Path(__file__).parents[2]
MELTANO = Path(sys.executable).with_name("meltano")
KEY = "ory_pat_never_to_be_seen_again"
PEOPLE = 2000
SECONDS = 600
FOREIGN = ("TAP_ORY_", "TARGET_C1_", "MELTANO_", "BATON_")


@pytest.fixture(scope="module")
def installed() -> None:
    """Both plugins, from the checkout; a second installation takes a moment only."""
    for plugin in (["extractor", "tap-ory"], ["loader", "target-c1"]):
        command = [str(MELTANO), "install", *plugin]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture
def project(installed: None, tmp_path: Path) -> Path:
    """The repository's project with what is installed, its own state, and the place of its output to itself."""
    shutil.copy(ROOT / "meltano.yml", tmp_path)
    (tmp_path / ".meltano").symlink_to(ROOT / ".meltano")
    return tmp_path


def run(project: Path, sandbox: Sandbox) -> tuple[int, str]:
    """Run the pipeline without a setting for the target; return the exit code and all that was printed."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)},
        "TAP_ORY_BASE_URL": sandbox.url,
        "TAP_ORY_API_TOKEN": KEY,
        "MELTANO_DATABASE_URI": f"sqlite:///{project}/meltano.db",
    }
    command = [str(MELTANO), "run", "--no-install", "tap-ory", "target-c1"]
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_meltano_leaves_a_valid_file_and_keeps_it_where_a_read_is_not_whole(project: Path, tmp_path: Path) -> None:
    path, scratch = project / "output" / "users.c1z", tmp_path / "database"
    with Sandbox(PEOPLE, manner="network", api_token=KEY) as sandbox:
        code, printed = run(project, sandbox)
        assert code == 0, printed[-3000:]
        assert f"Published {PEOPLE:,} users" in printed
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
