"""The settings of a read: what makes them right.

Knows nothing of Singer streams or HTTP. Every refusal is a `SettingsError` of one line that names the
setting; the value of `api_token` is in no message and in no `repr`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from command_basics.declared import values_in
from command_basics.values import BOOLEANS, is_unset
from command_basics.violations import explain_violation
from ory_reader.config.declaration import ADDING, CONFIG_SCHEMA, EXACT, Declaration
from ory_reader.config.environment import READER
from ory_reader.config.http_headers import clean_headers, has_authorization, secret_texts
from ory_reader.config.services import CONSOLE, KRATOS, OF_NETWORK, SERVICES
from ory_reader.config.tls import check_client_certificate
from ory_reader.config.user_fields import parse_account_types, parse_user_fields
from ory_reader.errors import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ory_reader.config.services import Service

NETWORK_DOMAIN = ".projects.oryapis.com"
#: What an address may end with as users paste it; longer ones first.
ENDPOINTS = ("/admin/identities", "/admin/clients", "/admin", "/schemas", "/relation-tuples", "/namespaces")
#: How sentences name the server at `base_url`; longer ones first.
ORY_ADMIN_API = (
    "the Ory Admin API (https://slug.projects.oryapis.com/ or Kratos' admin port)",
    "the Ory Admin API",
)
#: A century: of days before that nobody asks.
MAX_DAYS = 36_500
HEADER_VALUE = re.compile(r"[\x20-\x7e]+")


@dataclass(frozen=True, kw_only=True)
class Settings(Declaration):
    """One validated set of settings.

    `base_url` has no trailing slash; `request_timeout` is in seconds, `resume_within` in hours.
    """

    @classmethod
    def from_config(cls, config: Mapping[str, Any], version: str) -> Settings:
        """Check `config` (already of the right JSON types) and make it right where that is safe.

        Raises:
            SettingsError: in one line, if a value cannot be right.
        """
        raw = cls(**{"base_url": "", **values_in(cls, config)})
        base_url = clean_base_url(raw.base_url)
        api_token = clean_api_token(raw.api_token, base_url, needed=not has_authorization(raw.http_headers))
        check_client_certificate(raw.client_certificate, raw.client_key, base_url)
        return replace(
            raw,
            base_url=base_url,
            api_token=api_token,
            http_headers=clean_headers(raw.http_headers, api_token),
            request_timeout=float(raw.request_timeout),
            ca_bundle=_existing_file(raw.ca_bundle),
            user_agent=_header_value(raw.user_agent or f"tap-ory/{version}"),
            resume_within=float(raw.resume_within),
            public_url=clean_base_url(raw.public_url, "public_url") if raw.public_url else None,
            oauth2_url=clean_base_url(raw.oauth2_url, "oauth2_url") if raw.oauth2_url else None,
            oauth2_token=_clean_token(raw.oauth2_token, "oauth2_token"),
            permissions_url=clean_base_url(raw.permissions_url, "permissions_url") if raw.permissions_url else None,
            permissions_token=_clean_token(raw.permissions_token, "permissions_token"),
            console_url=clean_base_url(raw.console_url, "console_url"),
            console_token=_clean_token(raw.console_token, "console_token"),
            organization_id=_clean_organization_id(raw.organization_id),
            project_id=_clean_project_id(raw.project_id, needed=bool(raw.console_token)),
            last_login=_last_login(raw.last_login),
            user_fields=parse_user_fields(raw.user_fields),
            account_types=parse_account_types(raw.account_types),
        )

    def elsewhere(self, url: str) -> Settings:
        """The settings for a conversation with another host: nothing that is meant for `base_url` alone goes along."""
        return replace(self, base_url=url, api_token=None, http_headers={}, client_certificate=None, client_key=None)

    def at(self, service: Service) -> Settings | None:
        """The settings for the conversation with a service, as `base_url` and so on; None where it has no address.

        What is meant for the host of `base_url` goes to no other.
        """
        own_url, own_token = getattr(self, service.url), getattr(self, service.token)
        url = own_url or (self.base_url if service in OF_NETWORK and self.is_on_network else None)
        # The console lets nobody in without a key of its own, and has the lists of many projects.
        if url is None or (service is CONSOLE and not own_token):
            return None
        there = self if _origin(url) == _origin(self.base_url) else self.elsewhere(url)
        return replace(there, base_url=url, api_token=own_token or there.api_token)

    def terms(self, service: Service) -> dict[str, str]:
        """What sentences about `base_url` and its key say of a service instead, where that has settings of its own."""
        if service is KRATOS or not (getattr(self, service.url) or getattr(self, service.token)):
            return {}
        there = self.at(service)
        has_own_key = getattr(self, service.token) or not (there and there.api_token)
        return {
            **({"base_url": service.url} if getattr(self, service.url) else {}),
            **({"api_token": service.token} if has_own_key else {}),
            **dict.fromkeys(ORY_ADMIN_API, service.title),
        }

    @property
    def is_on_network(self) -> bool:
        """Whether `base_url` is Ory Network's."""
        return is_network_host(urlsplit(self.base_url).hostname or "")

    @property
    def adds(self) -> frozenset[str]:
        """The settings that add fields to a stream and are on."""
        return frozenset(name for name in ADDING if getattr(self, name))

    @property
    def told_configs(self) -> list[str]:
        """The credential types whose config is asked for. With none of them all are listed, without any config."""
        wanted = ["webauthn"] if self.credential_metadata == EXACT else []
        return [*wanted, "code"] if self.code_mfa_enabled else wanted

    @cached_property
    def secrets(self) -> dict[str, str]:
        """All texts that must not be shown, and what is shown in their place."""
        secrets = dict.fromkeys(secret_texts(self.http_headers), "[http_headers]")
        tokens = {getattr(self, service.token): f"[{service.token}]" for service in SERVICES}
        return {**secrets, **{token: shown for token, shown in tokens.items() if token}}

    @property
    def slug(self) -> str | None:
        """The project's slug: as it is set, else as Ory Network's host names it."""
        host = urlsplit(self.base_url).hostname or ""
        return self.project_slug or (host.partition(".")[0] if self.is_on_network else None)

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
    for ending in ENDPOINTS:
        if path.endswith(ending):
            return path[: -len(ending)].rstrip("/")
    return path


def clean_api_token(value: str | None, base_url: str, *, needed: bool = True) -> str | None:
    """Return the key without surrounding space and a pasted `Bearer `, or None where none is needed.

    `needed` is whether Ory Network would have nothing else to know us by.

    Raises:
        SettingsError: if it is missing for Ory Network, of a kind that cannot work, or no header value.
    """
    token = _clean_token(value, "api_token")
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
    return token


def _clean_token(value: str | None, setting: str) -> str | None:
    token = re.sub(r"(?i)^bearer(\s+|$)", "", (value or "").strip())
    if token and not re.fullmatch(r"[\x21-\x7e]+", token):
        refuse(setting, "holds a space, a line break or a character beyond ASCII", "copy the key once more")
    return token or None


def _clean_organization_id(value: str | None) -> str | None:
    text = (value or "").strip().lower()
    if text and not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text):
        refuse("organization_id", "is no UUID", "copy the organization's id from the Ory Console")
    return text or None


def _clean_project_id(value: str | None, *, needed: bool) -> str | None:
    text = (value or "").strip()
    if needed and not text:
        refuse("project_id", "is missing, which console_token needs", "copy the project's id from the Ory Console")
    if text and not re.fullmatch(r"[\w-]+", text, re.ASCII):
        refuse("project_id", "is no id of a project", "copy it from the Ory Console: letters, digits and dashes")
    return text or None


def is_network_host(hostname: str) -> bool:
    """Tell whether the host is Ory Network's own, where a key is always needed."""
    return hostname.lower().rstrip(".").endswith(NETWORK_DOMAIN)


def _last_login(value: Any) -> bool | int:
    """All, none, or so many days; text is read as such."""
    if isinstance(value, str):
        text = value.strip().lower()
        value = int(text) if re.fullmatch(r"\d{1,5}", text, re.ASCII) else BOOLEANS.get(text, -1)
    if value is not True and not 0 <= value <= MAX_DAYS:
        refuse("last_login", "is neither true nor false nor a number of days", f"give one of 1 to {MAX_DAYS}")
    return value if value is True else value or False


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


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
