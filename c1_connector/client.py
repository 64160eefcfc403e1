"""C1's connector service over one lasting gRPC channel: five calls, each with a deadline, each with a token.

Knows gRPC and the messages, nothing of what a task means.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from c1_connector import baton_pb2 as pb
from c1_connector.errors import UNAUTHENTICATED, C1Error
from c1_connector.hello import hello, package_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from c1_connector.cancellation import Cancellation
    from c1_connector.credentials import TokenSource
    from c1_connector.errors import ConnectorError
    from c1_connector.logs import Secrets
    from c1_connector.settings import Settings

SERVICE = "/c1.connectorapi.baton.v1.BatonService/"
CALL_SECONDS = 30.0
#: C1 takes up to 1 MiB in a frame; its own connectors send this.
FRAME_BYTES = 512 * 1024
#: An upload has a minute, and another second for each of these bytes.
SLOWEST_BYTES_A_SECOND = 64 * 1024
MAX_SENTENCE = 1000
_OPTIONS = [
    ("grpc.primary_user_agent", f"ory-connector/{package_version()}"),
    # Without keep-alive a connection that a firewall has forgotten is found dead after a quarter of an hour only.
    # More often than every five minutes, servers take pings for abuse.
    ("grpc.keepalive_time_ms", 300_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]

Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Ending:
    """How a task ended: with an error, which may be final, or well, with the type of an empty message as answer."""

    error: ConnectorError | None = None
    non_retryable: bool = False
    response: str = ""


class Client:
    """One connector's conversation with C1. Safe for several threads."""

    def __init__(self, settings: Settings, tokens: TokenSource, hidden: Secrets) -> None:
        """Open the channel; it connects with the first call."""
        self._settings = settings
        self._tokens = tokens
        self.hidden = hidden
        roots = grpc.ssl_channel_credentials(Path(settings.ca_bundle).read_bytes())
        self._channel = grpc.secure_channel(settings.api_host, roots, _OPTIONS)
        self._hello = self._method("Hello", pb.HelloResponse)
        self._get_task = self._method("GetTask", pb.GetTaskResponse)
        self._heartbeat = self._method("Heartbeat", pb.HeartbeatResponse)
        self._finish_task = self._method("FinishTask", pb.FinishTaskResponse)
        self._upload_asset = self._channel.stream_unary(
            f"{SERVICE}UploadAsset",
            request_serializer=pb.UploadAssetRequest.SerializeToString,
            response_deserializer=pb.UploadAssetResponse.FromString,
        )

    def close(self) -> None:
        """End all calls and the connection."""
        self._channel.close()

    # Each of these raises C1Error if C1 refuses or cannot be reached.

    def hello(self, task_id: str = "") -> None:
        """Say who we are; with a task id, in answer to C1's question."""
        self._call(lambda metadata: self._hello(hello(self._settings, task_id), CALL_SECONDS, metadata))

    def get_task(self, stopping: Cancellation) -> pb.GetTaskResponse:
        """Ask for work.

        Raises:
            CancelledError: if it was stopped meanwhile.
        """
        request = pb.GetTaskRequest(host_id=self._settings.host_id)
        response: pb.GetTaskResponse = self._call(
            lambda metadata: _result(self._get_task.future(request, CALL_SECONDS, metadata), stopping)
        )
        return response

    def heartbeat(self, task_id: str) -> pb.HeartbeatResponse:
        """Say that a task is being worked on."""
        request = pb.HeartbeatRequest(host_id=self._settings.host_id, task_id=task_id)
        response: pb.HeartbeatResponse = self._call(
            lambda metadata: self._heartbeat(request, CALL_SECONDS, metadata),
        )
        return response

    def upload(self, task_id: str, file: Path, cancellation: Cancellation) -> None:
        """Send a task's file: metadata, frames, and its checksum; while C1 is away, wait for it.

        Raises:
            CancelledError: if it was cancelled meanwhile; C1 then has no whole file.
        """
        deadline = 60 + file.stat().st_size / SLOWEST_BYTES_A_SECOND
        self._call(
            lambda metadata: _result(
                self._upload_asset.future(self._frames(task_id, file), deadline, metadata, wait_for_ready=True),
                cancellation,
            )
        )

    def finish(self, task_id: str, ending: Ending, seconds: float) -> None:
        """Say how a task ended."""
        request = pb.FinishTaskRequest(host_id=self._settings.host_id, task_id=task_id)
        if ending.error is None:
            request.success.SetInParent()
            if ending.response:
                request.success.response.type_url = ending.response
        else:
            request.status.code = ending.error.code
            request.status.message = self.hidden.hide(str(ending.error))[:MAX_SENTENCE]
            request.error.non_retryable = ending.non_retryable
            request.error.SetInParent()
        self._call(lambda metadata: self._finish_task(request, seconds, metadata))

    def _frames(self, task_id: str, file: Path) -> Iterator[pb.UploadAssetRequest]:
        head = pb.UploadAssetRequest.Metadata(host_id=self._settings.host_id, task_id=task_id)
        yield pb.UploadAssetRequest(metadata=head)
        checksum = hashlib.sha256()
        with file.open("rb") as source:
            while data := source.read(FRAME_BYTES):
                checksum.update(data)
                yield pb.UploadAssetRequest(data=pb.UploadAssetRequest.Data(data=data))
        yield pb.UploadAssetRequest(eof=pb.UploadAssetRequest.End(sha256_checksum=checksum.digest()))

    def _method(self, name: str, response: Any) -> Any:
        return self._channel.unary_unary(
            f"{SERVICE}{name}",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=response.FromString,
        )

    def _call(self, send: Callable[[Metadata], Any]) -> Any:
        """Send with a token, and once more with a new one if C1 refuses it."""
        authorization = self._tokens.authorization()
        try:
            return self._send(send, authorization)
        except C1Error as error:
            if error.code != UNAUTHENTICATED:
                raise
            self._tokens.refuse(authorization)
        return self._send(send, self._tokens.authorization())

    def _send(self, send: Callable[[Metadata], Any], authorization: str) -> Any:
        try:
            return send((("authorization", authorization),))
        except grpc.RpcError as error:
            code, words = error.code(), error.details() or "no details"
            # Cut afterwards: a part of a secret would not be found.
            msg = self.hidden.hide(f"C1 answered {code.name}: {words}")[:MAX_SENTENCE]
            # Its own text would repeat the metadata.
            raise C1Error(code.value[0], msg) from None


def _result(call: Any, cancellation: Cancellation) -> Any:
    """Wait for a call's answer, or end the call."""
    with cancellation.calling(call.cancel):
        try:
            return call.result()
        except (grpc.FutureCancelledError, grpc.RpcError):
            cancellation.check()
            raise
