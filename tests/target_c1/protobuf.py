"""C1's messages as Google's own library knows them, from the text of `c1.proto`: what ours are compared with."""

import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, json_format, message_factory

from target_c1.users import User

HERE = Path(__file__).parent


@cache
def messages() -> dict[str, Any]:
    """The message classes of `c1.proto`, by full name."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory, "c1.bin")
        compiler = [sys.executable, "-W", "ignore", "-m", "grpc_tools.protoc", f"-I{HERE}", "--include_imports"]
        subprocess.run([*compiler, f"--descriptor_set_out={out}", "c1.proto"], check=True, timeout=60)
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    return dict(message_factory.GetMessages(files.file))


def new(name: str) -> Any:
    return messages()[f"c1.connector.v2.{name}"]()


def assert_same(data: bytes, expected: Any) -> None:
    """Compare bytes with a `Resource`: all but the order of a profile's keys, which the library leaves open."""
    found = new("Resource").FromString(data)
    assert len(data) == len(expected.SerializeToString())
    assert user_trait(found) == user_trait(expected)
    found.annotations[0].value = expected.annotations[0].value
    assert found == expected


def user_trait(resource: Any) -> Any:
    """The trait among a resource's annotations."""
    trait = new("UserTrait")
    assert resource.annotations[0].Unpack(trait)
    return trait


def profile_of(message: Any) -> Any:
    """A message's profile as JSON."""
    return json_format.MessageToDict(message.profile)


def resource_of(user: User) -> Any:
    """The `Resource` that a user should be, put together by Google's library from a description of C1's table."""
    trait = new("UserTrait")
    for number, address in enumerate(user.emails):
        trait.emails.add(address=address, is_primary=number == 0)
    trait.status.SetInParent()
    trait.status.status = user.status
    trait.status.details = user.status_details or ""
    trait.profile.SetInParent()
    trait.profile.update(user.profile)
    trait.account_type = user.account_type
    trait.login = user.login or ""
    trait.login_aliases.extend(user.login_aliases)
    trait.employee_ids.extend(user.employee_ids)
    if user.created_at:
        trait.created_at.SetInParent()
        trait.created_at.seconds, trait.created_at.nanos = user.created_at
    if user.last_login:
        trait.last_login.SetInParent()
        trait.last_login.seconds, trait.last_login.nanos = user.last_login
    if user.mfa_enabled is not None:
        trait.mfa_status.SetInParent()
        trait.mfa_status.mfa_enabled = user.mfa_enabled
    if user.sso_enabled is not None:
        trait.sso_status.SetInParent()
        trait.sso_status.sso_enabled = user.sso_enabled
    if user.first_name or user.last_name:
        trait.structured_name.given_name = user.first_name or ""
        trait.structured_name.family_name = user.last_name or ""
    resource = new("Resource")
    resource.id.resource_type = "user"
    resource.id.resource = user.id
    resource.display_name = user.display_name
    resource.annotations.add().Pack(trait, deterministic=True)
    resource.profile.CopyFrom(trait.profile)
    resource.status.SetInParent()
    resource.status.status = trait.status.status
    resource.status.details = trait.status.details
    if user.created_at:
        resource.created_at.CopyFrom(trait.created_at)
    return resource
