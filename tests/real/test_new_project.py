"""docs/meltano.md, gone literally in a new Meltano project: from the definitions to rows in a real PostgreSQL."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ory_sandbox import Sandbox
from target_c1.inspection import inspect_file
from tests.real.postgres import DATABASE, USER, Postgres
from tests.real.targets import venv

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
KEY = "ory_pat_never_to_be_seen_again"
PEOPLE = 40
FOREIGN = ("TAP_ORY_", "TARGET_", "MELTANO_", "BATON_")
PLACEHOLDERS = ("https://your-slug.projects.oryapis.com/", "ory_pat_...")


def blocks() -> list[list[str]]:
    """The page's commands, block by block."""
    page = (ROOT / "docs" / "meltano.md").read_text(encoding="utf-8")
    return [block.strip().splitlines() for block in re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)]


def installed(name: str, directory: Path) -> None:
    """Write the definition of ours as a user gets it, but for the package: what the tests run with is installed."""
    definition = yaml.safe_load((ROOT / "hub" / f"{name}.yml").read_text(encoding="utf-8"))
    del definition["pip_url"]
    (directory / f"{name}.yml").write_text(yaml.safe_dump({**definition, "executable": str(BIN / name)}))


class Project:
    """A new project, and what a user types there."""

    def __init__(self, directory: Path, **variables: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        self.variables = {
            **kept,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "MELTANO_CLI_LOG_LEVEL": "warning",
            **variables,
        }
        self.directory = directory.parent
        self.type(f"meltano init {directory.name}")
        self.directory = directory

    def type(self, *commands: str) -> str:
        """Type commands; return what they print."""
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", "\n".join(commands)],
            cwd=self.directory,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )
        printed = done.stdout + done.stderr
        assert done.returncode == 0, f"{commands}: {printed[-3000:]}"
        assert KEY not in printed
        return printed

    def has(self) -> dict[str, Any]:
        """What is in meltano.yml."""
        found: dict[str, Any] = yaml.safe_load((self.directory / "meltano.yml").read_text(encoding="utf-8"))
        return found


def add_postgres(project: Project, postgres: Postgres) -> None:
    """As a user has it already."""
    config = {"host": "127.0.0.1", "port": postgres.port, "user": USER, "password": "trusted", "database": DATABASE}
    loader = {
        "name": "target-postgres",
        "namespace": "target_postgres",
        "executable": str(venv("target-postgres") / "bin" / "target-postgres"),
        "config": {**config, "default_target_schema": "ory", "hard_delete": True},
        "settings": [{"name": name} for name in (*config, "default_target_schema", "hard_delete")],
    }
    path = project.directory / "meltano.yml"
    path.write_text(yaml.safe_dump({**project.has(), "plugins": {"loaders": [loader]}}))


@pytest.fixture
def project(tmp_path: Path, postgres: Postgres) -> Project:
    for name in ("tap-ory", "target-c1"):
        installed(name, tmp_path)
    project = Project(tmp_path / "new", HUB=str(tmp_path))
    add_postgres(project, postgres)
    return project


def variables_win(project: Project) -> None:
    """Over what is set: those of the environment, and those in `.env`."""
    with (project.directory / ".env").open("a") as file:
        file.write("TAP_ORY_PAGE_SIZE=7\n")
    printed = project.type(
        "TAP_ORY_BASE_URL=http://127.0.0.1:2/ TAP_ORY_CREDENTIAL_METADATA=exact meltano config print tap-ory"
    )
    config = json.loads(printed[printed.index("{") : printed.rindex("}") + 1])
    assert (config["base_url"], config["page_size"]) == ("http://127.0.0.1:2/", 7)
    assert (config["credential_metadata"], config["identity_schemas"]) == ("exact", True)


def test_the_page_is_gone_literally(project: Project, postgres: Postgres) -> None:
    adding, inheriting, setting, flattening, running, scheduling, target = blocks()
    assert adding.pop(0).startswith("HUB=https://")
    with Sandbox(PEOPLE, manner="network", api_token=KEY) as sandbox:
        for placeholder, own in zip(PLACEHOLDERS, (sandbox.url, KEY), strict=True):
            assert sum(line.count(placeholder) for line in setting) == 1
            setting = [line.replace(placeholder, own) for line in setting]
        project.type(*adding, *inheriting)
        assert "Plugin configuration is valid" in project.type(*setting)
        extractors = {each["name"]: each for each in project.has()["plugins"]["extractors"]}
        assert extractors["tap-ory"]["config"] == {"base_url": sandbox.url}
        assert extractors["tap-ory-users"] == {
            "name": "tap-ory-users",
            "inherit_from": "tap-ory",
            "select": ["users.*"],
        }
        assert KEY in (project.directory / ".env").read_text()
        variables_win(project)
        project.type(*flattening, *running)
        everybody = {row["id"]: row["traits"] for row in sandbox.identities}
        rows = {row["id"]: row for row in postgres.rows("SELECT * FROM ory.identities")}
        assert rows.keys() == everybody.keys()
        for key, traits in everybody.items():
            assert rows[key]["traits__email"] == traits.get("email")
        gone = min(everybody)
        sandbox.delete(gone)
        project.type(*scheduling)
        assert {row["id"] for row in postgres.rows("SELECT id FROM ory.identities")} == everybody.keys() - {gone}
        project.type(*target)
    report: list[str] = []
    assert inspect_file(str(project.directory / "output" / "users.c1z"), report.append), report
    assert f"{PEOPLE - 1} " in "\n".join(report)
