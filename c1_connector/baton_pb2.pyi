import datetime

from google.protobuf import any_pb2 as _any_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ResourceType(_message.Message):
    __slots__ = ("id", "display_name", "traits", "annotations")
    ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    TRAITS_FIELD_NUMBER: _ClassVar[int]
    ANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    id: str
    display_name: str
    traits: _containers.RepeatedScalarFieldContainer[int]
    annotations: _containers.RepeatedCompositeFieldContainer[_any_pb2.Any]
    def __init__(self, id: _Optional[str] = ..., display_name: _Optional[str] = ..., traits: _Optional[_Iterable[int]] = ..., annotations: _Optional[_Iterable[_Union[_any_pb2.Any, _Mapping]]] = ...) -> None: ...

class Empty(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ResourceTypeCapability(_message.Message):
    __slots__ = ("resource_type", "capabilities", "permissions")
    RESOURCE_TYPE_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    resource_type: ResourceType
    capabilities: _containers.RepeatedScalarFieldContainer[int]
    permissions: Empty
    def __init__(self, resource_type: _Optional[_Union[ResourceType, _Mapping]] = ..., capabilities: _Optional[_Iterable[int]] = ..., permissions: _Optional[_Union[Empty, _Mapping]] = ...) -> None: ...

class ConnectorCapabilities(_message.Message):
    __slots__ = ("resource_type_capabilities", "connector_capabilities", "credential_details")
    RESOURCE_TYPE_CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    CONNECTOR_CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_DETAILS_FIELD_NUMBER: _ClassVar[int]
    resource_type_capabilities: _containers.RepeatedCompositeFieldContainer[ResourceTypeCapability]
    connector_capabilities: _containers.RepeatedScalarFieldContainer[int]
    credential_details: Empty
    def __init__(self, resource_type_capabilities: _Optional[_Iterable[_Union[ResourceTypeCapability, _Mapping]]] = ..., connector_capabilities: _Optional[_Iterable[int]] = ..., credential_details: _Optional[_Union[Empty, _Mapping]] = ...) -> None: ...

class ConnectorMetadata(_message.Message):
    __slots__ = ("display_name", "description", "capabilities")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    description: str
    capabilities: ConnectorCapabilities
    def __init__(self, display_name: _Optional[str] = ..., description: _Optional[str] = ..., capabilities: _Optional[_Union[ConnectorCapabilities, _Mapping]] = ...) -> None: ...

class BuildInfo(_message.Message):
    __slots__ = ("lang_version", "package", "package_version")
    LANG_VERSION_FIELD_NUMBER: _ClassVar[int]
    PACKAGE_FIELD_NUMBER: _ClassVar[int]
    PACKAGE_VERSION_FIELD_NUMBER: _ClassVar[int]
    lang_version: str
    package: str
    package_version: str
    def __init__(self, lang_version: _Optional[str] = ..., package: _Optional[str] = ..., package_version: _Optional[str] = ...) -> None: ...

class OSInfo(_message.Message):
    __slots__ = ("hostname", "os", "platform", "platform_version", "platform_family", "kernel_version", "kernel_arch", "virtualization_system")
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    OS_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_VERSION_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FAMILY_FIELD_NUMBER: _ClassVar[int]
    KERNEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    KERNEL_ARCH_FIELD_NUMBER: _ClassVar[int]
    VIRTUALIZATION_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    hostname: str
    os: str
    platform: str
    platform_version: str
    platform_family: str
    kernel_version: str
    kernel_arch: str
    virtualization_system: str
    def __init__(self, hostname: _Optional[str] = ..., os: _Optional[str] = ..., platform: _Optional[str] = ..., platform_version: _Optional[str] = ..., platform_family: _Optional[str] = ..., kernel_version: _Optional[str] = ..., kernel_arch: _Optional[str] = ..., virtualization_system: _Optional[str] = ...) -> None: ...

class HelloRequest(_message.Message):
    __slots__ = ("host_id", "task_id", "build_info", "os_info", "connector_metadata")
    HOST_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    BUILD_INFO_FIELD_NUMBER: _ClassVar[int]
    OS_INFO_FIELD_NUMBER: _ClassVar[int]
    CONNECTOR_METADATA_FIELD_NUMBER: _ClassVar[int]
    host_id: str
    task_id: str
    build_info: BuildInfo
    os_info: OSInfo
    connector_metadata: ConnectorMetadata
    def __init__(self, host_id: _Optional[str] = ..., task_id: _Optional[str] = ..., build_info: _Optional[_Union[BuildInfo, _Mapping]] = ..., os_info: _Optional[_Union[OSInfo, _Mapping]] = ..., connector_metadata: _Optional[_Union[ConnectorMetadata, _Mapping]] = ...) -> None: ...

class HelloResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ResourceId(_message.Message):
    __slots__ = ("resource_type", "resource")
    RESOURCE_TYPE_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    resource_type: str
    resource: str
    def __init__(self, resource_type: _Optional[str] = ..., resource: _Optional[str] = ...) -> None: ...

class Resource(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: ResourceId
    def __init__(self, id: _Optional[_Union[ResourceId, _Mapping]] = ...) -> None: ...

class SyncFullTask(_message.Message):
    __slots__ = ("skip_entitlements_and_grants", "targeted_sync_resources", "sync_resource_type_ids")
    SKIP_ENTITLEMENTS_AND_GRANTS_FIELD_NUMBER: _ClassVar[int]
    TARGETED_SYNC_RESOURCES_FIELD_NUMBER: _ClassVar[int]
    SYNC_RESOURCE_TYPE_IDS_FIELD_NUMBER: _ClassVar[int]
    skip_entitlements_and_grants: bool
    targeted_sync_resources: _containers.RepeatedCompositeFieldContainer[Resource]
    sync_resource_type_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, skip_entitlements_and_grants: _Optional[bool] = ..., targeted_sync_resources: _Optional[_Iterable[_Union[Resource, _Mapping]]] = ..., sync_resource_type_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class Task(_message.Message):
    __slots__ = ("id", "debug", "none", "hello", "sync_full", "grant", "revoke", "create_account", "create_resource", "delete_resource", "rotate_credentials", "event_feed", "list_ticket_schemas", "action_list_schemas", "action_invoke", "list_event_feeds", "list_events", "issue_credential")
    ID_FIELD_NUMBER: _ClassVar[int]
    DEBUG_FIELD_NUMBER: _ClassVar[int]
    NONE_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    SYNC_FULL_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    REVOKE_FIELD_NUMBER: _ClassVar[int]
    CREATE_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CREATE_RESOURCE_FIELD_NUMBER: _ClassVar[int]
    DELETE_RESOURCE_FIELD_NUMBER: _ClassVar[int]
    ROTATE_CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    EVENT_FEED_FIELD_NUMBER: _ClassVar[int]
    LIST_TICKET_SCHEMAS_FIELD_NUMBER: _ClassVar[int]
    ACTION_LIST_SCHEMAS_FIELD_NUMBER: _ClassVar[int]
    ACTION_INVOKE_FIELD_NUMBER: _ClassVar[int]
    LIST_EVENT_FEEDS_FIELD_NUMBER: _ClassVar[int]
    LIST_EVENTS_FIELD_NUMBER: _ClassVar[int]
    ISSUE_CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    id: str
    debug: bool
    none: Empty
    hello: Empty
    sync_full: SyncFullTask
    grant: Empty
    revoke: Empty
    create_account: Empty
    create_resource: Empty
    delete_resource: Empty
    rotate_credentials: Empty
    event_feed: Empty
    list_ticket_schemas: Empty
    action_list_schemas: Empty
    action_invoke: Empty
    list_event_feeds: Empty
    list_events: Empty
    issue_credential: Empty
    def __init__(self, id: _Optional[str] = ..., debug: _Optional[bool] = ..., none: _Optional[_Union[Empty, _Mapping]] = ..., hello: _Optional[_Union[Empty, _Mapping]] = ..., sync_full: _Optional[_Union[SyncFullTask, _Mapping]] = ..., grant: _Optional[_Union[Empty, _Mapping]] = ..., revoke: _Optional[_Union[Empty, _Mapping]] = ..., create_account: _Optional[_Union[Empty, _Mapping]] = ..., create_resource: _Optional[_Union[Empty, _Mapping]] = ..., delete_resource: _Optional[_Union[Empty, _Mapping]] = ..., rotate_credentials: _Optional[_Union[Empty, _Mapping]] = ..., event_feed: _Optional[_Union[Empty, _Mapping]] = ..., list_ticket_schemas: _Optional[_Union[Empty, _Mapping]] = ..., action_list_schemas: _Optional[_Union[Empty, _Mapping]] = ..., action_invoke: _Optional[_Union[Empty, _Mapping]] = ..., list_event_feeds: _Optional[_Union[Empty, _Mapping]] = ..., list_events: _Optional[_Union[Empty, _Mapping]] = ..., issue_credential: _Optional[_Union[Empty, _Mapping]] = ...) -> None: ...

class GetTaskRequest(_message.Message):
    __slots__ = ("host_id",)
    HOST_ID_FIELD_NUMBER: _ClassVar[int]
    host_id: str
    def __init__(self, host_id: _Optional[str] = ...) -> None: ...

class GetTaskResponse(_message.Message):
    __slots__ = ("task", "next_poll")
    TASK_FIELD_NUMBER: _ClassVar[int]
    NEXT_POLL_FIELD_NUMBER: _ClassVar[int]
    task: Task
    next_poll: _duration_pb2.Duration
    def __init__(self, task: _Optional[_Union[Task, _Mapping]] = ..., next_poll: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class GetTasksRequest(_message.Message):
    __slots__ = ("host_id", "page_size", "known_task_ids")
    HOST_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    KNOWN_TASK_IDS_FIELD_NUMBER: _ClassVar[int]
    host_id: str
    page_size: int
    known_task_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, host_id: _Optional[str] = ..., page_size: _Optional[int] = ..., known_task_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class GetTasksResponse(_message.Message):
    __slots__ = ("tasks", "next_poll")
    TASKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_POLL_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[Task]
    next_poll: _duration_pb2.Duration
    def __init__(self, tasks: _Optional[_Iterable[_Union[Task, _Mapping]]] = ..., next_poll: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class HeartbeatRequest(_message.Message):
    __slots__ = ("host_id", "task_id")
    HOST_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    host_id: str
    task_id: str
    def __init__(self, host_id: _Optional[str] = ..., task_id: _Optional[str] = ...) -> None: ...

class HeartbeatResponse(_message.Message):
    __slots__ = ("next_heartbeat", "cancelled")
    NEXT_HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    next_heartbeat: _duration_pb2.Duration
    cancelled: bool
    def __init__(self, next_heartbeat: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., cancelled: _Optional[bool] = ...) -> None: ...

class UploadAssetRequest(_message.Message):
    __slots__ = ("metadata", "data", "eof")
    class Metadata(_message.Message):
        __slots__ = ("host_id", "task_id")
        HOST_ID_FIELD_NUMBER: _ClassVar[int]
        TASK_ID_FIELD_NUMBER: _ClassVar[int]
        host_id: str
        task_id: str
        def __init__(self, host_id: _Optional[str] = ..., task_id: _Optional[str] = ...) -> None: ...
    class Data(_message.Message):
        __slots__ = ("data",)
        DATA_FIELD_NUMBER: _ClassVar[int]
        data: bytes
        def __init__(self, data: _Optional[bytes] = ...) -> None: ...
    class End(_message.Message):
        __slots__ = ("sha256_checksum",)
        SHA256_CHECKSUM_FIELD_NUMBER: _ClassVar[int]
        sha256_checksum: bytes
        def __init__(self, sha256_checksum: _Optional[bytes] = ...) -> None: ...
    METADATA_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    EOF_FIELD_NUMBER: _ClassVar[int]
    metadata: UploadAssetRequest.Metadata
    data: UploadAssetRequest.Data
    eof: UploadAssetRequest.End
    def __init__(self, metadata: _Optional[_Union[UploadAssetRequest.Metadata, _Mapping]] = ..., data: _Optional[_Union[UploadAssetRequest.Data, _Mapping]] = ..., eof: _Optional[_Union[UploadAssetRequest.End, _Mapping]] = ...) -> None: ...

class UploadAssetResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Status(_message.Message):
    __slots__ = ("code", "message")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ...) -> None: ...

class FinishTaskRequest(_message.Message):
    __slots__ = ("host_id", "task_id", "status", "error", "success")
    class Error(_message.Message):
        __slots__ = ("non_retryable",)
        NON_RETRYABLE_FIELD_NUMBER: _ClassVar[int]
        non_retryable: bool
        def __init__(self, non_retryable: _Optional[bool] = ...) -> None: ...
    class Success(_message.Message):
        __slots__ = ("response",)
        RESPONSE_FIELD_NUMBER: _ClassVar[int]
        response: _any_pb2.Any
        def __init__(self, response: _Optional[_Union[_any_pb2.Any, _Mapping]] = ...) -> None: ...
    HOST_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    host_id: str
    task_id: str
    status: Status
    error: FinishTaskRequest.Error
    success: FinishTaskRequest.Success
    def __init__(self, host_id: _Optional[str] = ..., task_id: _Optional[str] = ..., status: _Optional[_Union[Status, _Mapping]] = ..., error: _Optional[_Union[FinishTaskRequest.Error, _Mapping]] = ..., success: _Optional[_Union[FinishTaskRequest.Success, _Mapping]] = ...) -> None: ...

class FinishTaskResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
