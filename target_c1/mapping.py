"""Which value of a record is which field of a C1 user: ready-made mappings, and the compiler of a mapping.

A field's source is a JSON pointer (RFC 6901: `/traits/name/first`, `""` for the whole record); or a text, with
pointers in braces if it needs any (`inactive since {/state_changed_at}`, `service`), that has a value when all of its
pointers have one; or a list of these, the first with a value counts. Knows nothing of protobuf, files or Singer.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import Any

from target_c1.errors import SettingsError

Record = dict[str, Any]
Getter = Callable[[Record], Any]
#: A source in the configuration: a pointer or text, a list of them, or (flags) {"in": pointer, "any": [names]}.
Source = Any

#: The fields that have several values; a list of sources gives all of them instead of the first.
MANY = ("emails", "identifiers", "login_aliases", "employee_id", "account_type")
#: The fields that are true, false or unknown. {"in": "/credentials", "any": ["totp"]} is true if the object there has
#: one of the names, false if it has none, unknown if there is no such object. With {"ignore": ["password"]} beside
#: them it is unknown too where the object has a name that is neither: it could be one of the kind.
FLAGS = ("mfa_enabled", "sso_enabled")
FIELDS = (
    "id",
    "display_name",
    "first_name",
    "last_name",
    "username",
    "email",
    "login",
    "status",
    "status_details",
    "created_at",
    "last_login",
    *MANY,
    *FLAGS,
    "profile",
)
#: In `profile`, the name of the objects whose own texts, numbers and booleans are added where their name is free.
SPREAD = "*"


def _traits(names: str) -> list[Source]:
    return [f"/traits/{name}" for name in names.split()]


#: The streams of tap-ory. Both fill the profile under the same names, so that one can follow the other.
READY: dict[str, dict[str, Source]] = {
    "users": {
        **{
            field: f"/{field}"
            for field in FIELDS
            if field not in ("identifiers", "profile")  # the stream has settled which identifier is the login
        },
        "profile": {
            "external_id": "/external_id",
            "schema_id": "/schema_id",
            "organization_id": "/organization_id",
            "state_changed_at": "/status_changed_at",
            "updated_at": "/updated_at",
            "email_verified": "/email_verified",
            "phone_numbers": "/phone_numbers",
            "mfa_methods": "/mfa_methods",
            "sso_providers": "/sso_providers",
            "nonconforming_traits": "/nonconforming_traits",
            "project_slug": "/project_slug",
            "traits": "/profile",
            SPREAD: "/profile",
        },
    },
    "identities": {
        "id": "/id",
        "display_name": _traits("name full_name fullName display_name"),
        "first_name": _traits("name/first name/given first_name firstName given_name"),
        "last_name": _traits("name/last name/family last_name lastName family_name"),
        "username": "/traits/username",
        "email": "/traits/email",
        "emails": ["/verifiable_addresses", "/recovery_addresses"],
        "identifiers": "/credentials/password/identifiers",
        "status": "/state",
        "status_details": ["inactive in Ory since {/state_changed_at}", "inactive in Ory"],
        "employee_id": _traits("employee_id employeeId employeeNumber"),
        "created_at": "/created_at",
        # A webauthn credential may hold a second factor or not, and which it does is not in this stream.
        "mfa_enabled": {
            "in": "/credentials",
            "any": ["totp", "lookup_secret"],
            "ignore": ["password", "code", "oidc", "saml", "passkey", "profile", "link_recovery", "code_recovery"],
        },
        "sso_enabled": {"in": "/credentials", "any": ["oidc", "saml"]},
        "profile": {
            "external_id": "/external_id",
            "schema_id": "/schema_id",
            "organization_id": "/organization_id",
            "state": "/state",
            "state_changed_at": "/state_changed_at",
            "updated_at": "/updated_at",
            "metadata_public": "/metadata_public",
            "nonconforming_traits": "/nonconforming_traits",
            "traits": "/traits",
            SPREAD: "/traits",
        },
    },
}


class Mapping:
    """A compiled mapping: for each field of `FIELDS` a getter that takes a record and gives a value or None.

    The getters of `MANY` give a list, those of `FLAGS` a boolean or None; `profile` is pairs of name and getter.
    """

    def __init__(self, sources: dict[str, Source]) -> None:
        """Compile `sources`, as the setting `mapping` has them.

        Raises:
            SettingsError: naming the field that is unknown or whose source is none.
        """
        for field in sources:
            if field not in FIELDS:
                nearest = difflib.get_close_matches(field, FIELDS, n=1, cutoff=0.0)[0]
                msg = f"Setting mapping has no field {field!r}: did you mean {nearest!r}?"
                raise SettingsError(msg)
        if not sources.get("id"):
            msg = "Setting mapping does not say which value is the user's id: set mapping.id to a JSON pointer."
            raise SettingsError(msg)
        profile = sources.get("profile", {SPREAD: ""})
        if not isinstance(profile, dict):
            msg = "Setting mapping.profile is no object: give names of the profile and their JSON pointers."
            raise SettingsError(msg)
        self.one: dict[str, Getter] = {
            field: _compile(field, sources.get(field)) for field in FIELDS if field not in (*MANY, *FLAGS, "profile")
        }
        self.many: dict[str, Getter] = {field: _compile_many(field, sources.get(field)) for field in MANY}
        self.flags: dict[str, Getter] = {field: _compile_flag(field, sources.get(field)) for field in FLAGS}
        self.profile = [
            (name, _compile(f"profile.{name}", source)) for name, source in profile.items() if name != SPREAD
        ]
        self.spread = _compile_many("profile.*", profile.get(SPREAD))


def choose_streams(stream: str | None, given: dict[str, Source] | None) -> dict[str, dict[str, Source]]:
    """Return the mappings of the streams that can be read, the one to be preferred first.

    Raises:
        SettingsError: if `stream` has none.
    """
    chosen = {}
    for each in [stream] if stream else READY:
        sources = choose_sources(each, given)
        if not sources:
            msg = f"Stream {each!r} has no ready-made mapping: set mapping, at least its id and e-mail address."
            raise SettingsError(msg)
        chosen[each] = sources
    return chosen


def choose_sources(stream: str, given: dict[str, Source] | None) -> dict[str, Source] | None:
    """Return the mapping of a stream: the ready-made one with what is `given` laid over it, or None without either."""
    ready = READY.get(stream)
    if ready is None or not given:
        return given or ready
    chosen = {**ready, **given}
    if isinstance(given.get("profile"), dict):
        chosen["profile"] = {**ready["profile"], **given["profile"]}
    return chosen


def _nothing(_record: Record) -> None:
    return None


def _compile(field: str, source: Source) -> Getter:
    """Return the getter of one source; a source of None gives nothing."""
    if source is None:
        return _nothing
    if isinstance(source, list):
        return _compile_first([_compile(field, each) for each in source])
    if not isinstance(source, str):
        msg = f"Setting mapping.{field} is neither a JSON pointer, a text nor a list of them."
        raise SettingsError(msg)
    if source == "" or source.startswith("/"):
        return _compile_pointer(source)
    return _compile_text(source)


def _compile_first(getters: list[Getter]) -> Getter:
    def first(record: Record) -> Any:
        for getter in getters:
            value = getter(record)
            if isinstance(value, dict) and len(getters) > 1:
                continue  # a nested name, say, where another identity schema has a text
            if value is not None and value != "":
                return value
        return None

    return first


def _compile_pointer(pointer: str) -> Getter:
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    if len(steps) == 1:
        only = steps[0]
        return lambda record: record.get(only)

    def walk(record: Record) -> Any:
        value: Any = record
        for step in steps:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            else:
                return None
        return value

    return walk


def _compile_text(text: str) -> Getter:
    pieces = re.split(r"\{(/[^{}]*)\}", text)
    literals, getters = pieces[::2], [_compile_pointer(pointer) for pointer in pieces[1::2]]

    def fill(record: Record) -> str | None:
        out = literals[0]
        for getter, literal in zip(getters, literals[1:], strict=True):
            value = getter(record)
            if value is None or value == "":
                return None
            out += f"{value}{literal}"
        return out

    return fill


def _compile_many(field: str, source: Source) -> Getter:
    getters = [_compile(field, each) for each in (source if isinstance(source, list) else [source])]
    if len(getters) == 1:
        only = getters[0]

        def wrap(record: Record) -> list[Any]:
            value = only(record)
            if type(value) is list:
                return value
            return [] if value is None else [value]

        return wrap

    def collect(record: Record) -> list[Any]:
        values: list[Any] = []
        for getter in getters:
            value = getter(record)
            if isinstance(value, list):
                values += value
            elif value is not None:
                values.append(value)
        return values

    return collect


def _compile_flag(field: str, source: Source) -> Getter:
    if not isinstance(source, dict):
        value_of = _compile(field, source)

        def flag(record: Record) -> bool | None:
            value = value_of(record)
            return value if type(value) is bool else None

        return flag
    if not {"in", "any"} <= set(source) <= {"in", "any", "ignore"} or not all(
        isinstance(source.get(key, []), list) for key in ("any", "ignore")
    ):
        msg = (
            f'Setting mapping.{field} is no object of "in" (a JSON pointer), "any" and, if need be, "ignore" (lists of '
            "names)."
        )
        raise SettingsError(msg)
    object_of, names, ignored = _compile(field, source["in"]), source["any"], source.get("ignore")

    def has_any(record: Record) -> bool | None:
        found = object_of(record)
        if not isinstance(found, dict):
            return None
        if any(name in found and _is_set_up(found[name]) for name in names):
            return True
        return False if ignored is None or found.keys() <= set(ignored) else None

    return has_any


def _is_set_up(credential: Any) -> bool:
    """A credential of Ory's may stay when the last account or device is taken out of it."""
    return not (isinstance(credential, dict) and credential.get("identifiers") == [])
