"""The README's way from the demo to a project of one's own, gone literally."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ory_sandbox import Sandbox
from ory_sandbox import demo as the_demo

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
KEY = "ory_pat_never_to_be_seen_again"
#: Where the demo writes what a run of one's own writes as well.
ARRIVED = the_demo.ARRIVED / "identities.jsonl"
PEOPLE = 30
FOREIGN = ("TAP_ORY_", "TARGET_", "MELTANO_", "BATON_", "VIRTUAL_ENV")


def block(heading: str, number: int = 0) -> str:
    """A block of commands below a heading."""
    section = README.split(f"## {heading}\n")[1].split("\n## ")[0]
    blocks: list[str] = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return blocks[number]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone after `make demo`, but for the output of others."""
    for plugin in (["extractor", "tap-ory"], ["loader", "target-jsonl"]):
        meltano = ROOT / ".venv" / "bin" / "meltano"
        subprocess.run([meltano, "install", *plugin], cwd=ROOT, check=True, capture_output=True)
    shutil.copy(ROOT / "meltano.yml", tmp_path)
    for name in (".venv", ".meltano"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ARRIVED).parent.mkdir(parents=True)
    (tmp_path / ARRIVED).write_text("the demo's\n")
    return tmp_path


def test_after_the_demo_the_next_commands_run_as_printed(clone: Path) -> None:
    (demo, activate) = block("Try it").splitlines()
    assert demo.startswith("make demo ")
    assert f"{ARRIVED.parent}/" in demo
    with Sandbox(PEOPLE, manner="network", api_token=KEY) as sandbox:
        own = block("Point it at your project")
        for placeholder, value in (("https://your-slug.projects.oryapis.com/", sandbox.url), ("ory_pat_...", KEY)):
            assert own.count(placeholder) == 1
            own = own.replace(placeholder, value)
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", f"{activate}\n{own}"],
            cwd=clone,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)},
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "MELTANO_DATABASE_URI": f"sqlite:///{clone}/meltano.db",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert "Connected to" in done.stdout
    messages = (clone / "identities.jsonl").read_text(encoding="utf-8").splitlines()
    assert sum('"type":"RECORD"' in line for line in messages) == PEOPLE
    assert len((clone / "output" / "identities.jsonl").read_text(encoding="utf-8").splitlines()) == PEOPLE
    assert (clone / ARRIVED).read_text() == "the demo's\n"
