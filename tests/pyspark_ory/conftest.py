"""The one Spark session of the tests in this folder."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.pyspark_ory.session import Spark, has_java, required
from tests.real.targets import NotInstalledError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    """A session that all tests share; without Java or PySpark the test is skipped, or fails in CI."""
    missing = "" if has_java() else "Spark needs a Java: install a headless JDK"
    if sys.version_info < (3, 11):
        missing = "PySpark needs Python 3.11"
    try:
        session = Spark(tmp_path_factory.mktemp("spark"))
    except NotInstalledError as error:
        missing = missing or str(error)
    if missing:
        (pytest.fail if required() else pytest.skip)(missing)
    with session as running:
        yield running
