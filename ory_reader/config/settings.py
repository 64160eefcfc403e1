"""The settings of a read: what makes them right.

Knows nothing of Singer streams or HTTP. Every refusal is a `SettingsError` of one line that names the
setting; the value of `api_token` is in no message and in no `repr`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from command_basics.values import is_unset
from command_basics.violations import explain_violation
from ory_reader.config.declaration import CONFIG_SCHEMA, EXACT
from ory_reader.config.environment import READER
from ory_reader.config.http_headers import clean_headers, has_authorization, secret_texts
from ory_reader.config.tls import check_client_certificate
from ory_reader.config.user_fields import Pointer, parse_account_types, parse_user_fields
from ory_reader.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

NETWORK_DOMAIN = ".projects.oryapis.com"
HEADER_VALUE = re.compile(r"[\x20-\x7e]+")


@dataclass(frozen=True)
class Settings:
    """One validated set of settings.

    `base_url` has no trailing slash; `request_timeout` is in seconds, `resume_within` in hours.
    """

    base_url: str
    api_token: str | None = field(repr=False)
    http_headers: Mapping[str, str] = field(repr=False)
    project_slug: str | None
    page_size: int
    concurrency: int
    request_timeout: float
    ca_bundle: str | None
    client_certificate: str | None
    client_key: str | None
    user_agent: str
    credential_metadata: bool | str
    code_mfa_enabled: bool
    lookback_seconds: int
    resume_within: float
    public_url: str | None
    user_fields: Mapping[str | None, Mapping[str, Pointer]]
    account_types: Mapping[str, str]
    identity_schemas: bool = True

    @classmethod
    def from_config(cls, config: Mapping[str, Any], version: str) -> Settings:
        """Check `config` (already of the right JSON types) and make it right where that is safe.

        Raises:
            SettingsError: in one line, if a value cannot be right.
        """
        base_url = clean_base_url(config["base_url"])
        headers = config.get("http_headers") or {}
        api_token = clean_api_token(config.get("api_token"), base_url, needed=not has_authorization(headers))
        certificate, key = config.get("client_certificate") or None, config.get("client_key") or None
        check_client_certificate(certificate, key, base_url)
        return cls(
            base_url=base_url,
            api_token=api_token,
            http_headers=clean_headers(headers, api_token),
            project_slug=config.get("project_slug") or None,
            page_size=_given(config, "page_size"),
            concurrency=_given(config, "concurrency"),
            request_timeout=float(_given(config, "request_timeout")),
            ca_bundle=_existing_file(config.get("ca_bundle")),
            client_certificate=certificate,
            client_key=key,
            user_agent=_header_value(config.get("user_agent") or f"tap-ory/{version}"),
            credential_metadata=_given(config, "credential_metadata"),
            code_mfa_enabled=_given(config, "code_mfa_enabled"),
            lookback_seconds=_given(config, "lookback_seconds"),
            resume_within=float(_given(config, "resume_within")),
            public_url=clean_base_url(config["public_url"], "public_url") if config.get("public_url") else None,
            identity_schemas=_given(config, "identity_schemas"),
            user_fields=parse_user_fields(_given(config, "user_fields")),
            account_types=parse_account_types(_given(config, "account_types")),
        )

    def elsewhere(self, url: str) -> Settings:
        """The settings for a conversation with another host: nothing that is meant for `base_url` alone goes along."""
        return replace(self, base_url=url, api_token=None, http_headers={}, client_certificate=None, client_key=None)

    @property
    def told_configs(self) -> list[str]:
        """The credential types whose config is asked for. With none of them all are listed, without any config."""
        wanted = ["webauthn"] if self.credential_metadata == EXACT else []
        return [*wanted, "code"] if self.code_mfa_enabled else wanted

    @cached_property
    def secrets(self) -> dict[str, str]:
        """All texts that must not be shown, and what is shown in their place."""
        secrets = dict.fromkeys(secret_texts(self.http_headers), "[http_headers]")
        return {**secrets, self.api_token: "[api_token]"} if self.api_token else secrets

    @property
    def slug(self) -> str | None:
        """The project's slug: as it is set, else as Ory Network's host names it."""
        host = urlsplit(self.base_url).hostname or ""
        return self.project_slug or (host.partition(".")[0] if is_network_host(host) else None)

    @property
    def label(self) -> str:
        """The project as logs name it: its slug if given, else the host."""
        return self.project_slug or urlsplit(self.base_url).netloc


def read(
    given: Mapping[str, Any], declared: Mapping[str, Any] = CONFIG_SCHEMA, validator: Any = None
) -> tuple[dict[str, Any], list[str]]:
    """Return the settings of a file or a form by their types, and a sentence on each that cannot be right.

    No sentence repeats a value, which could be the key. `declared` is the settings' JSON Schema, `validator` a class
    of jsonschema's: one that fills in defaults, for who needs them.
    """
    if validator is None:
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - a command that reads no settings has no use for it

        validator = Draft202012Validator
    empty = {name for name, value in given.items() if is_unset(value)}
    config = READER.from_mapping(given, declared)
    violations = validator(declared).iter_errors(config)
    return config, [explain_violation(each, READER.prefix, "tap-ory", empty) for each in violations]


def clean_base_url(value: str, setting: str = "base_url") -> str:
    """Return `value` without trailing slashes and without the path of an end-point at its end.

    Raises:
        SettingsError: if it is no http(s) URL, or carries credentials, a query or a fragment.
    """
    text = value.strip()
    if not text:
        refuse(setting, "is empty", "write it like https://slug.projects.oryapis.com/")
    if "://" not in text:
        refuse(setting, "has no scheme", "begin it with https:// (or http:// for a local server)")
    try:
        parts = urlsplit(text)
        usable = bool(parts.hostname) and parts.port != 0 and not re.search(r"[\s\x00-\x1f\\]", text)
    except ValueError:
        usable = False
    if not usable:
        refuse(setting, "is no URL", "write it like https://slug.projects.oryapis.com/")
    if parts.scheme not in {"http", "https"}:
        refuse(setting, f"has the scheme {parts.scheme!r}", "use http or https")
    if "@" in parts.netloc:
        refuse(setting, "carries credentials", "take them out and put the key into api_token")
    if parts.query or parts.fragment:
        refuse(setting, "carries a query or a fragment", "end it after the host or the path prefix")
    if parts.scheme == "http" and is_network_host(parts.hostname or ""):
        refuse(setting, "would send the key unencrypted", "begin it with https://")
    return f"{parts.scheme}://{parts.netloc}{_without_endpoint(parts.path)}"


def _without_endpoint(path: str) -> str:
    """The path prefix alone: users paste the address of an end-point as well as that of the API."""
    path = path.rstrip("/")
    for ending in ("/admin/identities", "/admin", "/schemas"):
        if path.endswith(ending):
            return path[: -len(ending)].rstrip("/")
    return path


def clean_api_token(value: str | None, base_url: str, *, needed: bool = True) -> str | None:
    """Return the key without surrounding space and a pasted `Bearer `, or None where none is needed.

    `needed` is whether Ory Network would have nothing else to know us by.

    Raises:
        SettingsError: if it is missing for Ory Network, of a kind that cannot work, or no header value.
    """
    token = re.sub(r"(?i)^bearer(\s+|$)", "", (value or "").strip())
    if not token:
        if needed and is_network_host(urlsplit(base_url).hostname or ""):
            refuse("api_token", "is missing", "create a project API key in the Ory Console and set it")
        return None
    if token.startswith("ory_wak_"):
        refuse(
            "api_token",
            "is a workspace API key (ory_wak_...), which Ory does not authorise for identities",
            "create a project API key in the Ory Console",
        )
    if token.startswith("ory_st_"):
        refuse("api_token", "is a session token (ory_st_...)", "create a project API key in the Ory Console")
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        refuse("api_token", "holds a space, a line break or a character beyond ASCII", "copy the key once more")
    return token


def is_network_host(hostname: str) -> bool:
    """Tell whether the host is Ory Network's own, where a key is always needed."""
    return hostname.lower().rstrip(".").endswith(NETWORK_DOMAIN)


def _given(config: Mapping[str, Any], name: str) -> Any:
    """The value of a setting, or its default where it is absent or null."""
    value = config.get(name)
    return CONFIG_SCHEMA["properties"][name]["default"] if value is None else value


def _existing_file(value: str | None) -> str | None:
    if not value:
        return None
    if not Path(value).is_file():
        refuse("ca_bundle", f"names {value!r}, which is no file", "give the path of a PEM file")
    return value


def _header_value(value: str) -> str:
    if not HEADER_VALUE.fullmatch(value.strip()):
        refuse("user_agent", "holds a line break or a character beyond ASCII", "use plain text")
    return value.strip()


def refuse(setting: str, what: str, remedy: str) -> NoReturn:
    """Say in one line what is wrong with a setting and what to do.

    Raises:
        SettingsError: always.
    """
    msg = f"Setting {setting} {what}: {remedy}."
    raise SettingsError(msg)
