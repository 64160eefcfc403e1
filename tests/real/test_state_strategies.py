"""A real Meltano keeps states in each of its ways: after every run the rows are those of the source, a real Kratos."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.real.people import people
from tests.scripted import ScriptedServer, forwarded, reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.real.server import Kratos, Release
    from tests.real.target_postgres import TargetPostgres
    from tests.scripted import Asked, Pieces

PEOPLE, PAGE = 400, 20
PAGES = PEOPLE // PAGE
MELTANO = str(Path(sys.executable).with_name("meltano"))
TAP = str(Path(sys.executable).with_name("tap-ory"))
STATE = "dev:tap-ory-to-target-postgres"


class Front:
    """What stands before a Kratos: it counts the pages and, where told, lets only so many through."""

    def __init__(self, kratos: Kratos) -> None:
        self._kratos = kratos
        self.pages = 0
        self.let_through: int | None = None

    def answer(self, asked: Asked, number: int) -> Pieces:
        self.pages += 1
        if self.let_through is not None and self.pages > self.let_through:
            return reply(HTTPStatus.UNAUTHORIZED, b"{}")
        headers, body = forwarded(self._kratos.admin_url, asked)
        return reply(HTTPStatus.OK, body, headers.pop("Content-Type"), **headers)


class Pipeline:
    """`meltano run` from a server into a table, and the table beside the source."""

    def __init__(
        self, kratos: Kratos, url: str, project: tuple[Path, TargetPostgres], front: Front, strategy: str
    ) -> None:
        self.home, self._target = project
        self._kratos, self._front, self._strategy = kratos, front, strategy
        own = ("TAP_ORY_", "BATON_", "MELTANO_")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(own)},
            "TAP_ORY_BASE_URL": url,
            "TAP_ORY_PUBLIC_URL": kratos.public_url,
            "TAP_ORY_PAGE_SIZE": str(PAGE),
        }

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments, cwd=self.home, env=self.environment, capture_output=True, text=True, check=False
        )

    def run(self) -> tuple[int, str, int]:
        """Run once; return the exit code, what was printed, and the number of pages that were asked for."""
        before = self._front.pages
        done = self.command(MELTANO, "run", f"--state-strategy={self._strategy}", "tap-ory", "target-postgres")
        return done.returncode, done.stdout + done.stderr, self._front.pages - before

    def rows(self) -> list[tuple[Any, ...]]:
        return sorted(map(_compared, self._target.rows()))

    def source(self) -> list[tuple[Any, ...]]:
        return sorted(map(_compared, self._kratos.all_rows()))


def _compared(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["id"], row["state"], json.dumps(row["traits"], sort_keys=True)


@pytest.mark.parametrize("strategy", ["merge", "overwrite"])
def test_five_runs(
    strategy: str, project: tuple[Path, TargetPostgres], start_kratos: Callable[[Release, int], Kratos]
) -> None:
    kratos = start_kratos("v1.3.1", PEOPLE)
    front = Front(kratos)
    with ScriptedServer(front.answer) as server:
        pipeline = Pipeline(kratos, server.url, project, front, strategy)

        front.let_through = PAGES // 2
        code, printed, _ = pipeline.run()
        assert code != 0, printed
        assert 0 < len(pipeline.rows()) < PEOPLE
        assert set(pipeline.rows()) < set(pipeline.source())
        front.let_through = None

        if strategy == "merge":
            # What Meltano prints of the state is a state to the tap as well.
            (pipeline.home / "state.json").write_text(pipeline.command(MELTANO, "state", "get", STATE).stdout)
            read = pipeline.command(TAP, "--state", "state.json")
            assert read.returncode == 0, read.stderr
            assert 0 < read.stdout.count('"type":"RECORD"') < PEOPLE, read.stderr

        code, printed, pages = pipeline.run()
        assert code == 0, printed
        assert "Going on with the read that began at" in printed
        assert pages < PAGES
        assert pipeline.rows() == pipeline.source()

        for identity in kratos.all_ids()[::7]:
            kratos.deactivate(identity)
        for body in people(20, seed=7):
            kratos.create(body)
        code, printed, pages = pipeline.run()
        assert code == 0, printed
        assert pages >= PAGES, printed
        assert pipeline.rows() == pipeline.source()

        for identity in kratos.all_ids()[::5]:
            kratos.delete(identity)
        code, printed, _ = pipeline.run()
        assert code == 0, printed
        assert len(pipeline.rows()) < PEOPLE
        assert pipeline.rows() == pipeline.source()

        kratos.delete(kratos.all_ids()[0])
        code, printed, _ = pipeline.run()
        assert code == 0, printed
        assert pipeline.rows() == pipeline.source()
