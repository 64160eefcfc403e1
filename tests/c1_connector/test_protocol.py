"""Our own .proto: compiled as it stands, and with C1's names and numbers."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from c1_connector import baton_pb2 as pb
from c1_connector.client import SERVICE

ROOT = Path(__file__).parents[2]

#: Messages and their fields as C1's connectors have them on the wire.
FIELDS = {
    "HelloRequest": "host_id=1 task_id=2 build_info=3 os_info=4 connector_metadata=5",
    "BuildInfo": "lang_version=1 package=2 package_version=3",
    "OSInfo": "hostname=1 os=2 platform=3 platform_version=4 platform_family=5 kernel_version=6 kernel_arch=7 "
    "virtualization_system=8",
    "ConnectorMetadata": "display_name=1 description=7 capabilities=8",
    "ConnectorCapabilities": "resource_type_capabilities=1 connector_capabilities=2 credential_details=3",
    "ResourceTypeCapability": "resource_type=1 capabilities=2 permissions=3",
    "ResourceType": "id=1 display_name=2 traits=3 annotations=4",
    "GetTaskRequest": "host_id=1",
    "GetTaskResponse": "task=1 next_poll=2",
    "GetTasksRequest": "host_id=1 page_size=2 known_task_ids=3",
    "GetTasksResponse": "tasks=1 next_poll=2",
    "Task": "id=1 debug=3 none=100 hello=101 sync_full=102 grant=103 revoke=104 create_account=105 create_resource=106 "
    "delete_resource=107 rotate_credentials=108 event_feed=109 list_ticket_schemas=111 action_list_schemas=115 "
    "action_invoke=117 list_event_feeds=121 list_events=122 issue_credential=123",
    "SyncFullTask": "skip_entitlements_and_grants=3 targeted_sync_resources=4 sync_resource_type_ids=5",
    "Resource": "id=1",
    "ResourceId": "resource_type=1 resource=2",
    "HeartbeatRequest": "host_id=1 task_id=2",
    "HeartbeatResponse": "next_heartbeat=1 cancelled=2",
    "UploadAssetRequest": "metadata=100 data=101 eof=102",
    "UploadAssetRequest.Metadata": "host_id=1 task_id=2",
    "UploadAssetRequest.Data": "data=1",
    "UploadAssetRequest.End": "sha256_checksum=1",
    "FinishTaskRequest": "host_id=1 task_id=2 status=3 error=100 success=101",
    "FinishTaskRequest.Error": "non_retryable=1",
    "FinishTaskRequest.Success": "response=2",
    "Status": "code=1 message=2",
}


@pytest.mark.parametrize("name", FIELDS)
def test_fields_have_the_numbers_of_c1(name: str) -> None:
    message = pb
    for part in name.split("."):
        message = getattr(message, part)
    found = {field.name: field.number for field in message.DESCRIPTOR.fields}  # type: ignore[attr-defined]
    assert found == {each.partition("=")[0]: int(each.partition("=")[2]) for each in FIELDS[name].split()}


def test_the_service_has_the_name_of_c1() -> None:
    assert SERVICE == "/c1.connectorapi.baton.v1.BatonService/"


def test_bytes_on_the_wire() -> None:
    finish = pb.FinishTaskRequest(host_id="h", task_id="t", status=pb.Status(code=12, message="no"))
    finish.error.non_retryable = True
    assert finish.SerializeToString().hex(" ") == "0a 01 68 12 01 74 1a 06 08 0c 12 02 6e 6f a2 06 02 08 01"
    end = pb.UploadAssetRequest(eof=pb.UploadAssetRequest.End(sha256_checksum=b"\x01\x02"))
    assert end.SerializeToString().hex(" ") == "b2 06 04 0a 02 01 02"


def test_the_protobuf_that_is_required_can_load_the_module() -> None:
    modules = [ROOT / "c1_connector" / "baton_pb2.py", ROOT / "target_c1" / "c1_pb2.py"]
    made_by = {re.findall(r"^# Protobuf Python Version: (\S+)$", each.read_text(), re.MULTILINE)[0] for each in modules}
    required = re.findall(r'^  "protobuf>=(\S+)",$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert len(required) == len(modules)
    assert made_by == set(required)


@pytest.mark.parametrize("name", ["c1_connector/baton", "target_c1/c1"])
def test_generated_modules_are_up_to_date(name: str, tmp_path: Path) -> None:
    proto = ROOT / f"{name}.proto"
    (command,) = [line for line in proto.read_text().splitlines() if "grpc_tools.protoc" in line]
    arguments = command.partition("python ")[2].split()
    outputs = [each.replace("_out=.", f"_out={tmp_path}") for each in arguments]
    subprocess.run([sys.executable, "-W", "ignore", *outputs], cwd=ROOT, check=True, timeout=60)
    for suffix in ("py", "pyi"):
        made = f"{name}_pb2.{suffix}"
        assert (tmp_path / made).read_text() == (ROOT / made).read_text(), f"{made}: run {command}"
