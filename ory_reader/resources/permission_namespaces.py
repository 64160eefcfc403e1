"""The namespaces of Ory Keto, in which its relation tuples are: names only, all in one page, in random order."""

from __future__ import annotations

from ory_reader.config.services import KETO
from ory_reader.pagination.paginators import Unpaged
from ory_reader.resources.resource import Resource

PERMISSION_NAMESPACES = Resource(
    name="permission_namespaces",
    service=KETO,
    path="/namespaces",
    paginators=(Unpaged("namespaces"),),
    bucket="keto-admin-medium",
    key=("name",),
)
