"""C1's protobuf messages, decoded again: what `--inspect` and readers in Python need of a resource and its type.

The counterpart of `messages`. Knows nothing of SQLite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from google.protobuf.struct_pb2 import Struct

from target_c1 import c1_pb2 as pb
from target_c1.messages import USER_TRAIT_URL
from target_c1.users import STATUS_NAMES

if TYPE_CHECKING:
    from google.protobuf.message import Message

M = TypeVar("M", bound="Message")


@dataclass(frozen=True)
class DecodedUser:
    """A `Resource` with its `UserTrait`."""

    resource: pb.Resource
    trait: pb.UserTrait

    @property
    def id(self) -> str:
        """The id, without the resource's type."""
        return self.resource.id.resource

    @property
    def profile(self) -> dict[str, Any]:
        """The resource's profile as JSON values."""
        return json_format.MessageToDict(_parsed(Struct(), self.resource.profile))

    @property
    def differing(self) -> list[str]:
        """The names of the values that both messages carry, and not alike."""
        resource, trait = self.resource, self.trait
        same_profile = resource.profile == trait.profile or (
            _parsed(Struct(), resource.profile) == _parsed(Struct(), trait.profile)
        )
        alike = {
            "status": resource.status == trait.status,
            "profile": same_profile,
            "created_at": resource.created_at == trait.created_at,
        }
        return [name for name, is_same in alike.items() if not is_same]


def decode_resource_type(data: bytes) -> pb.ResourceType:
    """Return the message `data`.

    Raises:
        ValueError: if it is none.
    """
    return _parsed(pb.ResourceType(), data)


def decode_resource(data: bytes) -> DecodedUser:
    """Return the message `data`.

    Raises:
        ValueError: if it is none, or has no user trait.
    """
    resource = _parsed(pb.Resource(), data)
    for annotation in resource.annotations:
        if annotation.type_url == USER_TRAIT_URL:
            if resource.status.status >= len(STATUS_NAMES):
                msg = f"status {resource.status.status} is none of C1's"
                raise ValueError(msg)
            return DecodedUser(resource, _parsed(pb.UserTrait(), annotation.value))
    msg = "it has no user trait"
    raise ValueError(msg)


def _parsed(message: M, data: bytes) -> M:
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        msg = f"it is no {message.DESCRIPTOR.name}"
        raise ValueError(msg) from error
    return message
