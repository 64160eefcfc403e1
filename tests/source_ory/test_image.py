"""The Dockerfile without an engine: linted, and its steps taken in a clean environment of this machine.

A small reading of a Dockerfile takes the place of the engine: COPY copies out of the checkout, RUN runs in a shell
that knows a new environment's Python only. What it cannot show is the base image.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ory_sandbox import Sandbox
from tests.source_ory.support import ROOT, Files, said

DOCKERFILE = ROOT / "source_ory" / "Dockerfile"
REQUIREMENTS = [DOCKERFILE.with_name(name) for name in ("requirements.txt", "build-requirements.txt")]


def instructions() -> list[tuple[str, str]]:
    """The instructions in order, each with what follows it."""
    lines = DOCKERFILE.read_text().replace("\\\n", " ").splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line and not line.startswith("#")]  # type: ignore[misc]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for instruction in instructions():
        if instruction[0] == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


def test_hadolint_has_nothing_to_say() -> None:
    told = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), "--no-color", DOCKERFILE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_the_image_is_what_airbyte_runs() -> None:
    last = stages()[-1]
    said_of = dict(last)
    assert said_of["USER"] == "1000:1000"
    (entry,) = json.loads(said_of["ENTRYPOINT"])
    assert f'AIRBYTE_ENTRYPOINT="{entry}"' in said_of["ENV"]
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert f'io.airbyte.version="{version[1]}"' in said_of["LABEL"]
    assert 'io.airbyte.name="airbyte/source-ory"' in said_of["LABEL"]
    # Every base by its exact version.
    assert all(
        re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+( AS build)?", base)
        for kind, base in instructions()
        if kind == "FROM"
    )


def test_what_the_image_installs_is_what_the_tests_run_with() -> None:
    pins = set(re.findall(r"^[\w.-]+==\S+", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    for requirements in REQUIREMENTS:
        own = set(re.findall(r"^[\w.-]+==\S+", requirements.read_text(), re.MULTILINE))
        assert own <= pins, own - pins


def checked_out(target: Path) -> None:
    """Copy what git knows or would take in."""
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, files.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """Where the steps of the first stage have installed source-ory."""
    context, work, clean, prefix = (tmp_path / name for name in ("context", "work", "clean", "prefix"))
    checked_out(context)
    work.mkdir()
    subprocess.run([sys.executable, "-m", "venv", clean], check=True)
    environment = {name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "SSL_", "HTTP", "http"))}
    environment |= {"PATH": f"{clean / 'bin'}:/usr/bin:/bin", "HOME": str(tmp_path)}
    for kind, rest in stages()[0]:
        if kind == "ARG":
            environment["PREFIX"] = str(prefix)
            assert rest == "PREFIX=/opt/source-ory"
        elif kind == "ENV":
            environment |= dict(word.split("=", 1) for word in shlex.split(rest))
            # An image has no use for a cache; a test that runs again has.
            environment |= {"PIP_NO_CACHE_DIR": "0", "PIP_CACHE_DIR": str(ROOT / ".cache" / "pip")}
        elif kind == "COPY":
            *sources, _ = rest.split()
            for source in sources:
                if source == ".":
                    shutil.copytree(context, work, dirs_exist_ok=True)
                else:
                    shutil.copy(context / source, work)
        elif kind == "RUN":
            done = subprocess.run(["/bin/sh", "-c", rest], cwd=work, env=environment, capture_output=True, check=False)
            assert not done.returncode, (done.stdout + done.stderr).decode()[-4000:]
        else:
            assert kind in {"FROM", "WORKDIR"}
    return prefix


def test_its_steps_make_a_source_that_reads(prefix: Path, files: Files, sandbox: Sandbox) -> None:
    config = files.write({"base_url": sandbox.url})
    catalog = files.catalog([{"name": "identities", "json_schema": {"type": "object"}}])
    command: list[str | Path] = [prefix / "bin" / "source-ory", "read", "--config", config, "--catalog", catalog]
    done = subprocess.run(command, cwd=prefix, env={}, capture_output=True, check=False)
    told = said(done.returncode, done.stdout)
    assert told.statuses[-1] == ("identities", "COMPLETE"), done.stderr.decode()
    assert len(told.records["identities"]) == 1200
