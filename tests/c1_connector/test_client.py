"""The conversation with C1 without a process around it: large uploads, and a C1 that is not there."""

import random
import socket
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from c1_connector import baton_pb2 as pb
from c1_connector import service, tasks
from c1_connector.cancellation import Cancellation
from c1_connector.client import MAX_SENTENCE, Client
from c1_connector.credentials import TokenSource
from c1_connector.errors import C1Error
from c1_connector.logs import Secrets
from c1_connector.service import Service
from c1_connector.settings import Settings, parse
from c1_connector.tasks import TaskRunner
from tests.c1_connector.fake_c1 import FakeC1

FRAME = 524_288
FRAMES = 5
#: Metadata, frames and end.
MESSAGES = FRAMES + 2


def _client(settings: Settings) -> Client:
    hidden = Secrets()
    assert settings.credentials
    return Client(settings, TokenSource(settings.credentials, settings.api_host, settings.ca_bundle, hidden), hidden)


@pytest.fixture
def client(c1: FakeC1) -> Iterator[Client]:
    client = _client(parse([], c1.environment()))
    client.hello()
    yield client
    client.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of several frames, the last one short."""
    path = tmp_path / "large.c1z"
    path.write_bytes(random.Random(1).randbytes((FRAMES - 1) * FRAME + 524_255))
    return path


def _begin(c1: FakeC1, client: Client) -> str:
    task = c1.give()
    assert client.get_task(Cancellation()).task.id == task
    client.heartbeat(task)
    return task


def test_a_large_file_arrives_in_frames(c1: FakeC1, client: Client, file: Path) -> None:
    task = _begin(c1, client)
    client.upload(task, file, Cancellation())
    assert c1.uploads[task] == [file.read_bytes()]


@pytest.mark.parametrize("cut", range(1, MESSAGES + 1))
def test_an_upload_that_is_cut_behind_any_message_is_sent_again_whole(
    c1: FakeC1, client: Client, file: Path, cut: int
) -> None:
    task = _begin(c1, client)
    c1.upload_cuts.append(cut)
    with pytest.raises(C1Error, match="INTERNAL"):
        client.upload(task, file, Cancellation())
    assert c1.uploads[task] == []
    client.upload(task, file, Cancellation())
    assert c1.uploads[task] == [file.read_bytes()]


def test_no_part_of_a_token_is_left_where_a_long_answer_is_cut(c1: FakeC1, client: Client) -> None:
    (token,) = c1.tokens
    c1.words = f"{'x' * (MAX_SENTENCE - 40)} {token}"
    c1.trouble = lambda _method, _number: grpc.StatusCode.INTERNAL
    with pytest.raises(C1Error, match="INTERNAL: xxx") as failed:
        client.heartbeat(c1.give())
    assert len(str(failed.value)) <= MAX_SENTENCE
    assert token[:8] not in str(failed.value)


def test_a_machine_that_cannot_work_gives_the_task_back(
    c1: FakeC1, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device", "/tmp/ory-connector-x")

    monkeypatch.setattr(tasks, "read_users", fail)
    task = c1.give()
    TaskRunner(parse([], c1.environment()), client, Cancellation()).run(client.get_task(Cancellation()).task)
    (finish,) = c1.finished[task]
    assert (finish.status.code, finish.error.non_retryable) == (2, False)
    assert "No space left on device" in finish.status.message
    assert not c1.count("UploadAsset")


def test_c1_that_cannot_be_reached_is_given_up(c1: FakeC1, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setattr(service, "DIAL_SECONDS", 1.5)
    settings, stopping = parse(["--c1-api-host", nobody], c1.environment()), Cancellation()
    client = _client(settings)
    with pytest.raises(C1Error, match="cannot be reached") as refused:
        Service(client, TaskRunner(settings, client, stopping), 1, stopping).run()
    client.close()
    assert refused.value.code == 4


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "PERMISSION_DENIED", "INVALID_ARGUMENT", "UNIMPLEMENTED"])
def test_a_greeting_that_is_refused_for_good_ends_it(c1: FakeC1, code: str) -> None:
    settings, stopping = parse([], c1.environment()), Cancellation()
    client = _client(settings)
    # The first answer is one that may go away.
    c1.trouble = lambda _method, number: grpc.StatusCode.UNAVAILABLE if number == 1 else grpc.StatusCode[code]
    with pytest.raises(C1Error, match=code) as refused:
        Service(client, TaskRunner(settings, client, stopping), 1, stopping).run()
    client.close()
    assert refused.value.code == grpc.StatusCode[code].value[0]
    greetings = [event.time for event in c1.events if event.method == "Hello"]
    assert greetings[1] - greetings[0] > 0.9
    assert len(greetings) == (3 if code == "UNAUTHENTICATED" else 2)  # once more with a new token


@pytest.mark.parametrize(
    ("told", "poll", "beat"),
    [
        (None, 0.5, 30),
        (Duration(), 0.5, 30),
        (Duration(seconds=-5), 0.5, 1),
        (Duration(nanos=400_000_000), 0.5, 1),
        (Duration(seconds=7, nanos=500_000_000), 7.5, 7.5),
        (Duration(seconds=301), 300, 300),
        (Duration(seconds=1 << 62), 300, 300),
    ],
)
def test_the_waits_that_c1_asks_for_are_kept_within_bounds(told: Duration | None, poll: float, beat: float) -> None:
    assert service._interval(pb.GetTaskResponse(next_poll=told)) == poll
    assert tasks._interval(pb.HeartbeatResponse(next_heartbeat=told)) == beat
