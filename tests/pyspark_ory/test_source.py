"""The data source under every fault of the matrix, and what it needs of a worker, without a JVM."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.command import KEY, clean_environment
from tests.pyspark_ory.session import ROOT, required
from tests.real.fault_cases import CASES
from tests.real.targets import NotInstalledError, venv


def python(*arguments: str | Path, path: Path = ROOT) -> subprocess.CompletedProcess[bytes]:
    """Run a program with PySpark, and `path` to import from."""
    try:
        executable = venv("spark") / "bin" / "python"
    except NotInstalledError as error:
        (pytest.fail if required() else pytest.skip)(str(error))
    hurried = Path(__file__).with_name("hurried")
    environment = clean_environment({"PYTHONPATH": f"{path}:{hurried}", "TAP_ORY_API_TOKEN": KEY})
    command = [executable, *arguments]
    return subprocess.run(command, cwd=path, env=environment, capture_output=True, timeout=600, check=False)


@pytest.fixture(scope="module")
def answers() -> list[Any]:
    done = python(Path(__file__).with_name("cases.py"))
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.name for case in CASES])
def test_everybody_is_there_once_or_the_read_fails(answers: list[Any], number: int) -> None:
    answer = answers[number]
    assert answer["name"] == CASES[number].name
    if "ended" in answer:
        # In one line, and none of Python's own.
        assert answer["ended"].partition(":")[0] in {
            *("AccessError", "AnswerError", "UnavailableError", "RetryableError", "IncompleteError", "BadRequestError"),
            *("InternalServerError", "NoSchemasError"),
        }
        assert "\n" not in answer["ended"]
        assert KEY not in answer["ended"]
    else:
        assert (answer["lost"], answer["twice"]) == (0, 0)


def test_most_faults_are_got_over(answers: list[Any]) -> None:
    assert sum("ended" not in answer for answer in answers[:-1]) > len(CASES) / 2
    assert "lost" in answers[0]


def test_workers_load_no_sdk(answers: list[Any]) -> None:
    assert "pyspark_ory" in answers[-1]
    assert {"singer_sdk", "click"}.isdisjoint(name.partition(".")[0] for name in answers[-1])


def test_a_worker_without_the_package_says_what_to_install(tmp_path: Path) -> None:
    sent = tmp_path / "reader"
    program = (
        "import sys; from pyspark import cloudpickle; from pyspark_ory import DefaultSource\n"
        "from pyspark_ory.source import OryReader; from ory_reader.library import Plan\n"
        "source = DefaultSource({'base_url': 'http://127.0.0.1:1/'})\n"
        "reader = OryReader(source._read, Plan((), {}), None)\n"
        "open(sys.argv[1], 'wb').write(cloudpickle.dumps((source, reader)))"
    )
    assert python("-c", program, sent).returncode == 0
    assert KEY.encode() not in sent.read_bytes()
    restore = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')))"
    assert python("-c", restore, sent).returncode == 0
    done = python("-c", restore, sent, path=tmp_path)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1] == (
        "RuntimeError: This Spark worker has no module 'pyspark_ory': install tap-ory[spark] on all workers, in the "
        "Python that PYSPARK_PYTHON names."
    )
