"""The examples of docs/python.md, with the packages that they are about in an environment of their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import ory_reader
from ory_sandbox import Sandbox
from tests.command import clean_environment
from tests.ory_reader.test_library import run_examples
from tests.real.targets import NotInstalledError, venv

ROOT = Path(__file__).parents[3]


def test_examples_of_the_page(tmp_path: Path) -> None:
    try:
        python = venv("arrow") / "bin" / "python"
    except NotInstalledError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    script = Path(__file__).with_name("examples.py")
    with Sandbox(25) as sandbox:
        done = subprocess.run(
            [python, script, ROOT / "docs" / "python.md", sandbox.url],
            cwd=tmp_path,
            env=clean_environment(
                {"PYTHONPATH": str(ROOT), "DLT_DATA_DIR": str(tmp_path / "dlt"), "RUNTIME__DLTHUB_TELEMETRY": "false"}
            ),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[-2]) >= 30


def test_example_of_the_docstring() -> None:
    with Sandbox(25) as sandbox:
        assert run_examples(ory_reader.read.__doc__ or "", "read", sandbox) >= 2
