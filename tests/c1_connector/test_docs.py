"""docs/connector.md and the unit beside it say what the command does."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from c1_connector.settings import _parser

DOCS = Path(__file__).parents[2] / "docs"


def test_the_table_lists_every_flag_and_variable() -> None:
    table = (DOCS / "connector.md").read_text().split("## Settings")[1].split("\n## ")[0]
    flags = {flag for action in _parser()._actions for flag in action.option_strings if flag.startswith("--")}
    assert set(re.findall(r"`(--[a-z0-9-]+)`", table)) == flags - {"--help", "--check", "--version"}
    named = set(re.findall(r"\[(BATON_\w+)\]", _parser().format_help()))
    assert set(re.findall(r"`(BATON_\w+)`", table)) == named


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        if os.environ.get("CI"):
            pytest.fail("systemd-analyze is required here")
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "ory-connector.service"
    text = (DOCS / unit.name).read_text()
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
