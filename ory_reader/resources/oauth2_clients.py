"""The clients of Ory Hydra: which machines and applications may ask for tokens, and how."""

from __future__ import annotations

from ory_reader.config.services import HYDRA
from ory_reader.pagination.paginators import ENCRYPTED, OFFSET
from ory_reader.resources.resource import Resource

OAUTH2_CLIENTS = Resource(
    name="oauth2_clients",
    service=HYDRA,
    path="/admin/clients",
    paginators=(OFFSET, ENCRYPTED),
    bucket="hydra-admin-medium",
    key=("client_id",),
    # No list has been seen to hold a secret, but answers to who makes a client do, under these names.
    withheld=frozenset({"/client_secret", "/registration_access_token", "/registration_client_uri", "/jwks"}),
)
