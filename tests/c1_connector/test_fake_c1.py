"""The C1 of the tests takes what connectors made with C1's published SDK do, and nothing that they do not."""

import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import grpc
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded

from c1_connector import baton_pb2 as pb
from c1_connector.client import SERVICE
from c1_connector.credentials import ASSERTION_TYPE, TOKEN_PATH, TokenSource
from c1_connector.hello import hello
from c1_connector.logs import Secrets
from c1_connector.settings import parse
from tests.c1_connector.fake_c1 import RECORDED, FakeC1
from tests.c1_connector.fake_service import HOST_ID
from tests.c1_connector.fake_tokens import CLIENT_ID


def _request(c1: FakeC1) -> bytes:
    settings = parse([], c1.environment())
    assert settings.credentials
    tokens = TokenSource(settings.credentials, settings.api_host, settings.ca_bundle, Secrets())
    form = {
        "client_id": CLIENT_ID,
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": tokens.assertion(),
    }
    return urlencode(form).encode()


def _buy_over_http2(c1: FakeC1) -> tuple[str, Any]:
    """Buy a token as Go does, which offers both versions; return the status and the answer."""
    context = ssl.create_default_context(cafile=str(c1.ca))
    context.set_alpn_protocols(["h2", "http/1.1"])
    body = _request(c1)
    sent = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", c1.address),
        (":path", TOKEN_PATH),
        ("content-type", "application/x-www-form-urlencoded"),
    ]
    connection = H2Connection(H2Configuration(header_encoding="utf-8"))
    status, told = "", b""
    with (
        socket.create_connection(("127.0.0.1", c1.front.port), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as line,
    ):
        assert line.selected_alpn_protocol() == "h2"
        connection.initiate_connection()
        connection.send_headers(1, sent)
        connection.send_data(1, body, end_stream=True)
        while True:
            line.sendall(connection.data_to_send())
            for event in connection.receive_data(line.recv(65_536)):
                if isinstance(event, ResponseReceived):
                    headers = {str(name): str(value) for name, value in event.headers}
                    status = headers[":status"]
                elif isinstance(event, DataReceived):
                    told += event.data
                elif isinstance(event, StreamEnded):
                    return status, json.loads(told)


@pytest.fixture
def channel(c1: FakeC1) -> Iterator[grpc.Channel]:
    _, answer = _buy_over_http2(c1)
    token = grpc.access_token_call_credentials(answer["access_token"])
    tls = grpc.ssl_channel_credentials(c1.ca.read_bytes())
    with grpc.secure_channel(c1.address, grpc.composite_channel_credentials(tls, token)) as channel:
        yield channel


def _call(channel: grpc.Channel, method: str, request: Any, response: Any, timeout: float | None = None) -> Any:
    serialize = type(request).SerializeToString
    return channel.unary_unary(f"{SERVICE}{method}", serialize, response.FromString)(request, timeout)


def test_a_token_is_sold_over_http2_too(c1: FakeC1) -> None:
    status, answer = _buy_over_http2(c1)
    assert status == "200"
    assert [answer["access_token"]] == c1.tokens


def test_calls_need_no_deadline_but_for_the_last_one(c1: FakeC1, channel: grpc.Channel) -> None:
    _call(channel, "Hello", hello(parse([], c1.environment())), pb.HelloResponse)
    task = c1.give("event_feed")
    assert _call(channel, "GetTask", pb.GetTaskRequest(host_id=HOST_ID), pb.GetTaskResponse).task.id == task
    _call(channel, "Heartbeat", pb.HeartbeatRequest(host_id=HOST_ID, task_id=task), pb.HeartbeatResponse)
    assert [event.deadline for event in c1.events] == [None] * 4
    assert c1.violations == []
    finish = pb.FinishTaskRequest(host_id=HOST_ID, task_id=task, status=pb.Status(code=2))
    finish.error.SetInParent()
    _call(channel, "FinishTask", finish, pb.FinishTaskResponse)
    assert c1.violations.pop() == "FinishTask has no deadline"


def test_several_tasks_can_be_had_at_a_time(c1: FakeC1, channel: grpc.Channel) -> None:
    _call(channel, "Hello", hello(parse([], c1.environment())), pb.HelloResponse)
    tasks = [c1.give_recorded("grant") for _ in range(3)]
    request = pb.GetTasksRequest(host_id=HOST_ID, page_size=2)
    assert [task.id for task in _call(channel, "GetTasks", request, pb.GetTasksResponse).tasks] == tasks[:2]
    request.known_task_ids[:] = tasks[:2]
    assert [task.id for task in _call(channel, "GetTasks", request, pb.GetTasksResponse).tasks] == tasks[2:]
    request.known_task_ids[:] = ["never-given"]
    _call(channel, "GetTasks", request, pb.GetTasksResponse)
    assert c1.violations.pop() == "GetTasks: knows a task that was not given"


def test_recorded_tasks_have_bodies_that_are_handed_out_as_they_are() -> None:
    for kind, recorded in RECORDED.items():
        task = pb.Task.FromString(bytes.fromhex(recorded))
        # Kinds that the connector's own .proto does not know are there all the same, as fields unknown to it.
        assert task.WhichOneof("task_type") in {kind, None}
        assert len(task.SerializeToString()) == len(recorded) // 2
