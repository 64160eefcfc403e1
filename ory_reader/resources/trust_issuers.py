"""Who outside may mint tokens for Ory Hydra: the issuers that it trusts for the JWT bearer grant."""

from __future__ import annotations

from ory_reader.config.services import HYDRA
from ory_reader.pagination.paginators import ENCRYPTED, OFFSET
from ory_reader.resources.resource import Resource

TRUST_ISSUERS = Resource(
    name="trust_issuers",
    service=HYDRA,
    path="/admin/trust/grants/jwt-bearer/issuers",
    paginators=(OFFSET, ENCRYPTED),
    bucket="hydra-admin-medium",
    key=("id",),
)
