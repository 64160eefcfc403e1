"""The settings, declared once: what `--about` and forms show, what is validated, and the fields of `Settings`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from command_basics.declared import marked, schema_of, setting
from ory_reader.config.access import AccessDeclaration
from ory_reader.config.user_fields import FIELDS, Pointer

#: The value of `credential_metadata` that tells of security keys which factor they are.
EXACT = "exact"
TEXTS = {"additionalProperties": {"type": ["string"]}}
SERVER = "How the server is spoken to, and trusted: it answers the same."
ELSEWHERE = "Where other lists are. The snapshot of a read of one holds a hash of it apart, as of base_url."
REQUESTS = "Into how many requests the ids are cut, and how many are under way."


# Nobody makes one, or the whole: without methods they take 10 ms less to import.
@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class ReadDeclaration:
    """The settings of a read by name; `examples` are for forms of text.

    With `reaches_no_record` goes the reason. Every other setting decides what records are like, and so does a new one.
    """

    base_url: str = setting(
        "Base URL",
        "Where the Ory Admin API is: https://{slug}.projects.oryapis.com/ for Ory Network, or the admin "
        "address of a self-hosted Ory Kratos, for example http://127.0.0.1:4434/. A path prefix is kept.",
        required=True,
        examples=["https://your-slug.projects.oryapis.com/", "http://kratos-admin:4434/"],
        reaches_no_record=(
            "Where the people are. The snapshot holds a hash of it apart, to say so in words of its own."
        ),
    )
    api_token: str | None = setting(
        "API token",
        "A project API key (ory_pat_... or ory_apikey_...), sent as a Bearer token. Required for Ory Network. "
        "A workspace key (ory_wak_...) is not authorised for identities.",
        secret=True,
        examples=["ory_pat_..."],
        reaches_no_record=(
            "Opens the door. A key that was turned away is what interrupts reads, and another one goes on with them."
        ),
    )
    http_headers: Mapping[str, str] = setting(
        "HTTP headers",
        'What a gateway before the Admin API wants to see: {"X-Api-Key": "..."}, or {"Authorization": "Basic ..."} '
        "in place of api_token. Sent to base_url's host only.",
        default={},
        schema=TEXTS,
        secret=True,
        examples=['{"X-Api-Key": "..."}'],
    )
    oauth2_url: str | None = setting(
        "OAuth2 URL",
        "Where the admin API of Ory Hydra is, for its streams: the admin address of a self-hosted one, for example "
        "http://127.0.0.1:4445/. On Ory Network it is base_url.",
        examples=["http://hydra-admin:4445/"],
        reaches_no_record=ELSEWHERE,
    )
    oauth2_token: str | None = setting(
        "OAuth2 token",
        "A key for oauth2_url, where it wants another than base_url. Sent as a Bearer token, there only.",
        secret=True,
        examples=["ory_pat_..."],
    )
    permissions_url: str | None = setting(
        "Permissions URL",
        "Where the read API of Ory Keto is, for its streams: the read address of a self-hosted one, for example "
        "http://127.0.0.1:4466/. On Ory Network it is base_url.",
        examples=["http://keto-read:4466/"],
        reaches_no_record=ELSEWHERE,
    )
    permissions_token: str | None = setting(
        "Permissions token",
        "A key for permissions_url, where it wants another than base_url. Sent as a Bearer token, there only.",
        secret=True,
        examples=["ory_pat_..."],
    )
    console_url: str = setting(
        "Console URL",
        "Where the API of the Ory Console is, which lists organizations.",
        default="https://api.console.ory.com",
        reaches_no_record=ELSEWHERE,
    )
    console_token: str | None = setting(
        "Console token",
        "A workspace API key (ory_wak_...), with which the stream organizations is read from the Ory Console. Without "
        "it organizations are the ids that identities name. Sent as a Bearer token, to console_url only.",
        secret=True,
        examples=["ory_wak_..."],
    )
    project_id: str | None = setting(
        "Project id",
        "The id of the project in the Ory Console, for console_token.",
        examples=["7a1e2c3d-0000-4000-8000-00000000cafe"],
    )
    project_slug: str | None = setting(
        "Project slug",
        "Shown in logs and progress. Never changes which host is contacted.",
        examples=["your-slug"],
    )
    page_size: int = setting(
        "Page size",
        "Identities asked for in one request, 1 to 1000. The server may give fewer (Ory Network: 500).",
        default=500,
        schema={"minimum": 1, "maximum": 1000},
        reaches_no_record=REQUESTS,
    )
    concurrency: int = setting(
        "Concurrency",
        "Readers at work at the same time, 1 to 32, each on its own range of identity ids. Servers with offset "
        "pagination (Kratos v1.0 and older) are read by one.",
        default=4,
        schema={"minimum": 1, "maximum": 32},
        reaches_no_record=REQUESTS,
    )
    request_timeout: float = setting(
        "Request timeout",
        "Seconds to wait for a connection, and for each piece of an answer, up to a day.",
        default=60,
        schema={"maximum": 86_400, "exclusiveMinimum": 0},
        reaches_no_record=SERVER,
    )
    ca_bundle: str | None = setting(
        "CA bundle",
        "Path of a PEM file with the certificate authorities to trust, for a server with a private CA.",
        examples=["/secrets/ca.pem"],
        file=True,
        reaches_no_record=SERVER,
    )
    client_certificate: str | None = setting(
        "Client certificate",
        "Path of a PEM file with the certificate to show to a server that wants one (mTLS): base_url's only.",
        examples=["/secrets/client.pem"],
        file=True,
        reaches_no_record=SERVER,
    )
    client_key: str | None = setting(
        "Client key",
        "Path of a PEM file with its key, not encrypted, if it is not in client_certificate's file.",
        examples=["/secrets/client-key.pem"],
        file=True,
        reaches_no_record=SERVER,
    )
    user_agent: str = setting(
        "User agent",
        "The User-Agent header. Default: tap-ory/{version}.",
        default="",
        examples=["airbyte (team@example.com)"],
        reaches_no_record=SERVER,
    )
    public_url: str | None = setting(
        "Public URL",
        "Where the identity schemas (/schemas) are, if not where base_url leads: the public address of a "
        "self-hosted Ory Kratos, for example http://127.0.0.1:4433/. The key is never sent to another host than "
        "base_url's.",
        examples=["http://kratos-public:4433/"],
    )
    identity_schemas: bool = setting(
        "Identity schemas",
        "Whether the project's identity schemas are read. A run that cannot read them ends where they matter. Off "
        "says for good that there are none to be had: traits stay untyped, and users are read by well-known names "
        "of traits.",
        default=True,
    )
    credential_metadata: bool | str = setting(
        "Credential metadata",
        "Also read which credentials each identity has: type, identifiers, version and times. Password hashes, "
        "secrets and tokens (a credential's config) are never asked for and dropped if they come. The value exact "
        "also asks for security keys (webauthn): only what they are tells which of them are a second factor. They "
        "are counted and dropped.",
        default=False,
        schema={"type": ["boolean", "string", "null"], "enum": [True, False, EXACT, None]},
    )
    last_login: str | bool | int = setting(
        "Last login",
        "For the stream users: also read when each last signed in, from all sessions (true), or from those that can "
        "tell of so many of the last days (a number). One more read, of the sessions.",
        default=False,
        schema={"type": ["string", "boolean", "integer", "null"], "maxLength": 20},
        adds_fields=True,
    )
    session_lifetime: int = setting(
        "Session lifetime",
        "With last_login as a number: days from the first sign-in of a session to its last refresh, at most. Sessions "
        "are read that much further back.",
        default=365,
        schema={"minimum": 1, "maximum": 36_500},
    )
    session_devices: bool = setting(
        "Devices of sessions",
        "For the stream sessions: also read from which IP addresses, with which browsers and from which places.",
        default=False,
        adds_fields=True,
    )
    code_mfa_enabled: bool = setting(
        "Codes are a second factor",
        "Whether the server takes a one-time code as a second factor (selfservice.methods.code.mfa_enabled), which "
        "the API does not tell. Then it counts as one for everybody whose code credential has an address. Needs "
        "credential_metadata.",
        default=False,
    )
    client_metadata: bool = setting(
        "Client metadata",
        "For the stream oauth2_clients: whether each record has the client's metadata, which is any JSON.",
        default=False,
        adds_fields=True,
    )
    profile_metadata: bool = setting(
        "Metadata in the profile",
        "For the stream users: whether profile also holds metadata_public, beside the traits, where that is an object.",
        default=False,
        adds_fields=True,
    )
    consent_subjects: Sequence[str] | None = setting(
        "Consent subjects",
        'For the stream consents: whose are read, with a request each, as ["4b13af4d-..."]. If unset, those of all who '
        "have sessions.",
        schema={"items": {"type": ["string"], "minLength": 1}},
        examples=['["4b13af4d-dd22-4581-b50e-6014196ce19f"]'],
    )
    namespaces: Sequence[str] | None = setting(
        "Namespaces",
        'For the stream relation_tuples: the namespaces of Ory Keto to read, as ["Team", "Document"]. All if unset.',
        schema={"items": {"type": ["string"], "minLength": 1}},
        examples=['["Team", "Document"]'],
    )
    max_relation_tuples: int = setting(
        "Most relation tuples",
        "For the stream relation_tuples: a read that meets more than so many ends with an error and activates nothing. "
        "To tell repeats takes some 100 bytes of memory a tuple.",
        default=1_000_000,
        schema={"minimum": 1},
    )
    organization_id: str | None = setting(
        "Organization id",
        "Read only the identities of one organization: the streams identities and users hold nobody else then. Needs "
        "Ory Network or Ory Kratos since v25.4; from a server that does not know the filter nothing is published.",
        examples=["6f1c2ab4-3d0e-4c57-9a51-0c6f7f0f2c11"],
    )
    consistency: str | None = setting(
        "Consistency",
        "How identities are read on Ory Network: strong sees what was written just before, eventual is quicker. Unset, "
        "the server decides; others take no notice of it.",
        schema={"enum": ["strong", "eventual", None]},
        examples=["strong"],
    )
    user_fields: Mapping[str | None, Mapping[str, Pointer]] = setting(
        "User fields",
        'Which value of an identity a field of the users stream comes from, as a JSON pointer: {"employee_id": '
        '"/metadata_public/number"} for all, {"staff": {"username": "/traits/nick"}} for one identity schema. '
        f"Fields: {', '.join(FIELDS)}.",
        default={},
        schema={"additionalProperties": {"type": ["string", "object"]}},
        examples=['{"employee_id": "/metadata_public/number"}'],
    )
    account_types: Mapping[str, str] = setting(
        "Account types",
        'Whose accounts the identities of a schema are: {"robots": "service"}. One of human, service, system.',
        default={},
        schema=TEXTS,
        examples=['{"robots": "service"}'],
    )
    # A century: what is before it is no time.
    lookback_seconds: int = setting(
        "Look-back",
        "With the replication method INCREMENTAL: seconds before the bookmark from which changes are sent again, "
        "for clocks that differ and for reads of replicas.",
        default=600,
        schema={"minimum": 0, "maximum": 3_153_600_000},
    )
    resume_within: float = setting(
        "Resume within",
        "Hours within which a run goes on with a read that was interrupted, from the state; an older one is begun "
        "anew. 0: always begin anew. Servers with offset pagination always begin anew.",
        default=24,
        schema={"minimum": 0, "maximum": 87_600},
        reaches_no_record="Whether an old read is gone on with, which is asked beside.",
    )
    emit_activate_version_messages: bool = setting(
        "Emit ACTIVATE_VERSION messages",
        "Send ACTIVATE_VERSION once, after the last record of a complete full-table read, so that targets can "
        "remove what no longer exists.",
        default=True,
        of_singer_alone="Airbyte's protocol has no such message: that a read was whole is a stream's status there.",
    )


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class Declaration(AccessDeclaration, ReadDeclaration):
    """All settings, in their order: those of a read, and those of access."""


CONFIG_SCHEMA = schema_of(Declaration)
#: The settings that add fields to the schema of a stream, when they are on.
ADDING = frozenset(marked(Declaration, "adds_fields"))
#: The settings that can reach no record. Every other one is part of the fingerprint of a read.
UNREACHING = frozenset(marked(Declaration, "reaches_no_record"))
