"""Which tests go to the same worker where several run side by side (`pytest -n 2 --dist loadgroup`).

Tests of a file stay together, for what the file has set up; tests of a kind of server, whatever their file, for the
server. (A PostgreSQL is there in a second or two: each worker has its own.) Without workers nothing of this is looked
at, and tests run in the order of their files.
"""

from typing import Any

import pytest

from tests.servers import Kind

#: Servers of the whole session, by the fixtures that start them.
SERVERS = ("kratos_v1_0", "kratos_v1_3")
#: Files that change the same place of the checkout, which is Meltano's.
TOGETHER = {f"tests/{room}/test_meltano.py": "meltano" for room in ("real", "target_c1")}
#: What takes longest begins first, so that no worker is left alone with it in the end.
FIRST = (
    "tests/real/test_fault_matrix.py",
    "tests/c1_connector/test_slow_faults.py",
    "tests/real/",
    "kratos",
    "meltano",
    "tests/c1_connector/",
    "tests/source_ory/",
    "tests/target_c1/",
)


def arrange(items: list[pytest.Item]) -> None:
    """Give each test its group, and bring the groups into order."""
    groups = {item: _group(item) for item in items}
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: _rank(groups[item]))


def _group(item: pytest.Item) -> str:
    parameters: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    if isinstance(kind := parameters.get("kind"), Kind):
        return str(kind)
    for each in SERVERS:
        if each in getattr(item, "fixturenames", ()):
            return each
    path = item.nodeid.partition("::")[0]
    return TOGETHER.get(path, path)


def _rank(group: str) -> int:
    return next((number for number, start in enumerate(FIRST) if group.startswith(start)), len(FIRST))
