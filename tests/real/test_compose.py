"""The Compose file's own Kratos: the commands of its services with a real binary, its configuration, and the run."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.c1_connector.connector import ids_in
from tests.command import clean_environment
from tests.ports import free_ports
from tests.real.build import ServerUnavailableError, server_binary

COMPOSE = Path(__file__).parents[2] / "deploy" / "compose"
SERVICES: dict[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"]


def binary() -> str:
    assert {SERVICES[name]["image"] for name in ("migrate", "kratos")} == {"oryd/kratos:v1.3.1"}
    try:
        return str(server_binary("kratos", "v1.3.1"))
    except ServerUnavailableError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@contextmanager
def kratos(home: Path) -> Iterator[str]:
    """Run the two services, with what lies in volumes in `home`; yield the base URL of the admin port."""
    program = binary()
    for name in ("kratos.yml", "person.schema.json"):
        (home / name).write_text((COMPOSE / name).read_text().replace("/etc/kratos", str(home)))
    admin, public = free_ports(2)
    here = {"SERVE_ADMIN_PORT": str(admin), "SERVE_PUBLIC_PORT": str(public)}
    ran = []
    for name in ("migrate", "kratos"):
        service = SERVICES[name]
        dsn = service["environment"]["DSN"].replace("sqlite:///var/lib/sqlite", f"sqlite://{home}")
        command = [program, *(word.replace("/etc/kratos", str(home)) for word in service["command"])]
        if name == "migrate":
            subprocess.run(command, env={"DSN": dsn, "PATH": "/bin"}, check=True, capture_output=True)
        else:
            with (home / "log").open("wb") as log:
                ran.append(subprocess.Popen(command, env={"DSN": dsn, **here, "PATH": "/bin"}, stdout=log, stderr=log))
    url = f"http://127.0.0.1:{admin}/"
    probe = SERVICES["kratos"]["healthcheck"]["test"][-1].replace("http://127.0.0.1:4434/", url)
    try:
        deadline = time.monotonic() + 60
        while not answers(probe):
            assert ran[0].poll() is None and time.monotonic() < deadline, (home / "log").read_text()  # noqa: PT018
            time.sleep(0.1)
        yield url
    finally:
        ran[0].terminate()
        ran[0].wait(30)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=10).ok
    except requests.ConnectionError:
        return False


def test_its_kratos_is_read(tmp_path: Path) -> None:
    with kratos(tmp_path) as url:
        traits = {"email": "ann@example.com", "name": {"first": "Ann", "last": "Lee"}}
        body = {"schema_id": "person", "traits": traits}
        made = requests.post(f"{url}admin/identities", json=body, timeout=60)
        made.raise_for_status()
        given = SERVICES["tap-ory"]["environment"] | {
            "TAP_ORY_BASE_URL": url,
            "TARGET_C1_PATH": str(tmp_path / "users.c1z"),
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        }
        (command,) = SERVICES["tap-ory"]["command"]
        run = [COMPOSE.parent / command]
        done = subprocess.run(run, env=clean_environment(given), capture_output=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    assert ids_in((tmp_path / "users.c1z").read_bytes(), tmp_path) == [made.json()["id"]]
