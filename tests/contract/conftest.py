"""What the contract tests need beside a server."""

import pytest

from tests.contract.families import FAMILIES, Family
from tests.servers import Kind


@pytest.fixture
def family(kind: Kind) -> Family:
    """What this kind of server is known to differ in."""
    return FAMILIES[kind.manner]
