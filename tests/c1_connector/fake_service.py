"""C1's gRPC service: the calls of a connector, and what is against the rules in them.

It knows messages from the connector's own .proto, whose numbers `test_protocol.py` holds against C1's.
"""

import hashlib
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration

from c1_connector import baton_pb2 as pb

SERVICE = "c1.connectorapi.baton.v1.BatonService"
HOST_ID = "host-of-the-tests"
FRAME_BYTES = 524_288
#: What gRPC says of a call without a deadline is a time beyond this.
NO_DEADLINE_SECONDS = 10_000
#: Tasks that end with success and without an upload.
WITHOUT_UPLOAD = {"action_list_schemas", "list_event_feeds"}
Code = grpc.StatusCode


@dataclass
class Event:
    """A call, of which task, the seconds that it has (None: for ever), and when it came."""

    method: str
    task_id: str
    deadline: float | None = None
    time: float = field(default_factory=time.monotonic)


class FakeService:
    """What a test may set, what a connector has done, and the calls themselves.

    `trouble(method, number)` may name the code with which the method's call of that number (from 1) fails.
    """

    def __init__(self) -> None:
        self.violations: list[str] = []
        self.events: list[Event] = []
        self.uploads: dict[str, list[bytes]] = defaultdict(list)
        self.finished: dict[str, list[pb.FinishTaskRequest]] = defaultdict(list)
        self.next_poll: float | None = 0.5
        self.next_heartbeat: float | None = 1
        self.trouble: Callable[[str, int], Code | None] = lambda _method, _number: None
        self.cancelled: set[str] = set()
        #: Abort an upload once so many messages of it have come, for each number in turn.
        self.upload_cuts: deque[int] = deque()
        #: Waits in an upload before it answers.
        self.slow_upload = 0.0
        self.words = "trouble on request"
        #: Whether tokens that were given are accepted.
        self.accepting = True
        self._valid: set[str] = set()
        self._given: dict[str, str] = {}
        self._waiting: deque[pb.Task] = deque()
        self._lock = threading.RLock()
        self._counts: dict[str, int] = defaultdict(int)
        self._greeted = False

    def handlers(self) -> grpc.GenericRpcHandler:
        """The service for a gRPC server."""
        unary: dict[str, tuple[Callable[[Any], Any], Any]] = {
            "Hello": (self._hello, pb.HelloRequest),
            "GetTask": (self._get_task, pb.GetTaskRequest),
            "GetTasks": (self._get_tasks, pb.GetTasksRequest),
            "Heartbeat": (self._heartbeat, pb.HeartbeatRequest),
            "FinishTask": (self._finish_task, pb.FinishTaskRequest),
        }
        methods: dict[str, Any] = {
            name: grpc.unary_unary_rpc_method_handler(
                self._guarded(name, answer),
                request_deserializer=request.FromString,
                response_serializer=lambda response: response.SerializeToString(),
            )
            for name, (answer, request) in unary.items()
        }
        methods["UploadAsset"] = grpc.stream_unary_rpc_method_handler(
            self._upload_asset,
            request_deserializer=pb.UploadAssetRequest.FromString,
            response_serializer=lambda response: response.SerializeToString(),
        )
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    def note(self, method: str, task_id: str, deadline: float | None = None) -> int:
        """Write a call down and return its number."""
        self.events.append(Event(method, task_id, deadline))
        self._counts[method] += 1
        return self._counts[method]

    def _enter(self, method: str, task_id: str, context: Any) -> None:
        """Note the call and go on only if there is nothing against it."""
        left = context.time_remaining()
        deadline = None if left is None or left > NO_DEADLINE_SECONDS else left
        with self._lock:
            number = self.note(method, task_id, deadline)
            sent = dict(context.invocation_metadata()).get("authorization", "")
            valid = sent.startswith("Bearer ") and sent[len("Bearer ") :] in self._valid and self.accepting
        self._expect(deadline or method != "FinishTask", "FinishTask has no deadline")
        if not valid:
            context.abort(Code.UNAUTHENTICATED, f"token {sent} refused")
        if code := self.trouble(method, number):
            context.abort(code, self.words)

    def _guarded(self, method: str, answer: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
        def handle(request: Any, context: Any) -> Any:
            self._enter(method, getattr(request, "task_id", ""), context)
            with self._lock:
                self._expect(request.host_id == HOST_ID, f"{method}: host id {request.host_id!r}")
                if hasattr(request, "task_id") and method != "Hello":
                    self._expect(request.task_id in self._given, f"{method}: a task that was not given")
                return answer(request)

        return handle

    def _expect(self, holds: object, violation: str) -> None:
        if not holds:
            self.violations.append(violation)

    def _hello(self, request: pb.HelloRequest) -> pb.HelloResponse:
        fields = {**_fields(request.os_info, 8), **_fields(request.build_info, 3)}
        for name, value in fields.items():
            self._expect(1 <= len(value) <= 256, f"Hello: {name} is {value!r}")
        about = request.connector_metadata
        self._expect(1 <= len(about.display_name.encode()) <= 1024, "Hello: display name")
        self._expect(len(about.description) <= 4096, "Hello: description")
        capabilities = about.capabilities
        self._expect(list(capabilities.connector_capabilities) == [2], "Hello: capabilities")
        kinds = [(each.resource_type.id, list(each.capabilities)) for each in capabilities.resource_type_capabilities]
        self._expect(kinds == [("user", [2])], f"Hello: resource types {kinds}")
        if request.task_id:
            self._expect(self._given.get(request.task_id) == "hello", "Hello: of a task that is none")
        self._greeted = True
        return pb.HelloResponse()

    def _get_task(self, request: pb.GetTaskRequest) -> pb.GetTaskResponse:
        tasks = self._hand_out("GetTask", 1)
        return pb.GetTaskResponse(task=tasks[0] if tasks else None, next_poll=_duration(self.next_poll))

    def _get_tasks(self, request: pb.GetTasksRequest) -> pb.GetTasksResponse:
        self._expect(1 <= request.page_size <= 100, f"GetTasks: page size {request.page_size}")
        for known in request.known_task_ids:
            self._expect(known in self._given, "GetTasks: knows a task that was not given")
        tasks = self._hand_out("GetTasks", request.page_size)
        return pb.GetTasksResponse(tasks=tasks, next_poll=_duration(self.next_poll))

    def _hand_out(self, method: str, number: int) -> list[pb.Task]:
        self._expect(self._greeted, f"{method} before Hello")
        tasks = [self._waiting.popleft() for _ in range(min(number, len(self._waiting)))]
        for task in tasks:
            self._given[task.id] = task.WhichOneof("task_type") or "unknown"
        return tasks

    def _heartbeat(self, request: pb.HeartbeatRequest) -> pb.HeartbeatResponse:
        cancelled = request.task_id in self.cancelled
        return pb.HeartbeatResponse(next_heartbeat=_duration(self.next_heartbeat), cancelled=cancelled)

    def _finish_task(self, request: pb.FinishTaskRequest) -> pb.FinishTaskResponse:
        outcome = request.WhichOneof("final_state")
        kind = self._given.get(request.task_id)
        self._expect(kind != "hello", "FinishTask of a hello task")
        self._expect(not self.finished[request.task_id], "FinishTask after it was taken")
        self._expect(outcome, "FinishTask without an outcome")
        self._expect((outcome == "error") == bool(request.status.code), "FinishTask: status and outcome differ")
        if outcome == "success":
            self._expect(kind in WITHOUT_UPLOAD or self.uploads[request.task_id], "success without an upload")
            self._expect(not request.HasField("status"), "success with a status")
        self.finished[request.task_id].append(request)
        return pb.FinishTaskResponse()

    def _upload_asset(self, requests: Iterator[pb.UploadAssetRequest], context: Any) -> pb.UploadAssetResponse:
        head = next(requests)
        self._enter("UploadAsset", head.metadata.task_id, context)
        with self._lock:
            cut = self.upload_cuts.popleft() if self.upload_cuts else None
            self._expect(head.WhichOneof("msg") == "metadata", "upload: no metadata first")
            self._expect(self._given.get(head.metadata.task_id) == "sync_full", "upload: of no sync")
            self._expect(head.metadata.host_id == HOST_ID, "upload: host id")
            beats = [e for e in self.events if (e.method, e.task_id) == ("Heartbeat", head.metadata.task_id)]
            self._expect(beats, "upload: before any heartbeat")
        frames, end = self._frames(requests, cut, context)
        if cut is not None:
            context.abort(Code.INTERNAL, "cut at the end on request")
        if end is None:
            # The stream ended early: the connector has cancelled it.
            context.abort(Code.ABORTED, "no end")
        body = b"".join(frames)
        self._expect(hashlib.sha256(body).digest() == end, "upload: checksum")
        self._expect(all(len(frame) == FRAME_BYTES for frame in frames[:-1]), "upload: frames of another size")
        deadline = time.monotonic() + self.slow_upload
        while time.monotonic() < deadline and context.is_active():
            time.sleep(0.02)
        if context.is_active():
            with self._lock:
                self.uploads[head.metadata.task_id].append(body)
        return pb.UploadAssetResponse()

    def _frames(
        self, requests: Iterator[pb.UploadAssetRequest], cut: int | None, context: Any
    ) -> tuple[list[bytes], bytes | None]:
        frames: list[bytes] = []
        end: bytes | None = None
        for number, message in enumerate(requests, 2):
            if cut is not None and number > cut:
                context.abort(Code.INTERNAL, "cut on request")
            self._expect(end is None, "upload: something after the end")
            if message.WhichOneof("msg") == "data":
                self._expect(1 <= len(message.data.data) <= 1 << 20, "upload: size of a frame")
                frames.append(message.data.data)
            else:
                end = message.eof.sha256_checksum
        return frames, end


def _duration(seconds: float | None) -> Duration | None:
    return None if seconds is None else Duration(seconds=int(seconds), nanos=round(seconds % 1 * 1e9))


def _fields(message: Any, number: int) -> dict[str, str]:
    fields = {each.name: getattr(message, each.name) for each in message.DESCRIPTOR.fields}
    assert len(fields) == number
    return fields
