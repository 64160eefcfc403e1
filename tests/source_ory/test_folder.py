"""What Airbyte asks of a connector's folder, and the commands of docs/airbyte.md, gone literally."""

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from jsonschema import Draft7Validator

from ory_sandbox import Sandbox
from source_ory.spec import DOCUMENTATION, PROTOCOL_VERSION
from tests.source_ory.support import ENVIRONMENT, ROOT, Files, Json, by_id, said

FOLDER = ROOT / "source_ory"
METADATA = yaml.safe_load((FOLDER / "metadata.yaml").read_text(encoding="utf-8"))
SCHEMA = json.loads((Path(__file__).parent / "airbyte" / "metadata.schema.json").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "airbyte.md").read_text(encoding="utf-8")


def sample(name: str) -> Any:
    return json.loads((FOLDER / "sample_files" / name).read_text(encoding="utf-8"))


def test_the_metadata_are_as_airbyte_wants_them() -> None:
    validator = Draft7Validator(SCHEMA, format_checker=Draft7Validator.FORMAT_CHECKER)
    assert [error.message for error in validator.iter_errors(METADATA)] == []
    without_name = {name: value for name, value in METADATA["data"].items() if name != "name"}
    assert list(validator.iter_errors({**METADATA, "data": without_name}))


def test_the_metadata_say_what_the_source_says() -> None:
    data = METADATA["data"]
    assert data["dockerImageTag"] == metadata.version("tap-ory")
    assert data["protocolVersion"] == PROTOCOL_VERSION
    assert data["documentationUrl"] == DOCUMENTATION
    urls = dict(each.split(", ") for each in metadata.metadata("tap-ory").get_all("Project-URL") or [])
    assert f"{urls['Repository']}/blob/main/docs/airbyte.md" == DOCUMENTATION
    assert ET.parse(FOLDER / data["icon"]).getroot().tag.endswith("svg")


def test_the_sample_catalog_is_what_discover_tells(files: Files, sandbox: Sandbox) -> None:
    found = {stream["name"]: stream for stream in files.discovered(files.write({"base_url": sandbox.url}))}
    for configured in sample("configured_catalog.json")["streams"]:
        stream = configured["stream"]
        told = found[stream["name"]]
        assert {**stream, "json_schema": None} == {**{name: told[name] for name in stream}, "json_schema": None}
        assert configured["sync_mode"] in told["supported_sync_modes"]


def blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[:3]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "source_ory").symlink_to(FOLDER)
    return tmp_path


def test_the_pages_commands_read_and_go_on_from_their_own_state(clone: Path) -> None:
    def type_in(directory: Path, block: str) -> bytes:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", block],
            cwd=directory,
            env=ENVIRONMENT | {"PATH": path},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (done.stdout + done.stderr).decode()[-3000:]
        return done.stdout

    taking, reading, going_on = blocks()
    type_in(clone, taking)
    place = clone / "secrets"
    with Sandbox(30, manner="v1.3", seed=5) as sandbox:
        config = sample("config.json")
        (place / "config.json").write_text(json.dumps({**config, "base_url": sandbox.url}))
        asked = said(0, type_in(place, reading))
        assert [status["status"] for status in asked.of("CONNECTION_STATUS")] == ["SUCCEEDED"]
        first = said(0, (place / "messages.jsonl").read_bytes())
        everybody = [row["id"] for row in sandbox.identities]
        assert {name: ids(rows) for name, rows in first.records.items()} == dict.fromkeys(
            ("identities", "users"), sorted(everybody)
        )
        second = said(0, type_in(place, going_on))
    assert ids(second.records["users"]) == sorted(everybody)
    assert len(second.records["identities"]) < len(everybody)
    assert [status for _, status in second.statuses].count("COMPLETE") == len(first.records)


def ids(records: list[Json]) -> list[str]:
    return [record["id"] for record in by_id(records)]
