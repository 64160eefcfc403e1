"""The Dockerfile without an engine: linted, and its steps taken in a clean environment of this machine.

What it cannot show is the base image.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_basics.version import version
from ory_sandbox import Sandbox
from tests.c1_connector.connector import connector, ids_in
from tests.c1_connector.fake_c1 import fake_c1
from tests.c1_connector.test_faults import ids_of, outcome
from tests.checkout import own_files
from tests.source_ory.support import ROOT, Files, said

DOCKERFILE = ROOT / "Dockerfile"
PREFIX = "/opt/tap-ory"
COMMANDS = ("tap-ory", "target-c1", "source-ory", "ory-connector")


def stages() -> dict[str, list[tuple[str, str]]]:
    """The stages by name, the last one's being empty: each its instructions, each with what follows it."""
    lines = DOCKERFILE.read_text().replace("\\\n", " ").splitlines()
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in lines:
        if line and not line.startswith("#"):
            kind, rest = line.split(maxsplit=1)
            name = rest.partition(" AS ")[2] if kind == "FROM" else name
            found.setdefault(name, []).append((kind, rest))
    return found


def test_hadolint_has_nothing_to_say() -> None:
    told = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), "--no-color", DOCKERFILE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_every_base_is_pinned_and_nothing_runs_as_root() -> None:
    found = stages()
    bases = [rest.partition(" AS ")[0] for stage in found.values() for kind, rest in stage if kind == "FROM"]
    assert all(re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+|commands", base) for base in bases)
    assert bases[0] == bases[1]
    commands = found["commands"]
    assert ("USER", "1000:1000") in commands
    assert ("COPY", f"--from=build {PREFIX} {PREFIX}") in commands
    assert [kind for name in ("source-ory", "") for kind, _ in found[name] if kind in {"USER", "COPY", "RUN"}] == []


def test_airbyte_finds_what_it_runs() -> None:
    told = dict(stages()["source-ory"])
    (entry,) = json.loads(told["ENTRYPOINT"])
    assert entry == f"{PREFIX}/bin/source-ory"
    assert told["ENV"] == f'AIRBYTE_ENTRYPOINT="{entry}"'
    assert told["LABEL"] == f'io.airbyte.name="airbyte/source-ory" io.airbyte.version="{version()}"'


def checked_out(target: Path) -> None:
    """Copy what git knows or would take in."""
    for name in own_files():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target / name)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the steps of the first stage have installed everything."""
    home = tmp_path_factory.mktemp("image")
    context, clean, prefix = (home / name for name in ("context", "clean", "prefix"))
    checked_out(context)
    subprocess.run([sys.executable, "-m", "venv", clean], check=True)
    (step,) = [rest for kind, rest in stages()["build"] if kind == "RUN"]
    # An image has no use for a cache; a test that runs again has.
    step = step.replace(PREFIX, str(prefix)).replace("--no-cache ", "")
    kept = ("PIP_", "UV_", "SSL_", "HTTP", "http")
    environment = {name: value for name, value in os.environ.items() if name.startswith(kept)} | {
        "PATH": f"{clean / 'bin'}:/usr/bin:/bin",
        "HOME": str(Path.home()),
        "PIP_CACHE_DIR": str(ROOT / ".cache" / "pip"),
        "UV_NO_CONFIG": "1",
    }
    done = subprocess.run(["/bin/sh", "-c", step], cwd=context, env=environment, capture_output=True, check=False)
    assert not done.returncode, (done.stdout + done.stderr).decode()[-4000:]
    before = sorted(prefix.rglob("*"))
    yield prefix
    # The root of a container may be read-only.
    assert sorted(prefix.rglob("*")) == before


def variables(installed: Path) -> dict[str, str]:
    """The environment of the image, and nothing else."""
    (env,) = [rest for kind, rest in stages()["commands"] if kind == "ENV"]
    told = dict(word.split("=", 1) for word in shlex.split(env.replace(PREFIX, str(installed))))
    return {**told, "PATH": told["PATH"].replace("$PATH", "/usr/bin:/bin")}


def test_all_commands_are_there_with_all_that_they_need(installed: Path) -> None:
    for command in COMMANDS:
        told = subprocess.run(
            [command, "--version"], env=variables(installed), capture_output=True, check=True, text=True
        )
        assert re.match(rf"{command} v?{re.escape(version())}\b", told.stdout)
    needed = "import s3fs, adlfs, grpc, opentelemetry.sdk"
    subprocess.run([installed / "bin" / "python", "-c", needed], env=variables(installed), check=True)


def test_a_night_in_the_image(installed: Path, tmp_path: Path) -> None:
    with Sandbox(300) as ory:
        file = tmp_path / "users.c1z"
        given = {**variables(installed), "TAP_ORY_BASE_URL": ory.url, "TARGET_C1_PATH": str(file), "LOGFORMAT": "json"}
        done = subprocess.run(["nightly"], env=given, capture_output=True, check=False, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, b""), done.stderr
        assert ids_in(file.read_bytes(), tmp_path) == ids_of(ory)
        before = file.read_bytes()
        failed = subprocess.run(
            ["nightly"], env={**given, "TAP_ORY_API_TOKEN": "ory_wak_1"}, capture_output=True, check=False
        )
    assert (failed.returncode, failed.stdout, file.read_bytes()) == (1, b"", before)
    lines = [json.loads(line) for line in failed.stderr.splitlines()]
    assert {line["logger"] for line in lines if line["level"] == "error"} == {"tap-ory", "target-c1"}


def test_source_ory_in_the_image(installed: Path, tmp_path: Path) -> None:
    with Sandbox(300) as ory:
        files = Files(tmp_path)
        config = files.write({"base_url": ory.url})
        catalog = files.catalog([{"name": "identities", "json_schema": {"type": "object"}}])
        command: list[str | Path] = ["source-ory", "read", "--config", config, "--catalog", catalog]
        done = subprocess.run(command, cwd=installed, env=variables(installed), capture_output=True, check=False)
    told = said(done.returncode, done.stdout)
    assert told.statuses[-1] == ("identities", "COMPLETE"), done.stderr.decode()
    assert len(told.records["identities"]) == 300


def test_ory_connector_in_the_image(installed: Path, tmp_path: Path) -> None:
    with fake_c1(tmp_path) as c1, Sandbox(300) as ory:
        command = [installed / "bin" / "ory-connector"]
        with connector(c1.environment(BATON_BASE_URL=ory.url), tmp_path, command=command) as running:
            task = c1.give()
            assert outcome(c1, task, running) == (0, ""), running.output
            assert ids_in(c1.uploads[task][0], tmp_path) == ids_of(ory)
            assert running.terminate() == 143
