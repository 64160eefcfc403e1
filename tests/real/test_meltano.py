"""A real Meltano runs the repository's own meltano.yml: tap-ory into target-jsonl, rows counted and compared."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ory_sandbox import Sandbox
from tests.real.server import Kratos, Release

ROOT = Path(__file__).parents[2]
MELTANO = Path(sys.executable).with_name("meltano")
KEY = "ory_pat_never_to_be_seen_again"


@pytest.fixture(scope="module")
def meltano() -> Path:
    """Meltano with both plugins installed; a second installation takes a moment only."""
    for plugin in (["extractor", "tap-ory"], ["loader", "target-jsonl"]):
        done = subprocess.run([MELTANO, "install", *plugin], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
    return MELTANO


def run(meltano: Path, tmp_path: Path, base_url: str, **settings: str) -> tuple[list[dict[str, Any]], str]:
    """Run the pipeline with a database and a destination of its own; return the rows and all that was printed."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("TAP_ORY_", "BATON_"))},
        "TAP_ORY_BASE_URL": base_url,
        "TARGET_JSONL_DESTINATION_PATH": str(tmp_path),
        "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path}/meltano.db",
        "MELTANO_CLI_LOG_LEVEL": "debug",
        **settings,
    }
    command = [str(meltano), "run", "tap-ory", "target-jsonl"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed[-3000:]
    lines = (tmp_path / "identities.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines], printed


def without_derived(row: dict[str, Any]) -> dict[str, Any]:
    """The row without what the tap adds to the server's own fields."""
    return {name: value for name, value in row.items() if name != "nonconforming_traits"}


def test_sandbox_with_a_key(meltano: Path, tmp_path: Path) -> None:
    with Sandbox(2000, manner="network", api_token=KEY) as sandbox:
        rows, printed = run(meltano, tmp_path, sandbox.url, TAP_ORY_API_TOKEN=KEY, TAP_ORY_LOGLEVEL="debug")
        source = {row["id"]: row for row in sandbox.identities}
    assert len(rows) == len(source)
    assert {row["id"]: without_derived(row) for row in rows} == source
    assert KEY not in printed
    logs = [path for path in (ROOT / ".meltano" / "logs").rglob("*") if path.is_file()]
    assert all(KEY not in path.read_text(encoding="utf-8", errors="replace") for path in logs)


def test_20000_identities_of_a_real_kratos(
    meltano: Path, tmp_path: Path, start_kratos: Callable[[Release, int], Kratos]
) -> None:
    kratos = start_kratos("v1.3.1", 20_000)
    rows, _ = run(meltano, tmp_path, kratos.admin_url)
    assert len(rows) == 20_000
    source = {row["id"]: row for row in kratos.all_rows()}
    assert {row["id"]: without_derived(row) for row in rows} == source


def test_meltano_tests_the_connection(meltano: Path, tmp_path: Path) -> None:
    with Sandbox(10) as sandbox:
        environment = {
            **os.environ,
            "TAP_ORY_BASE_URL": sandbox.url,
            "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path}/m.db",
        }
        command = [str(meltano), "config", "test", "tap-ory"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert "Plugin configuration is valid" in done.stdout + done.stderr


def test_settings_keep_their_kinds_on_their_way_through_meltano(tmp_path: Path) -> None:
    """By `meltano config set` and from the environment: what Meltano does not know it ignores, or passes on as text."""
    text = (ROOT / "meltano.yml").read_text(encoding="utf-8")
    command = Path(sys.executable).with_name("tap-ory")
    project = text.replace("    pip_url: -e .\n", "").replace("executable: tap-ory\n", f"executable: {command}\n")
    (tmp_path / "meltano.yml").write_text(project, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TAP_ORY_", "BATON_"))}

    def meltano(*arguments: str, **settings: str) -> str:
        done = subprocess.run(
            [MELTANO, *arguments], cwd=tmp_path, env={**kept, **settings}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    maps = {"identities": {"__alias__": "people", "initial": "id[0]"}}
    for name, value in (
        ("stream_maps", json.dumps(maps)),
        ("flattening_max_depth", "2"),
        ("flattening_enabled", "false"),
        ("http_headers", '{"X-Api-Key": "never-to-be-seen"}'),
    ):
        meltano("config", "set", "tap-ory", name, value)
    given = {"TAP_ORY_FLATTENING_SEPARATOR": ".", "TAP_ORY_STREAM_MAP_CONFIG": '{"salt": "s"}'}
    with Sandbox(3) as sandbox:
        printed = meltano("config", "print", "tap-ory", TAP_ORY_BASE_URL=sandbox.url, **given)
        config = json.loads(printed[printed.index("{") :])
        output = meltano("invoke", "tap-ory", TAP_ORY_BASE_URL=sandbox.url, **given)
        sent = [seen.headers.get("x-api-key") for seen in sandbox.requests.log if seen.role == "admin"]
    assert config["stream_maps"] == maps
    assert (config["flattening_max_depth"], config["flattening_enabled"]) == (2, False)
    assert (config["flattening_separator"], config["stream_map_config"]) == (".", {"salt": "s"})
    assert "never-to-be-seen" not in printed
    messages = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    rows = [message for message in messages if message["type"] == "RECORD"]
    assert [(row["stream"], row["record"]["initial"] == row["record"]["id"][0]) for row in rows] == [
        ("people", True)
    ] * 3
    assert "never-to-be-seen" in sent
