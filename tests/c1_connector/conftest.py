"""A C1 and an Ory project to sync from, for one test each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ory_sandbox import Sandbox
from tests.c1_connector.fake_c1 import FakeC1, fake_c1


@pytest.fixture
def c1(tmp_path: Path) -> Iterator[FakeC1]:
    with fake_c1(tmp_path) as fake:
        yield fake


@pytest.fixture
def ory() -> Iterator[Sandbox]:
    """A project of 300 identities."""
    with Sandbox(300) as sandbox:
        yield sandbox
