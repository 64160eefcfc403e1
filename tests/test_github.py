"""What GitHub is told: its workflows are linted, and name what there is. (`make lint` asks zizmor and the schemas.)"""

import os
import re
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from tests.real.build import ServerUnavailableError, server_binary

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_actionlint_has_nothing_to_say() -> None:
    try:
        actionlint = server_binary("actionlint", "v1.7.12")
    except ServerUnavailableError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    done = subprocess.run([actionlint, *WORKFLOWS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_a_workflow_runs_is_there(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    runs = [step.get("run", "") for job in yaml.safe_load(path.read_text())["jobs"].values() for step in job["steps"]]
    for run in runs:
        if run.startswith(".ci/"):
            assert os.access(ROOT / run.split()[0], os.X_OK)
        elif run.startswith("make "):
            assert re.search(rf"^{run.split()[1]}:", makefile, re.MULTILINE)
    assert any(run.startswith((".ci/", "make ")) for run in runs)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_its_commit(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text())
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


def test_every_python_that_is_promised_is_tried() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    tried = set(workflow["jobs"]["pythons"]["strategy"]["matrix"]["python"])
    classifiers = metadata.metadata("tap-ory").get_all("Classifier") or []
    promised = set(re.findall(r"Python :: (3\.\d+)", "\n".join(classifiers)))
    assert promised
    assert promised <= tried


def test_dependabot_looks_at_the_image() -> None:
    told = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())
    (docker,) = [each for each in told["updates"] if each["package-ecosystem"] == "docker"]
    images = [
        path.relative_to(ROOT).parent for pattern in ("*Dockerfile", "*/*Dockerfile") for path in ROOT.glob(pattern)
    ]
    assert [str(Path("/") / each) for each in images] == [docker["directory"]]
