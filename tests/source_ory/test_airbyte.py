"""What Airbyte's own tools make of source-ory: its protocol's models, the CDK's standard tests, PyAirbyte."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ory_sandbox import Sandbox
from tests.real.server import Kratos
from tests.source_ory.support import ENVIRONMENT, ROOT, SECONDS, Files, run

if TYPE_CHECKING:
    from typing_extensions import Self

HERE = Path(__file__).parent / "airbyte"
EXECUTABLE = Path(sys.executable).with_name("source-ory")
#: Nothing is fetched from a registry, and nothing told.
OFFLINE = ENVIRONMENT | {"AIRBYTE_OFFLINE_MODE": "1", "DO_NOT_TRACK": "1", "SOURCE_ORY": str(EXECUTABLE)}
PEOPLE = 20_000


def tool(*command: str | Path, cwd: Path, given: bytes = b"") -> str:
    """Run one of Airbyte's tools, which must succeed, and return what it printed."""
    environment = OFFLINE | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=cwd, env=environment, input=given, capture_output=True, timeout=280, check=False)
    if done.returncode:
        pytest.fail(f"{command[0]}: {done.stdout.decode()[-4000:]}\n{done.stderr.decode()[-4000:]}", pytrace=False)
    return done.stdout.decode()


def test_every_line_fits_the_protocols_models(files: Files, sandbox: Sandbox, airbyte_bin: Path) -> None:
    config, wrong = files.write({"base_url": sandbox.url}), files.write({"base_url": sandbox.public_url})
    catalog = files.catalog(files.discovered(config))
    incremental = files.catalog(files.discovered(config)[:1], "incremental")
    runs = [
        run("spec"),
        run("check", "--config", config),
        run("check", "--config", wrong),
        run("discover", "--config", config),
        run("read", "--config", config, "--catalog", catalog),
        run("read", "--config", config, "--catalog", incremental),
        run("read", "--config", wrong, "--catalog", catalog),
    ]
    lines = b"".join(told.output for told in runs)
    counts = json.loads(tool(airbyte_bin / "python", HERE / "validate_lines.py", cwd=ROOT, given=lines))
    assert sum(counts.values()) == lines.count(b"\n")
    assert set(counts) == {"SPEC", "CONNECTION_STATUS", "CATALOG", "RECORD", "STATE", "TRACE", "LOG"}


def test_airbytes_standard_tests(tmp_path: Path, kratos_v1_3: Kratos, airbyte_bin: Path) -> None:
    root = tmp_path / "source-ory"
    root.mkdir()
    shutil.copy(HERE / "standard_tests.py", root / "test_standard.py")
    for name in ("acceptance-test-config.yml", "metadata.yaml"):
        shutil.copy(ROOT / "source_ory" / name, root)
    shutil.copytree(ROOT / "source_ory" / "sample_files", root / "sample_files")
    (root / "secrets").mkdir()
    # The CDK also looks for the key in what is said.
    config = {"base_url": kratos_v1_3.admin_url, "api_token": "ory_pat_never-to-be-seen"}
    (root / "secrets" / "config.json").write_text(json.dumps(config))
    plugin = ["-p", "airbyte_cdk.test.standard_tests.pytest_hooks", "-p", "no:cacheprovider"]
    strict = ["-W", "error::airbyte_cdk.test.standard_tests.DiscoveredCatalogWarning"]
    told = tool(airbyte_bin / "python", "-m", "pytest", "-rA", *plugin, *strict, "-k", "not image", cwd=root)
    for test in ("spec", "check", "discover", "basic_read", "config_matches_spec", "fail_read_with_bad_catalog"):
        assert f"PASSED test_standard.py::TestSourceOry::test_{test}" in told
    assert "FAILED" not in told


class PyAirbyte:
    """A user of PyAirbyte, who reads into a DuckDB cache in `directory`."""

    def __init__(self, airbyte_bin: Path, config: Path, directory: Path) -> None:
        directory.mkdir()
        self._log = directory / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [airbyte_bin / "python", HERE / "pyairbyte_client.py", config, directory],
                cwd=directory,
                env=OFFLINE,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=SECONDS)

    def read(self, executable: Path) -> dict[str, Any]:
        """What the user sees of one read."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{executable}\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith('{"streams"'):
                seen: dict[str, Any] = json.loads(line)
                return seen
        pytest.fail(self._log.read_text()[-4000:], pytrace=False)


def cutter(directory: Path, records: int, *, by_signal: bool) -> Path:
    """A command like source-ory that is cut after so many records; it ends as source-ory does, or by the signal."""
    ending = "os.kill(os.getpid(), signal.SIGTERM)" if by_signal else "sys.exit(code)"
    script = directory / f"cut-{by_signal}"
    script.write_text(f"""#!{sys.executable}
import os, signal, subprocess, sys
process = subprocess.Popen([{str(EXECUTABLE)!r}, *sys.argv[1:]], stdout=subprocess.PIPE)
records = 0
for line in process.stdout:
    sys.stdout.buffer.write(line)
    if line.startswith(b'{{"type":"RECORD"'):
        records += 1
        if records == {records}:
            process.send_signal(signal.SIGTERM)
sys.stdout.flush()
code = process.wait()
if sys.argv[1] == "read":
    assert code == {128 + signal.SIGTERM}
    {ending}
""")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


def test_pyairbyte_reads_a_real_server_again_and_again(
    tmp_path: Path, files: Files, start_kratos: Callable[[str, int], Kratos], airbyte_bin: Path
) -> None:
    kratos = start_kratos("v1.3.1", PEOPLE)
    config = files.write({"base_url": kratos.admin_url, "lookback_seconds": 0})
    with PyAirbyte(airbyte_bin, config, tmp_path / "cache") as user:
        first = user.read(EXECUTABLE)
        assert "identities" in first["streams"]
        assert first["processed"] == PEOPLE
        assert sorted(first["ids"]) == sorted(kratos.all_ids())
        created = kratos.create({"schema_id": "person", "traits": {"email": "later@example.com"}})
        second = user.read(EXECUTABLE)
    # What changed, not all of it again.
    assert 1 <= second["processed"] < PEOPLE
    assert created["id"] in second["ids"]
    assert sorted(second["ids"]) == sorted(kratos.all_ids())


def test_pyairbyte_goes_on_with_a_cut_read(
    tmp_path: Path, files: Files, kratos_v1_3: Kratos, airbyte_bin: Path
) -> None:
    everybody = sorted(kratos_v1_3.all_ids())
    config = files.write({"base_url": kratos_v1_3.admin_url, "page_size": 10})
    with PyAirbyte(airbyte_bin, config, tmp_path / "cache") as user:
        failed = user.read(cutter(tmp_path, 100, by_signal=False))
        assert failed["error"] == "AirbyteConnectorFailedError"
        assert failed["states"] == []
        # PyAirbyte keeps what a source said if it ends by SIGTERM itself; an exit code it takes for a failure.
        cut = user.read(cutter(tmp_path, 100, by_signal=True))
        assert 100 <= len(cut["ids"]) < len(everybody)
        assert cut["states"][0]["stream"]["stream_state"]["snapshot"]["slices"]
        rest = user.read(EXECUTABLE)
    assert len(cut["ids"]) + rest["processed"] == len(everybody)
    assert sorted(rest["ids"]) == everybody


def test_pyairbyte_validate(tmp_path: Path, files: Files, sandbox: Sandbox, airbyte_bin: Path) -> None:
    told = tool(
        airbyte_bin / "pyairbyte",
        *("validate", "--connector", EXECUTABLE, "--config", files.write({"base_url": sandbox.url})),
        cwd=tmp_path,
    )
    assert told
