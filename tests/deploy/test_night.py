"""Twelve nights, of which some go wrong: the real command tells a real receiver, and Prometheus's own promtool says
which of the documented rules fire. The nights take seconds; their times are those of the scenario.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.command import KEY, run_tap
from tests.faults.sandbox import FaultySandbox
from tests.otlp import receiver

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "alerts.yaml"
PEOPLE = 60
#: Minutes between two samples; of a day, and when in it the run ends.
STEP, DAY, AT = 10, 24 * 60, 140
NOT_WHOLE, OVERDUE, UNREADABLE, REFUSED, FAILED = (
    "OryReadNotWhole",
    "OryReadOverdue",
    "OryRowsUnreadable",
    "OryRefusesRequests",
    "OryJobFailed",
)


class Night(NamedTuple):
    """What goes wrong in a night, the exit code, and which alerts are firing an hour after the run."""

    faults: Sequence[dict[str, Any]]
    code: int
    fired: set[str]
    key: str = KEY


BUSY = [{"do": "status", "status": 429, "retry_after": 0, "at": 2, "times": 7}]
BAD_ROW = [{"do": "unreadable", "place": 7, "at": 1}]
KEY_REVOKED = [{"do": "status", "status": 401, "at": 3}]
NIGHTS = (
    Night([], 0, set()),
    Night(BUSY, 0, {REFUSED}),
    Night(BAD_ROW, 1, {NOT_WHOLE, UNREADABLE, FAILED}),
    Night([], 0, set()),
    # A key that can be none: no read begins, so nothing is told of one.
    Night([], 1, {FAILED}, key="ory_wak_of-a-workspace"),
    Night([], 1, {FAILED, OVERDUE}, key="ory_wak_of-a-workspace"),
    Night([], 0, set()),
    Night(KEY_REVOKED, 1, {NOT_WHOLE, FAILED}),
    Night(KEY_REVOKED, 1, {NOT_WHOLE, FAILED, OVERDUE}),
    Night([], 0, set()),
    # Nobody is there from the first request on.
    Night([{"do": "outage", "on": "schemas"}], 1, {NOT_WHOLE, FAILED}),
    Night([], 0, set()),
)


def promtool() -> str:
    """Where it is; CI puts it into the cache."""
    found = shutil.which("promtool", path=f"{os.environ['PATH']}:{ROOT / '.cache' / 'prometheus' / 'usr' / 'bin'}")
    if not found:
        if os.environ.get("CI"):
            pytest.fail("promtool is required here")
        pytest.skip("promtool, of Prometheus, is not installed")
    return found


def prometheus_name(metric: str) -> str:
    """What a metric of OpenTelemetry is called in Prometheus, as its specification of compatibility says."""
    suffixes = {"ory.requests.waited": "_seconds_total", "ory.read.last_whole.timestamp": "_seconds"}
    counters = {"ory.records", "ory.requests", "ory.requests.refused"}
    return metric.replace(".", "_") + suffixes.get(metric, "_total" if metric in counters else "")


def minute_of(night: int) -> int:
    """When the run of a night ends, in minutes of the scenario."""
    return night * DAY + AT


def series(name: str, labels: str, night: int, value: float, samples: int = 1) -> dict[str, str]:
    """So many samples of a series, from the end of a run on."""
    return {"series": f"{name}{{{labels}}}", "values": f"_x{minute_of(night) // STEP} {value:.15g}x{samples - 1}"}


def told_of(night: int, metrics: dict[str, float], code: int) -> list[dict[str, str]]:
    """What Prometheus has of a run; each is a process, and so an instance, of its own."""
    labels = f'job="tap-ory", instance="{night}", ory_list="identities"'
    at_night = {"ory.read.last_whole.timestamp": minute_of(night) * 60.0}
    found = [series(prometheus_name(name), labels, night, at_night.get(name, value)) for name, value in metrics.items()]
    # A cluster remembers what became of a job until the next one.
    failed = series("kube_job_status_failed", f'job_name="tap-ory-{night}"', night, int(code != 0), DAY // STEP)
    return [*found, failed]


def expected(rule: dict[str, Any], night: int) -> list[dict[str, Any]]:
    """How a rule shows itself if it fires in a night."""
    if rule["alert"] not in NIGHTS[night].fired:
        return []
    (names,) = [names.split(",") for names in [rule["expr"].partition(" by (")[2].partition(")")[0]]]
    values = {"job": "tap-ory", "ory_list": "identities", "job_name": f"tap-ory-{night}"}
    labels = {name.strip(): values[name.strip()] for name in names if name.strip() in values}
    summary = rule["annotations"]["summary"]
    for name, value in labels.items():
        summary = summary.replace(f"{{{{ $labels.{name} }}}}", value)
    return [{"exp_labels": {**rule["labels"], **labels}, "exp_annotations": {"summary": summary}}]


def test_the_documented_rules_fire_in_the_nights_that_go_wrong_and_in_no_other(tmp_path: Path) -> None:
    tool = promtool()
    samples = []
    for number, night in enumerate(NIGHTS):
        server = FaultySandbox(PEOPLE, faults=night.faults, manner="network", api_token=KEY)
        with server as sandbox, receiver() as collector:
            settings = {"TAP_ORY_BASE_URL": sandbox.url, "TAP_ORY_API_TOKEN": night.key, "TAP_ORY_PAGE_SIZE": "20"}
            done = run_tap(environment={**settings, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
        assert done.code == night.code, (number, done.stderr)
        samples += told_of(number, collector.metrics, done.code)
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    assert {rule["alert"] for rule in rules} == set().union(*(night.fired for night in NIGHTS))
    checks = [
        {"eval_time": f"{minute_of(night) + 60}m", "alertname": rule["alert"], "exp_alerts": expected(rule, night)}
        for night in range(len(NIGHTS))
        for rule in rules
    ]
    test = {"interval": f"{STEP}m", "input_series": samples, "alert_rule_test": checks}
    file = tmp_path / "nights.yaml"
    file.write_text(
        yaml.safe_dump(
            {"rule_files": [str(RULES)], "evaluation_interval": f"{STEP}m", "tests": [test]}, sort_keys=False
        )
    )
    told = subprocess.run([tool, "test", "rules", file], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
