"""The settings: names, defaults, validation, and the environment that they may come from.

Knows nothing of Singer streams or HTTP. Every refusal is a `SettingsError` of one line that names the
setting; the value of `api_token` is in no message and in no `repr`.
"""

from __future__ import annotations

import difflib
import json
import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from singer_sdk import typing as th

from tap_ory.errors import SettingsError
from tap_ory.user_fields import FIELDS, Pointer, parse_account_types, parse_user_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from jsonschema import ValidationError

ENV_PREFIX = "TAP_ORY_"
#: C1's own names for the same settings; `TAP_ORY_*` wins.
ENV_ALIASES = {
    "BATON_BASE_URL": "base_url",
    "BATON_API_TOKEN": "api_token",
    "BATON_PROJECT_SLUG": "project_slug",
}
#: Environment names under our prefix that the SDK reads itself.
RESERVED = frozenset({"TAP_ORY_LOGLEVEL"})
#: The words that the SDK reads as true, and their opposites.
BOOLEANS = frozenset({"true", "1", "yes", "on", "false", "0", "no", "off"})
#: The value of `credential_metadata` that also counts security keys.
EXACT = "exact"
NETWORK_DOMAIN = ".projects.oryapis.com"
HEADER_VALUE = re.compile(r"[\x20-\x7e]+")

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
        "credential_metadata",
        th.CustomType({"type": ["boolean", "string", "null"], "enum": [True, False, EXACT, None]}),
        default=False,
        title="Credential metadata",
        description=(
            "Also read which credentials each identity has: type, identifiers, version and times. Password hashes, "
            "secrets and tokens (a credential's config) are never asked for and dropped if they come. The value exact "
            "also asks for security keys (webauthn, passkey), whose presence shows in no other way: they are counted "
            "and dropped."
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
        th.IntegerType(minimum=0),
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


@dataclass(frozen=True)
class Settings:
    """One validated set of settings.

    `base_url` has no trailing slash; `request_timeout` is in seconds, `resume_within` in hours.
    """

    base_url: str
    api_token: str | None = field(repr=False)
    project_slug: str | None
    page_size: int
    concurrency: int
    request_timeout: float
    ca_bundle: str | None
    user_agent: str
    credential_metadata: bool | str
    lookback_seconds: int
    resume_within: float
    public_url: str | None
    user_fields: Mapping[str | None, Mapping[str, Pointer]]
    account_types: Mapping[str, str]

    @classmethod
    def from_config(cls, config: Mapping[str, Any], version: str) -> Settings:
        """Check `config` (already of the right JSON types) and make it right where that is safe.

        Raises:
            SettingsError: in one line, if a value cannot be right.
        """
        base_url = clean_base_url(config["base_url"])
        return cls(
            base_url=base_url,
            api_token=clean_api_token(config.get("api_token"), base_url),
            project_slug=config.get("project_slug") or None,
            page_size=_given(config, "page_size"),
            concurrency=_given(config, "concurrency"),
            request_timeout=float(_given(config, "request_timeout")),
            ca_bundle=_existing_file(config.get("ca_bundle")),
            user_agent=_header_value(config.get("user_agent") or f"tap-ory/{version}"),
            credential_metadata=_given(config, "credential_metadata"),
            lookback_seconds=_given(config, "lookback_seconds"),
            resume_within=float(_given(config, "resume_within")),
            public_url=clean_base_url(config["public_url"], "public_url") if config.get("public_url") else None,
            user_fields=parse_user_fields(_given(config, "user_fields")),
            account_types=parse_account_types(_given(config, "account_types")),
        )

    @property
    def slug(self) -> str | None:
        """The project's slug: as it is set, else as Ory Network's host names it."""
        host = urlsplit(self.base_url).hostname or ""
        return self.project_slug or (host.partition(".")[0] if is_network_host(host) else None)

    @property
    def label(self) -> str:
        """The project as logs name it: its slug if given, else the host."""
        return self.project_slug or urlsplit(self.base_url).netloc


def clean_base_url(value: str, setting: str = "base_url") -> str:
    """Return `value` without trailing slashes and without the path of an end-point at its end.

    Raises:
        SettingsError: if it is no http(s) URL, or carries credentials, a query or a fragment.
    """
    text = value.strip()
    if "://" not in text:
        _refuse(setting, "has no scheme", "begin it with https:// (or http:// for a local server)")
    try:
        parts = urlsplit(text)
        usable = bool(parts.hostname) and parts.port != 0 and not re.search(r"[\s\x00-\x1f\\]", text)
    except ValueError:
        usable = False
    if not usable:
        _refuse(setting, "is no URL", "write it like https://slug.projects.oryapis.com/")
    if parts.scheme not in {"http", "https"}:
        _refuse(setting, f"has the scheme {parts.scheme!r}", "use http or https")
    if "@" in parts.netloc:
        _refuse(setting, "carries credentials", "take them out and put the key into api_token")
    if parts.query or parts.fragment:
        _refuse(setting, "carries a query or a fragment", "end it after the host or the path prefix")
    if parts.scheme == "http" and is_network_host(parts.hostname or ""):
        _refuse(setting, "would send the key unencrypted", "begin it with https://")
    return f"{parts.scheme}://{parts.netloc}{_without_endpoint(parts.path)}"


def _without_endpoint(path: str) -> str:
    """The path prefix alone: users paste the address of an end-point as well as that of the API."""
    path = path.rstrip("/")
    for ending in ("/admin/identities", "/admin", "/schemas"):
        if path.endswith(ending):
            return path[: -len(ending)].rstrip("/")
    return path


def clean_api_token(value: str | None, base_url: str) -> str | None:
    """Return the key without surrounding space and a pasted `Bearer `, or None where none is needed.

    Raises:
        SettingsError: if it is missing for Ory Network, of a kind that cannot work, or no header value.
    """
    token = re.sub(r"(?i)^bearer(\s+|$)", "", (value or "").strip())
    if not token:
        if is_network_host(urlsplit(base_url).hostname or ""):
            _refuse("api_token", "is missing", "create a project API key in the Ory Console and set it")
        return None
    if token.startswith("ory_wak_"):
        _refuse(
            "api_token",
            "is a workspace API key (ory_wak_...), which Ory does not authorise for identities",
            "create a project API key in the Ory Console",
        )
    if token.startswith("ory_st_"):
        _refuse("api_token", "is a session token (ory_st_...)", "create a project API key in the Ory Console")
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        _refuse("api_token", "holds a space, a line break or a character beyond ASCII", "copy the key once more")
    return token


def is_network_host(hostname: str) -> bool:
    """Tell whether the host is Ory Network's own, where a key is always needed."""
    return hostname.lower().rstrip(".").endswith(NETWORK_DOMAIN)


def aliases_from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that C1's own variable names give."""
    return {setting: environ[name] for name, setting in ENV_ALIASES.items() if environ.get(name)}


def names_in_environment(environ: Iterable[str]) -> list[str]:
    """The settings that environment variables name, known or not."""
    return [name[len(ENV_PREFIX) :].lower() for name in environ if name.startswith(ENV_PREFIX) and name not in RESERVED]


def check_log_level(environ: Mapping[str, str]) -> None:
    """Refuse a log level that does not exist, which would end in a traceback before anything is logged.

    Raises:
        SettingsError: naming the variable.
    """
    for variable in (*RESERVED, "LOGLEVEL"):
        level = environ.get(variable)
        if level and not isinstance(logging.getLevelName(level.upper()), int):
            _refuse(variable, "is no log level", "give debug, info, warning or error")


def unknown_settings(given: Iterable[str], known: Collection[str]) -> list[str]:
    """Return one warning for each setting that nothing reads, with the nearest known name."""
    warnings = []
    for name in given:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
            warnings.append(f"Unknown setting {name!r} is ignored{hint}")
    return warnings


def _given(config: Mapping[str, Any], name: str) -> Any:
    """The value of a setting, or its default where it is absent or null."""
    value = config.get(name)
    return CONFIG_SCHEMA["properties"][name]["default"] if value is None else value


def _existing_file(value: str | None) -> str | None:
    if not value:
        return None
    if not Path(value).is_file():
        _refuse("ca_bundle", f"names {value!r}, which is no file", "give the path of a PEM file")
    return value


def _header_value(value: str) -> str:
    if not HEADER_VALUE.fullmatch(value.strip()):
        _refuse("user_agent", "holds a line break or a character beyond ASCII", "use plain text")
    return value.strip()


def _refuse(setting: str, what: str, remedy: str) -> NoReturn:
    msg = f"Setting {setting} {what}: {remedy}."
    raise SettingsError(msg)


def explain_violation(error: ValidationError) -> str:
    """Say in a sentence what is wrong with a setting, without its value."""
    name = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "required":
        missing = re.findall(r"'(\w+)' is a required property", error.message)
        variables = [ENV_PREFIX + setting.upper() for setting in missing]
        return f"Setting {', '.join(missing)} is missing: set it in the configuration or as {', '.join(variables)}."
    if error.validator == "type":
        kinds = [kind for kind in _listed(error.validator_value) if kind != "null"]
        return f"Setting {name} must be of type {' or '.join(kinds)}, not {type(error.instance).__name__}."
    if error.validator == "enum":
        allowed: Any = error.validator_value
        choices = [str(choice).lower() for choice in allowed if choice is not None]
        return f"Setting {name} must be one of {', '.join(choices)}."
    bounds = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "greater than"}
    if error.validator in bounds:
        return f"Setting {name} must be {bounds[error.validator]} {error.validator_value}."
    return f"Setting {name} does not fit the schema that tap-ory --about shows ({error.validator})."


def check_environment(environ: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, float | str]:
    """Refuse variables that cannot be read as their setting's type; return the values that the SDK would mistake.

    The SDK leaves decimal numbers as text, takes any word it does not know for false, and ends with a traceback
    on all others that are malformed.

    Raises:
        SettingsError: naming the variable.
    """
    others: dict[str, float | str] = {}
    for name, definition in schema["properties"].items():
        variable = ENV_PREFIX + name.upper()
        if variable not in environ:
            continue
        value, kinds = environ[variable].strip(), _listed(definition.get("type", []))
        if "integer" in kinds and not re.fullmatch(r"[+-]?\d{1,18}", value, re.ASCII):
            _refuse(variable, "is no whole number", "give digits only")
        if "number" in kinds:
            if not re.fullmatch(r"[+-]?\d{1,18}(\.\d{1,18})?", value, re.ASCII):
                _refuse(variable, "is no number", "give digits and at most one point")
            others[name] = float(value)
        if "boolean" in kinds and (word := environ[variable].lower()) not in BOOLEANS:
            if word not in definition.get("enum", []):
                _refuse(variable, "is neither true nor false", "give true or false")
            others[name] = word
        if "object" in kinds:
            try:
                json.loads(value)
            except ValueError:
                _refuse(variable, "is no JSON", "give a JSON object")
    return others


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
