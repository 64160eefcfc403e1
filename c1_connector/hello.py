"""What the connector tells C1 of itself: the program, the machine, and that it syncs users.

Knows the messages, nothing of when they are sent.
"""

from __future__ import annotations

import platform
import socket
from importlib import metadata
from typing import TYPE_CHECKING

from c1_connector import baton_pb2 as pb
from target_c1.messages import encode_resource_type

if TYPE_CHECKING:
    from c1_connector.settings import Settings

PACKAGE = "tap-ory"
#: CAPABILITY_SYNC in C1's enumeration.
CAPABILITY_SYNC = 2
MAX_BYTES = 256


def package_version() -> str:
    """Return the version that is installed."""
    return metadata.version(PACKAGE)


def hello(settings: Settings, task_id: str = "") -> pb.HelloRequest:
    """Return the greeting; `task_id` if C1 has asked for it."""
    users = pb.ResourceType.FromString(encode_resource_type("User"))
    sync = [CAPABILITY_SYNC]
    return pb.HelloRequest(
        host_id=settings.host_id,
        task_id=task_id,
        build_info=pb.BuildInfo(
            lang_version=f"Python {platform.python_version()}", package=PACKAGE, package_version=package_version()
        ),
        os_info=_os_info(),
        connector_metadata=pb.ConnectorMetadata(
            display_name="Ory",
            description="The identities of an Ory project (Ory Network or self-hosted Ory Kratos) as users.",
            capabilities=pb.ConnectorCapabilities(
                resource_type_capabilities=[
                    pb.ResourceTypeCapability(resource_type=users, capabilities=sync, permissions=pb.Empty())
                ],
                connector_capabilities=sync,
                credential_details=pb.Empty(),
            ),
        ),
    )


def _os_info() -> pb.OSInfo:
    system = platform.uname()
    return pb.OSInfo(
        hostname=_told(socket.gethostname()),
        os=_told(system.system.lower()),
        platform=_told(system.system.lower()),
        platform_version=_told(system.version),
        platform_family=_told(system.system.lower()),
        kernel_version=_told(system.release),
        kernel_arch=_told(system.machine),
        virtualization_system="none",
    )


def _told(value: str) -> str:
    """C1 takes no empty field, and no long one."""
    return value.encode()[:MAX_BYTES].decode(errors="ignore") or "unknown"
