"""What a command asks the server for: each thing once, and nothing that the read asks for again."""

import json
from pathlib import Path

import pytest

from ory_sandbox import Sandbox
from tests.command import run_tap

PEOPLE, PAGE_SIZE = 45, 10
PAGES = 5
#: The list of identity schemas; of a self-hosted server by way of a redirect.
SCHEMAS = {"v1.0": 2, "v1.3": 2, "network": 1}


@pytest.fixture(params=SCHEMAS)
def sandbox(request: pytest.FixtureRequest) -> "Sandbox":
    return Sandbox(PEOPLE, manner=request.param)


def asked(sandbox: Sandbox, *arguments: str) -> list[tuple[str, str]]:
    """Role and target of all requests of a command, none of which is made twice."""
    sandbox.requests.log.clear()
    environment = {
        "TAP_ORY_BASE_URL": sandbox.url,
        "TAP_ORY_API_TOKEN": "ory_pat_a-key",
        "TAP_ORY_PAGE_SIZE": str(PAGE_SIZE),
        "TAP_ORY_CONCURRENCY": "1",
    }
    assert run_tap(*arguments, environment=environment).code == 0
    targets = [(seen.role, seen.target) for seen in sandbox.requests.log]
    assert len(set(targets)) == len(targets)
    return targets


@pytest.mark.parametrize("streams", ["identities", "users", "identities,users"])
def test_a_read_asks_for_pages_and_schemas_once(sandbox: Sandbox, streams: str) -> None:
    with sandbox:
        targets = asked(sandbox, "--select", streams)
    assert len(targets) == PAGES + SCHEMAS[sandbox._manner.name]


def test_with_a_catalog_it_asks_for_pages_alone(sandbox: Sandbox, tmp_path: Path) -> None:
    with sandbox:
        environment = {"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_API_TOKEN": "ory_pat_a-key"}
        catalog = json.loads(run_tap("--discover", environment=environment).stdout)
        path = tmp_path / "catalog.json"
        path.write_text(json.dumps(catalog))
        targets = asked(sandbox, "--catalog", str(path))
    assert len(targets) == PAGES


def test_check_asks_for_one_row_and_the_version(sandbox: Sandbox) -> None:
    with sandbox:
        targets = asked(sandbox, "--check")
    assert targets == [("admin", "/admin/identities?page=0&per_page=1"), ("admin", "/admin/version")]


def test_a_discovery_asks_for_schemas(sandbox: Sandbox) -> None:
    with sandbox:
        targets = asked(sandbox, "--discover")
    assert len(targets) == SCHEMAS[sandbox._manner.name]
