"""Files for the commands, servers to read, and Airbyte's own tools in an environment of their own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.environments import bin_directory
from ory_sandbox import Sandbox
from tests.source_ory.support import Files


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A server like Kratos v1.3 with 1,200 people: more than two pages."""
    with Sandbox(1200, manner="v1.3") as running:
        yield running


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    """Ends what a test starts."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def airbyte_bin() -> Path:
    """Where PyAirbyte, Airbyte's CDK and its protocol's models are; made once, from hash-pinned requirements."""
    try:
        return bin_directory("airbyte")
    except subprocess.CalledProcessError as error:
        if os.environ.get("CI"):
            pytest.fail(f"Airbyte's tools are required here: {error}", pytrace=False)
        pytest.skip(f"Airbyte's tools cannot be installed: {error}")
