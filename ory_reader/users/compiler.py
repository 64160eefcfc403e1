"""Compiles what an identity schema means into one straight function from an identity to a user.

A user has some thirty fields, and a generic way through sources and settings for each would cost several
times what reading the page does. So the function is written out once for each identity schema.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ory_reader.config.declaration import EXACT
from ory_reader.traits.paths import EACH
from ory_reader.users.code_generator import NOWHERE, Anyhow, Function
from ory_reader.users.mapping import Source

if TYPE_CHECKING:
    from ory_reader.config.settings import Settings
    from ory_reader.traits.decoder_types import Wanted
    from ory_reader.users.mapping import UserMapping

#: The fields of a user, and what of the function's names each of them is.
FIELDS = {
    "id": "r.id",
    "external_id": "r.external_id",
    "email": "email",
    "email_verified": "verified",
    "emails": "addresses",
    "phone_numbers": "numbers",
    "username": "username",
    "login": "login",
    "login_aliases": "others",
    "display_name": "display or tidy(username or email or login) or r.id",
    "first_name": "given",
    "last_name": "family",
    "status": "status",
    "status_details": "details",
    "account_type": "account",
    "employee_id": "employee",
    "created_at": "r.created_at",
    "updated_at": "r.updated_at",
    "status_changed_at": "r.state_changed_at",
    "organization_id": "r.organization_id",
    "schema_id": "r.schema_id",
    "mfa_enabled": "mfa",
    "mfa_methods": "methods",
    "sso_enabled": "sso",
    "sso_providers": "providers",
    "profile": "p",
    "nonconforming_traits": "o",
    "project_slug": "slug",
}


def compiled_user(meaning: UserMapping, wanted: Wanted, user: Any, settings: Settings) -> tuple[Any, Any]:
    """Return the functions that make a `user` (a struct of any of the stream's fields) for identities of a schema.

    They take the identity, its decoded traits, metadata_public and metadata_admin (None where they hold nothing
    that is wanted), the traits as they go out, and what did not fit of them. The first one is quick and hands over
    to the second where something is of another shape than the schema says; that one looks at the traits
    themselves, and is for those that did not decode as declared.
    """
    # Most projects have nobody who needs it, and to write it out takes a millisecond a schema.
    written = cache(lambda: _written(Anyhow(wanted), meaning, user, settings))

    def anyhow(*parts: Any) -> Any:
        return written()(*parts)

    quick = Function(wanted)
    quick.objects["anyhow"] = anyhow
    return _written(quick, meaning, user, settings), anyhow


def _written(code: Function, meaning: UserMapping, user: Any, settings: Settings) -> Any:
    _addresses(code, meaning)
    _names(code, meaning)
    _logins(code, meaning, credentials=bool(settings.credential_metadata))
    _account(code, meaning)
    _credentials(code, settings)
    if code.is_strict:
        _hand_over(code, meaning)
    code.objects["slug"] = settings.slug
    values = [FIELDS[name] for name in user.__struct_fields__ if name in FIELDS]
    code.line(f"return {code.named('U', user)}({', '.join(values)})")
    return code.compile("derive")


def _hand_over(code: Function, meaning: UserMapping) -> None:
    """Where a place holds something of which nothing was taken, it is of another shape than was looked for."""
    for path, is_name in meaning.places().items():
        name, place = code.place(path)
        if place.is_scalar or place is NOWHERE:
            continue
        below = [Source(each, "") for each in meaning.paths() if each[: len(path)] == path]
        if is_name:
            taken = f"given and family or display and {name}.__class__ is str"
            code.line(f"if {name} and not ({taken}): return anyhow(r, t, m, n, p, o)")
            continue
        taken = f"any({code.values(below)})"
        if any(EACH in each[:-1] for each, _ in below):
            # Which of several elements is the primary one is for the other function to find out.
            taken += f" and ({name}.__class__ is not list or len({name}) == 1)"
        code.line(f"if {name} and not ({taken}): return anyhow(r, t, m, n, p, o)")


def _override(meaning: UserMapping, field: str) -> tuple[Source, ...]:
    return meaning.overrides.get(field, ())


def _addresses(code: Function, meaning: UserMapping) -> None:
    """E-mail addresses and phone numbers: mostly one that is in the traits and the only one that Ory knows."""
    sources = (*_override(meaning, "email"), *meaning.emails)
    phones = (*_override(meaning, "phone_numbers"), *meaning.phones)
    numbers = code.values(phones)
    # Most people have none, and to ask first is several times cheaper than the call.
    usual = [f"numbers = phones({numbers}, None) if {code.first(phones)} else NONE" if phones else "numbers = NONE"]
    general = [
        f"addresses = emails({code.values(sources)}, v, a)",
        f"numbers = phones({numbers}, v)",
        "email = addresses[0].address if addresses else None",
        "verified = addresses[0].verified if addresses else None",
    ]
    code.line("v = r.verifiable_addresses")
    code.line("a = r.recovery_addresses")
    if not sources:
        code.branch("not v and not a", [*usual, "addresses = NONE", "email = verified = None"], general)
    elif code.is_strict and len(sources) == 1 and EACH not in sources[0].path:
        code.line(f"email = {code.value(sources[0].path)}")
        code.line("x = v[0] if v and len(v) == 1 else None")
        code.branch(
            'x and email and "@" in email and x.value == email.lower() and x.via == "email" '
            "and (not a or len(a) == 1 and a[0].value == x.value)",
            [*usual, "verified = x.verified", "addresses = [Email(email, True, verified)]"],
            general,
        )
    else:
        for line in general:
            code.line(line)


def _names(code: Function, meaning: UserMapping) -> None:
    for name, field, sources in (
        ("given", "first_name", meaning.first_names),
        ("family", "last_name", meaning.last_names),
        ("display", "display_name", meaning.display_names),
    ):
        value = code.first(_override(meaning, field), sources)
        code.line(f"{name} = {value}")
        if value != "None":
            # Most names are one word, and to ask first is several times cheaper than the call.
            code.line(f"if {name} and not {name}.isalpha(): {name} = tidy({name})")
    code.line('if not display: display = f"{given} {family}" if given and family else given or family')
    for name, field, sources in (
        ("username", "username", meaning.usernames),
        ("employee", "employee_id", meaning.employee_ids),
    ):
        value = code.first(_override(meaning, field), sources)
        code.line(f"{name} = {value}")
        if value != "None":
            code.line(f"if {name}: {name} = {name}.strip() or None")


def _logins(code: Function, meaning: UserMapping, *, credentials: bool) -> None:
    """What identifies by the schema and is no e-mail, else the e-mail; with no such schema, the user name first."""
    rest = ["email", "username"] if meaning.identifiers else ["username", "email"]
    last = "numbers[0] if numbers else None"
    code.line(f"login = {code.first(_override(meaning, 'login'), meaning.logins, otherwise=[*rest, f'({last})'])}")
    code.line("if login: login = login.strip() or None")
    sources = meaning.identifiers
    if credentials:
        code.line(f"others = aliases(login, {code.values(sources)}, r.credentials)")
        code.line("if login is None and others: login = others.pop(0)")
    elif not sources:
        code.line("others = NONE")
    elif code.is_strict and len(sources) == 1 and EACH not in sources[0].path:
        code.line(f"i = {code.value(sources[0].path)}")
        code.line("others = NONE if i is None or i == login else aliases(login, [i], None)")
    else:
        code.line(f"others = aliases(login, {code.values(sources)}, None)")


def _account(code: Function, meaning: UserMapping) -> None:
    """The setting for a field, the setting for the schema, a trait, the schema's name: in this order."""
    code.line('if r.state == "active": status, details = "enabled", None')
    code.line("else: status, details = status_of(r.state, r.state_changed_at)")
    usual = code.named("K", meaning.account_type)
    code.line(f"account = {usual}")
    sources = (*_override(meaning, "account_type"), *meaning.account_types)
    if sources or meaning.service_flags:
        code.line(f"said = {code.values(sources)}")
        code.line(f"flag = {' or '.join([*(code.flag(path) for path, _ in meaning.service_flags), 'False'])}")
        code.line(f"if flag or any(said): account = account_type(said, is_service=flag, otherwise={usual})")


def _credentials(code: Function, settings: Settings) -> None:
    """Nothing is said of identities whose credentials the server does not tell (Kratos v1.0 tells none)."""
    code.line("mfa = methods = sso = providers = None")
    if settings.credential_metadata:
        exact = settings.credential_metadata == EXACT
        code.line("if r.credentials is not None:")
        code.line(f"    methods = second_factors(r.credentials, exact={exact}, code={settings.code_mfa_enabled})")
        code.line("    if methods is not None: mfa = bool(methods)")
        code.line("    sso, providers = sso_providers(r.credentials)")
