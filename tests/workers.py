"""Which tests go to the same worker where several run side by side (`pytest -n 2`).

Tests of a file stay together, for what the file has set up; tests of a kind of server, whatever their file, for the
server. (A PostgreSQL is there in a second or two: each worker has its own.) Without workers nothing of this is looked
at, and tests run in the order of their files.
"""

import re
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests.servers import KINDS

_KIND = re.compile(rf"[\[-]({'|'.join(map(re.escape, map(str, KINDS)))})[\]-]")
#: Files that change the same place of the checkout, which is Meltano's.
TOGETHER = {f"tests/{room}/test_meltano.py": "meltano" for room in ("real", "target_c1")}
#: What takes longest begins first, so that no worker is left alone with it in the end.
FIRST = (
    "tests/real/test_fault_matrix.py",
    "tests/pyspark_ory/",
    "tests/c1_connector/test_slow_faults.py",
    "tests/real/",
    "kratos",
    "meltano",
    "tests/c1_connector/",
    "tests/source_ory/",
    "tests/target_c1/",
)


class Scheduling(LoadScopeScheduling):  # type: ignore[misc] # it has no types
    """Hands out one group after the other.

    The mark `xdist_group` would say the same, but pytest-xdist 3.8 loses it under pytest 9.
    """

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """The group of a test: a kind of server, or its file."""
    path, _, test = nodeid.partition("::")
    kind = _KIND.search(test)
    return kind[1] if kind else TOGETHER.get(path, path)


def rank(nodeid: str) -> int:
    """When a test's group begins: the lower the earlier."""
    group = group_of(nodeid)
    return next((number for number, start in enumerate(FIRST) if group.startswith(start)), len(FIRST))
