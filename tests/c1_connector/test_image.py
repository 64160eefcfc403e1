"""docs/connector.Dockerfile without an engine: linted, and its steps taken on this machine.

They also show that the extra `connector` alone, without `c1`, makes a command that works.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ory_sandbox import Sandbox
from tests.c1_connector.connector import connector, ids_in
from tests.c1_connector.fake_c1 import FakeC1
from tests.c1_connector.test_faults import ids_of, outcome
from tests.source_ory.support import ROOT
from tests.source_ory.test_image import checked_out

DOCKERFILE = ROOT / "docs" / "connector.Dockerfile"
PREFIX = "/opt/ory-connector"


def test_hadolint_has_nothing_to_say() -> None:
    told = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), "--no-color", DOCKERFILE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_the_image_starts_the_command_as_no_root() -> None:
    last = DOCKERFILE.read_text().rpartition("\nFROM ")[2]
    assert re.search(r"^USER 1000:1000$", last, re.MULTILINE)
    entry = re.search(r"^ENTRYPOINT (.+)$", last, re.MULTILINE)
    assert entry
    assert json.loads(entry[1]) == [f"{PREFIX}/bin/ory-connector"]
    assert f"COPY --from=build {PREFIX} {PREFIX}\n" in last
    # Every base by its exact version.
    assert all(
        re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+( AS build)?", base)
        for base in re.findall(r"^FROM (.+)$", DOCKERFILE.read_text(), re.MULTILINE)
    )


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """What the steps of the first stage have installed."""
    context, clean, prefix = (tmp_path / name for name in ("context", "clean", "prefix"))
    checked_out(context)
    subprocess.run([sys.executable, "-m", "venv", clean], check=True)
    (step,) = re.findall(r"^RUN (.+)$", DOCKERFILE.read_text().replace("\\\n", " "), re.MULTILINE)
    # An image has no use for a cache; a test that runs again has.
    step = step.replace(PREFIX, str(prefix)).replace("--no-cache ", "")
    environment = {
        name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "UV_", "SSL_", "HTTP", "http"))
    }
    environment |= {
        "PATH": f"{clean / 'bin'}:/usr/bin:/bin",
        "HOME": str(Path.home()),
        "PIP_CACHE_DIR": str(ROOT / ".cache" / "pip"),
        "UV_NO_CONFIG": "1",
    }
    done = subprocess.run(["/bin/sh", "-c", step], cwd=context, env=environment, capture_output=True, check=False)
    assert not done.returncode, (done.stdout + done.stderr).decode()[-4000:]
    return prefix / "bin" / "ory-connector"


def test_its_steps_make_a_connector_that_syncs(command: Path, c1: FakeC1, ory: Sandbox, tmp_path: Path) -> None:
    listed = subprocess.run([command, "--help"], capture_output=True, text=True, check=True, env={})
    assert "--client-secret" in listed.stdout
    file = tmp_path / "once.c1z"
    with connector({"BATON_BASE_URL": ory.url}, tmp_path, "--file", str(file), command=[command]) as running:
        assert running.wait() == 0, running.output
    assert ids_in(file.read_bytes(), tmp_path) == ids_of(ory)
    with connector(c1.environment(BATON_BASE_URL=ory.url), tmp_path, command=[command]) as running:
        task = c1.give()
        assert outcome(c1, task, running) == (0, ""), running.output
        assert ids_in(c1.uploads[task][0], tmp_path) == ids_of(ory)
        assert running.terminate() == 143
