"""S3 (moto's server) and Azure Blob Storage (Azurite): whole objects only, also for a reader at the same time."""

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped] # has no types of its own
import pytest
from azure.storage.blob import BlobServiceClient
from botocore.config import Config  # type: ignore[import-untyped] # likewise

from target_c1.c1z import read_c1z_ids
from tests.ports import free_ports, refusing_port
from tests.target_c1.npm import installed
from tests.target_c1.support import (
    TARGET,
    environment,
    run_command,
    run_target,
    schema,
    settings_in_environment,
    to_lines,
    user,
    users_read,
    whole_read,
)

PLACE = "people"
NAME = "sub/users.c1z"
SECONDS = 60
#: Above the size from which s3fs uploads in parts.
MANY_BYTES = 20_000_000
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class ObjectStore(ABC):
    """A store with the bucket or container PLACE."""

    protocol: str
    #: What target-c1's environment needs to reach it.
    variables: dict[str, str]

    @property
    def url(self) -> str:
        return f"{self.protocol}://{PLACE}/{NAME}"

    @abstractmethod
    def read(self) -> bytes:
        """The object, fetched in one request with the store's own library."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Put an object there."""

    @abstractmethod
    def names(self) -> list[str]:
        """The names of all objects."""


class S3(ObjectStore):
    protocol = "s3"

    def __init__(self, url: str) -> None:
        self.variables = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "an id",
            "AWS_SECRET_ACCESS_KEY": "Secret-Of-S3",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        self._client = boto3.client(
            "s3",
            endpoint_url=url,
            aws_access_key_id="an id",
            aws_secret_access_key="a secret",
            region_name="us-east-1",
            config=Config(retries={"max_attempts": 1}),
        )
        self._client.create_bucket(Bucket=PLACE)

    def read(self) -> bytes:
        body: bytes = self._client.get_object(Bucket=PLACE, Key=NAME)["Body"].read()
        return body

    def write(self, data: bytes) -> None:
        self._client.put_object(Bucket=PLACE, Key=NAME, Body=data)

    def names(self) -> list[str]:
        return [each["Key"] for each in self._client.list_objects_v2(Bucket=PLACE).get("Contents", [])]


class Azure(ObjectStore):
    protocol = "az"

    def __init__(self, url: str) -> None:
        connection = (
            f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={AZURITE_KEY};"
            f"BlobEndpoint={url}/devstoreaccount1;"
        )
        self.variables = {"AZURE_STORAGE_CONNECTION_STRING": connection}
        self._container = BlobServiceClient.from_connection_string(connection).create_container(PLACE)

    def read(self) -> bytes:
        return self._container.download_blob(NAME, max_concurrency=1).readall()

    def write(self, data: bytes) -> None:
        self._container.upload_blob(NAME, data, overwrite=True)

    def names(self) -> list[str]:
        return list(self._container.list_blob_names())


@contextmanager
def listening(command: list[str], port: int) -> Iterator[str]:
    """Run a server until the end of the block; gives its URL once it accepts connections."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + SECONDS
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert process.poll() is None, f"{command[0]} ended with {process.returncode}"
                    assert time.monotonic() < deadline, f"{command[0]} does not listen"
                    time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture(scope="module", params=["s3", "azure"])
def running(request: pytest.FixtureRequest) -> Iterator[ObjectStore]:
    [port] = free_ports()
    with ExitStack() as stack:
        if request.param == "s3":
            command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
            yield S3(stack.enter_context(listening(command, port)))
            return
        program = str(installed("azurite") / "dist" / "src" / "blob" / "main.js")
        options = ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
        command = ["node", program, "--blobHost", "127.0.0.1", "--blobPort", str(port), *options]
        yield Azure(stack.enter_context(listening(command, port)))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What a test opens, closed at its end."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def store(running: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """A store, and a place of its own for the files of runs."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return running


def ids(data: bytes, tmp_path: Path) -> list[str]:
    (tmp_path / "read.c1z").write_bytes(data)
    return sorted(read_c1z_ids(tmp_path / "read.c1z", tmp_path / "database"))


def run(store: ObjectStore, messages: list[Any], *arguments: str, **settings: Any) -> Any:
    variables = {**settings_in_environment({"path": store.url, **settings}), **store.variables}
    return run_command(to_lines(messages), "--config", "ENV", *arguments, **variables)


def test_a_run_and_an_inspection(store: ObjectStore, tmp_path: Path) -> None:
    done = run(store, users_read(30), force=True)
    assert done.code == 0, done.stderr
    assert ids(store.read(), tmp_path) == [user(number)["id"] for number in range(30)]
    assert store.names() == [NAME]
    inspected = run_command(b"", "--inspect", store.url, **store.variables)
    assert (inspected.code, "30 users" in inspected.stdout) == (0, True), inspected.stderr
    assert not list(tmp_path.glob("target-c1-*"))
    # Nothing but the run's own lines: neither requests nor credentials are logged.
    secrets = re.compile(rf"Secret-Of-S3|{re.escape(AZURITE_KEY)}|Request URL")
    assert not secrets.search(done.stderr + inspected.stderr)


def test_the_previous_object_is_compared_and_kept(store: ObjectStore) -> None:
    assert run(store, users_read(10), force=True).code == 0
    before = store.read()
    done = run(store, users_read(5))
    assert done.code == 1
    assert "5 of the 10 users" in done.logged("ERROR")[0]
    done = run(store, [schema(), *users_read(10)[1:5]])
    assert done.code == 1
    assert store.read() == before


def test_a_previous_object_that_is_no_c1z_is_kept(store: ObjectStore) -> None:
    store.write(b"something else")
    assert run(store, users_read(10)).code == 1
    assert store.read() == b"something else"
    assert run(store, users_read(10), "--force").code == 0
    assert store.read() != b"something else"


def test_a_reader_at_the_same_time_sees_whole_files_only(store: ObjectStore, tmp_path: Path) -> None:
    sizes = [400, 500, 600, 700]
    assert run(store, users_read(sizes[0]), force=True).code == 0
    seen: dict[str, bytes] = {}
    failures: list[Exception] = []
    reads = 0
    done = threading.Event()

    def keep_reading() -> None:
        nonlocal reads
        while not done.is_set():
            try:
                data = store.read()
            except Exception as error:  # noqa: BLE001 - whatever a reader would meet
                failures.append(error)
                return
            reads += 1
            done.wait(0.002)
            seen.setdefault(hashlib.sha256(data).hexdigest(), data)

    reader = threading.Thread(target=keep_reading)
    reader.start()
    try:
        for size in sizes[1:]:
            assert run(store, users_read(size)).code == 0
    finally:
        done.set()
        reader.join()
    assert not failures
    assert reads > len(sizes)
    assert sorted(len(ids(data, tmp_path)) for data in seen.values()) == sizes


def test_a_large_object_is_replaced_in_one_step_too(store: ObjectStore, tmp_path: Path) -> None:
    """In parts, which become the object when the last one is there; through the destination alone, for time's sake."""
    first, second = os.urandom(MANY_BYTES), os.urandom(MANY_BYTES + 1)
    (tmp_path / "first").write_bytes(first)
    (tmp_path / "second").write_bytes(second)
    script = """
import sys, pathlib
from target_c1.publish import open_destination
for file in sys.argv[2:]:
    with open_destination(sys.argv[1]) as destination:
        destination.publish(pathlib.Path(file))
        assert destination.previous().read_bytes() == pathlib.Path(file).read_bytes()
        print("published", flush=True)
"""
    files = [str(tmp_path / "first"), str(tmp_path / "second")]
    command = [sys.executable, "-c", script, store.url, *files]
    hashes = {hashlib.sha256(first).digest(): 1, hashlib.sha256(second).digest(): 2}
    seen = set()
    with subprocess.Popen(command, env=environment(**store.variables), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "published\n"
        while process.poll() is None:
            seen.add(hashes.get(hashlib.sha256(store.read()).digest()))
    assert process.returncode == 0
    seen.add(hashes.get(hashlib.sha256(store.read()).digest()))
    assert None not in seen
    assert 2 in seen


def test_a_store_that_cannot_be_reached(stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    settings = settings_in_environment({"path": f"s3://{PLACE}/{NAME}"})
    variables = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{refusing_port(stack)}",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "Secret",
        "AWS_MAX_ATTEMPTS": "1",
    }
    # It shows before anything is read: the input never ends.
    command = [*TARGET, "--config", "ENV"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment(**settings, **variables)
    ) as process:
        try:
            assert process.wait(timeout=100) == 1
            assert process.stderr is not None
            error = process.stderr.read().decode()
        finally:
            process.kill()
    assert "Cannot read 's3://people/sub/users.c1z'" in error
    assert "Secret" not in error
    assert "Traceback" not in error
    assert not list(tmp_path.iterdir())


def test_a_bucket_that_is_not_there(store: ObjectStore, tmp_path: Path) -> None:
    settings = settings_in_environment({"path": f"{store.protocol}://nowhere/{NAME}"})
    done = run_command(to_lines(users_read(3)), "--config", "ENV", **settings, **store.variables)
    assert (done.code, done.stdout) == (1, "")
    assert "://nowhere/" in done.logged("ERROR")[0]
    assert not list(tmp_path.iterdir())


def test_memory_is_a_store_too() -> None:
    """Of no use for a command, but what fsspec names its own store for tests."""
    script = """
import io, json, sys
from target_c1.target import TargetC1
from upath import UPath
target = TargetC1(config={"path": "memory://people/users.json"})
with target.opened():
    target.listen(sys.stdin.buffer)
print(UPath("memory://people/users.json").read_text())
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=to_lines(whole_read([user(1)])),
        capture_output=True,
        check=True,
        env=environment(),
        timeout=SECONDS,
    )
    assert json.loads(done.stdout.splitlines()[0]) == {"bookmarks": {"users": {}}}
    assert [each["id"] for each in json.loads(b"".join(done.stdout.splitlines()[1:]))["users"]] == [user(1)["id"]]


def test_two_runs_to_one_object_do_not_meet(store: ObjectStore) -> None:
    variables = {**settings_in_environment({"path": store.url, "force": True}), **store.variables}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*TARGET, "--config", "ENV"], stdin=pipe, stdout=pipe, stderr=pipe, env=environment(**variables)
    ) as first:
        try:
            deadline = time.monotonic() + SECONDS
            while not list(Path(os.environ["TMPDIR"]).glob("target-c1-*/users.sqlite")):
                assert time.monotonic() < deadline
                assert first.poll() is None
                time.sleep(0.05)
            done = run(store, users_read(20))
            assert done.code == 1
            assert "Another target-c1 is at work" in done.logged("ERROR")[0]
            assert first.communicate(to_lines(users_read(3)), timeout=SECONDS)[0]
            assert first.returncode == 0
        finally:
            first.kill()


def test_a_local_run_needs_no_object_store(tmp_path: Path) -> None:
    """Its libraries take a second to import."""
    done = run_target(users_read(3), path=str(tmp_path / "users.c1z"))
    assert done.code == 0
    script = "import sys, target_c1.target; print([name for name in ('s3fs', 'adlfs') if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True, timeout=SECONDS)
    assert found.stdout == "[]\n"
