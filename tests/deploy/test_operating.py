"""docs/operating.md shows the files as they are, and says of alerts, metrics, exit codes and costs what there is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from c1_connector.settings import READER as CONNECTOR_READER
from c1_connector.settings import SCHEMA as CONNECTOR_SCHEMA
from command_basics.metrics import COUNTERS, GAUGES
from ory_reader.config.declaration import CONFIG_SCHEMA
from ory_reader.config.environment import READER
from ory_sandbox import Sandbox
from target_c1 import settings as target
from tests.command import clean_environment, run_tap
from tests.deploy.test_night import RULES, prometheus_name
from tests.ory_reader.sync.test_closing import SENTENCE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text()
C1_PAGE = (ROOT / "docs" / "c1.md").read_text()


def rows(section: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    text = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    table = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in table[2:]]


def test_files_are_shown_as_they_are() -> None:
    shown = re.findall(r"\[(deploy/[\w./-]+)\]\([^)]+\):\n\n```\w+\n(.*?)```", PAGE, re.DOTALL)
    assert len(shown) == 4
    for path, text in shown:
        assert text == (ROOT / path).read_text(), path


def test_the_page_of_c1_shows_its_manifests_as_they_are() -> None:
    text = (ROOT / "deploy" / "kubernetes" / "ory-connector.yaml").read_text()
    shown = re.findall(r"configuration\n\n```yaml\n(.*?)```", C1_PAGE, re.DOTALL)
    assert "---\n".join(shown) == text.partition("\n")[2]


@pytest.mark.parametrize("page", [PAGE, C1_PAGE], ids=["operating", "c1"])
def test_variables_are_those_that_the_commands_know(page: str) -> None:
    named = set(re.findall(r"`\$?((?:TAP_ORY|BATON|TARGET_C1)_[A-Z0-9_]+[A-Z0-9])\b", page))
    assert READER.unknown_variables(named, CONFIG_SCHEMA) == []
    assert CONNECTOR_READER.unknown_variables(named, CONNECTOR_SCHEMA) == []
    assert target.READER.unknown_variables(named, target.CONFIG_SCHEMA) == []


def test_alerts_and_metrics_are_those_that_there_are() -> None:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    assert [row[0].strip("`") for row in rows("What to alert on")] == [
        rule["alert"] for group in groups for rule in group["rules"]
    ]
    named = [(row[0].strip("`"), row[1].strip("`")) for row in rows("Traces and metrics")]
    assert named == [(each.name, prometheus_name(each.name)) for each in (*COUNTERS, *GAUGES)]


def test_closing_sentences_are_such_as_the_commands_say() -> None:
    shown = re.findall(r"(?m)^Read .+$", PAGE)
    assert shown
    assert all(SENTENCE.fullmatch(sentence) for sentence in shown)


@pytest.mark.parametrize("module", ["tap_ory", "target_c1", "source_ory", "c1_connector"])
def test_a_wrong_command_line_ends_with_its_own_code(module: str) -> None:
    (code,) = [int(row[0]) for row in rows("Exit codes") if row[2] == "the command line is wrong"]
    run = [sys.executable, "-m", module, "--nonsense"]
    done = subprocess.run(run, env=clean_environment({}), capture_output=True, check=False)
    assert done.returncode == code


#: What Ory has published of the bucket of identities, in requests a minute.
LIMITS = {"Develop": 25, "Production": 90, "Growth": 200, "Enterprise": 400}


def test_what_a_run_costs_is_what_it_asks() -> None:
    costs = {int(row[0].replace(",", "")): row[1:] for row in rows("What a run costs in requests")}
    with Sandbox(20_000, manner="network") as sandbox:
        assert run_tap(environment={"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_API_TOKEN": "ory_pat_1"}).code == 0
        asked = len(sandbox.requests.log)
    assert 40 <= asked <= int(costs[20_000][0])
    for people, (requests, *times) in costs.items():
        number = int(requests.replace(",", ""))
        assert number == people // 500 + 6
        for time, limit in zip(times, LIMITS.values(), strict=True):
            assert time == said(number / limit)


def said(minutes: float) -> str:
    if minutes < 1:
        return "< 1 min"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
