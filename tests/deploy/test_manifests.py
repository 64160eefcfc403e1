"""What lies in deploy/ is what the schemas of those who take it allow, and names what there is."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from c1_connector.settings import READER as CONNECTOR_READER
from c1_connector.settings import SCHEMA as CONNECTOR_SCHEMA
from command_basics.version import version
from ory_reader.config.declaration import CONFIG_SCHEMA
from ory_reader.config.environment import READER
from ory_sandbox import Sandbox
from target_c1 import settings as target
from tests.command import clean_environment

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS: dict[str, dict[str, Any]] = {
    f"{file.stem} {manifest['kind']}": manifest
    for file in sorted((DEPLOY / "kubernetes").iterdir())
    for manifest in yaml.safe_load_all(file.read_text())
}
UNITS = sorted((DEPLOY / "systemd").iterdir())
#: Of others than our commands.
FOREIGN = {"PATH", "DSN"}


@pytest.mark.parametrize("release", ["1.27", "1.35"])
@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)
def test_kubernetes_takes_the_manifests(manifest: dict[str, Any], release: str) -> None:
    kubernetes_validate.validate(manifest, release, strict=True)


def test_a_manifest_that_is_none_is_refused() -> None:
    cron_job = MANIFESTS["tap-ory CronJob"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**cron_job, "spec": {**cron_job["spec"], "schedul": ""}}, "1.35", strict=True)


@pytest.mark.parametrize("name", ["tap-ory CronJob", "ory-connector Deployment"])
def test_containers_are_no_root_and_write_nowhere_but_where_they_may(name: str) -> None:
    manifest = MANIFESTS[name]
    spec = manifest["spec"].get("jobTemplate", manifest)["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    (container,) = spec["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["image"].endswith(f"/tap-ory:{version()}")
    assert {each["name"] for each in container["volumeMounts"]} == {each["name"] for each in spec["volumes"]}


def test_variables_are_those_that_the_commands_know() -> None:
    texts = "\n".join(path.read_text() for path in DEPLOY.rglob("*") if path.is_file())
    named = set(re.findall(r"\b(?:TAP_ORY|BATON|TARGET_C1)_[A-Z_]+[A-Z]\b", texts))
    assert named
    assert READER.unknown_variables(named, CONFIG_SCHEMA) == []
    assert CONNECTOR_READER.unknown_variables(named, CONNECTOR_SCHEMA) == []
    assert target.READER.unknown_variables(named, target.CONFIG_SCHEMA) == []


def test_compose_takes_the_file() -> None:
    check = [str(Path(sys.executable).with_name("check-jsonschema")), "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, DEPLOY / "compose" / "compose.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    services = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())["services"]
    assert (services["tap-ory"]["image"], services["tap-ory"]["read_only"]) == (f"tap-ory:{version()}", True)
    assert (DEPLOY / "compose" / services["tap-ory"]["build"] / "Dockerfile").exists()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_the_units(unit: Path, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        if os.environ.get("CI"):
            pytest.fail("systemd-analyze is required here")
        pytest.skip("systemd-analyze is not installed")
    for each in UNITS:
        # What is not installed here cannot be started.
        text = re.sub(r"(?m)^ExecStart=/opt/tap-ory/bin/\S+", "ExecStart=/bin/true", each.read_text())
        (tmp_path / each.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / unit.name], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_cron_runs_the_night_and_tells_of_a_failure(tmp_path: Path) -> None:
    lines = [line for line in (DEPLOY / "crontab").read_text().splitlines() if not line.startswith("#")]
    (entry,) = [line for line in lines if not re.match(r"[A-Z]+=", line)]
    # cron takes a % for the end of a line.
    assert "%" not in entry
    *when, user, command = entry.split(maxsplit=6)
    assert [bool(re.fullmatch(r"[\d*]+", each)) for each in when] == [True] * 5
    assert user == "ory"
    for there, here in {
        "/etc/ory/tap-ory.env": "env",
        "/var/log/ory/nightly.log": "log",
        "/tmp/tap-ory.lock": "lock",
    }.items():
        command = command.replace(there, str(tmp_path / here))
    (tmp_path / "log").touch()
    paths = f"{DEPLOY}:{Path(sys.executable).parent}:/usr/bin:/bin"

    def night() -> str:
        run = ["/bin/bash", "-c", command]
        environment = clean_environment({"PATH": paths})
        return subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout

    with Sandbox(20) as ory:
        (tmp_path / "env").write_text(f"TAP_ORY_BASE_URL={ory.url}\nTARGET_C1_PATH={tmp_path / 'users.c1z'}\n")
        assert night() == ""
    published = (tmp_path / "users.c1z").read_bytes()
    assert night() == "tap-ory: exit code 1\n"
    assert (tmp_path / "users.c1z").read_bytes() == published
    assert "connection refused" in (tmp_path / "log").read_text()
