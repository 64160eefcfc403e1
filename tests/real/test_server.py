"""The real servers do what the tests that use them take for granted."""

import sys
from typing import TYPE_CHECKING

import pytest
import requests

from tests.real import build
from tests.real.people import identity_schemas, people

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.real.server import Kratos, Release


@pytest.fixture(params=["v1.0.0", "v1.3.1"])
def kratos(request: pytest.FixtureRequest, start_kratos: "Callable[[Release, int], Kratos]") -> "Kratos":
    return start_kratos(request.param, 0)


def test_fill_adds_everybody_and_lists_them_in_the_order_of_the_family(kratos: "Kratos") -> None:
    kratos.fill(250)
    kratos.fill(30, seed=2)
    rows = kratos.all_rows()
    assert len(rows) == 280
    assert {row["schema_id"] for row in rows} == set(identity_schemas("sms"))
    assert {row["state"] for row in rows} == {"active", "inactive"}
    ids = [row["id"] for row in rows]
    assert ids == sorted(ids, reverse=kratos.version == "v1.0.0")


def test_people_from_the_start_are_the_same_each_time(start_kratos: "Callable[[Release, int], Kratos]") -> None:
    one, other = (start_kratos("v1.3.1", 25) for _ in range(2))
    assert one.count() == 25
    assert other.all_ids() == one.all_ids()
    other.fill(5, seed=2)
    assert (one.count(), other.count()) == (25, 30)


def test_data_and_ports_outlive_a_restart(kratos: "Kratos") -> None:
    kept, dropped = (kratos.create(body)["id"] for body in people(2, seed=1))
    kratos.delete(dropped)
    kratos.restart()
    assert [row["id"] for row in kratos.all_rows()] == [kept]
    kratos.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{kratos.admin_url}admin/health/ready", timeout=5)


def test_the_same_seed_is_the_same_people() -> None:
    assert list(people(40, seed=3)) == list(people(40, seed=3))
    assert list(people(40, seed=3)) != list(people(40, seed=4))


def test_without_go_there_is_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: "Path") -> None:
    monkeypatch.setattr(build, "CACHE", tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(build.ServerUnavailableError, match="no `go` on PATH"):
        build.server_binary("kratos", "v1.3.1")
