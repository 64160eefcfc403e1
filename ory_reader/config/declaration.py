"""The settings as a JSON Schema: what `tap-ory --about` documents and the SDK validates."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from ory_reader.config.user_fields import FIELDS

#: The value of `credential_metadata` that tells of security keys which factor they are.
EXACT = "exact"

CONFIG_SCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "base_url",
        th.StringType,
        required=True,
        title="Base URL",
        description=(
            "Where the Ory Admin API is: https://{slug}.projects.oryapis.com/ for Ory Network, or the admin "
            "address of a self-hosted Ory Kratos, for example http://127.0.0.1:4434/. A path prefix is kept."
        ),
    ),
    th.Property(
        "api_token",
        th.StringType,
        secret=True,
        title="API token",
        description=(
            "A project API key (ory_pat_... or ory_apikey_...), sent as a Bearer token. Required for Ory Network. "
            "A workspace key (ory_wak_...) is not authorised for identities."
        ),
    ),
    th.Property(
        "http_headers",
        th.ObjectType(additional_properties=th.StringType),
        secret=True,
        default={},
        title="HTTP headers",
        description=(
            'What a gateway before the Admin API wants to see: {"X-Api-Key": "..."}, or {"Authorization": "Basic ..."} '
            "in place of api_token. Sent to base_url's host only."
        ),
    ),
    th.Property(
        "project_slug",
        th.StringType,
        title="Project slug",
        description="Shown in logs and progress. Never changes which host is contacted.",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=1000),
        default=500,
        title="Page size",
        description="Identities asked for in one request, 1 to 1000. The server may give fewer (Ory Network: 500).",
    ),
    th.Property(
        "concurrency",
        th.IntegerType(minimum=1, maximum=32),
        default=4,
        title="Concurrency",
        description=(
            "Readers at work at the same time, 1 to 32, each on its own range of identity ids. Servers with offset "
            "pagination (Kratos v1.0 and older) are read by one."
        ),
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0, maximum=86_400),
        default=60,
        title="Request timeout",
        description="Seconds to wait for a connection, and for each piece of an answer, up to a day.",
    ),
    th.Property(
        "ca_bundle",
        th.StringType,
        title="CA bundle",
        description="Path of a PEM file with the certificate authorities to trust, for a server with a private CA.",
    ),
    th.Property(
        "client_certificate",
        th.StringType,
        title="Client certificate",
        description=(
            "Path of a PEM file with the certificate to show to a server that wants one (mTLS): base_url's only."
        ),
    ),
    th.Property(
        "client_key",
        th.StringType,
        title="Client key",
        description="Path of a PEM file with its key, not encrypted, if it is not in client_certificate's file.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="The User-Agent header. Default: tap-ory/{version}.",
    ),
    th.Property(
        "public_url",
        th.StringType,
        title="Public URL",
        description=(
            "Where the identity schemas (/schemas) are, if not where base_url leads: the public address of a "
            "self-hosted Ory Kratos, for example http://127.0.0.1:4433/. The key is never sent to another host than "
            "base_url's."
        ),
    ),
    th.Property(
        "identity_schemas",
        th.BooleanType,
        default=True,
        title="Identity schemas",
        description=(
            "Whether the project's identity schemas are read. A run that cannot read them ends where they matter. Off "
            "says for good that there are none to be had: traits stay untyped, and users are read by well-known names "
            "of traits."
        ),
    ),
    th.Property(
        "credential_metadata",
        th.CustomType({"type": ["boolean", "string", "null"], "enum": [True, False, EXACT, None]}),
        default=False,
        title="Credential metadata",
        description=(
            "Also read which credentials each identity has: type, identifiers, version and times. Password hashes, "
            "secrets and tokens (a credential's config) are never asked for and dropped if they come. The value exact "
            "also asks for security keys (webauthn): only what they are tells which of them are a second factor. They "
            "are counted and dropped."
        ),
    ),
    th.Property(
        "code_mfa_enabled",
        th.BooleanType,
        default=False,
        title="Codes are a second factor",
        description=(
            "Whether the server takes a one-time code as a second factor (selfservice.methods.code.mfa_enabled), which "
            "the API does not tell. Then it counts as one for everybody whose code credential has an address. Needs "
            "credential_metadata."
        ),
    ),
    th.Property(
        "user_fields",
        th.ObjectType(additional_properties=th.CustomType({"type": ["string", "object"]})),
        default={},
        title="User fields",
        description=(
            'Which value of an identity a field of the users stream comes from, as a JSON pointer: {"employee_id": '
            '"/metadata_public/number"} for all, {"staff": {"username": "/traits/nick"}} for one identity schema. '
            f"Fields: {', '.join(FIELDS)}."
        ),
    ),
    th.Property(
        "account_types",
        th.ObjectType(additional_properties=th.StringType),
        default={},
        title="Account types",
        description=(
            'Whose accounts the identities of a schema are: {"robots": "service"}. One of human, service, system.'
        ),
    ),
    th.Property(
        "lookback_seconds",
        # A century: what is before it is no time.
        th.IntegerType(minimum=0, maximum=3_153_600_000),
        default=600,
        title="Look-back",
        description=(
            "With the replication method INCREMENTAL: seconds before the bookmark from which changes are sent again, "
            "for clocks that differ and for reads of replicas."
        ),
    ),
    th.Property(
        "resume_within",
        th.NumberType(minimum=0, maximum=87_600),
        default=24,
        title="Resume within",
        description=(
            "Hours within which a run goes on with a read that was interrupted, from the state; an older one is begun "
            "anew. 0: always begin anew. Servers with offset pagination always begin anew."
        ),
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=True,
        title="Emit ACTIVATE_VERSION messages",
        description=(
            "Send ACTIVATE_VERSION once, after the last record of a complete full-table read, so that targets can "
            "remove what no longer exists."
        ),
    ),
).to_dict()
