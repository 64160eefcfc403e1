"""Compiles what an identity schema means into one straight function from an identity to a user.

A user has some thirty fields, and a generic way through sources and settings for each would cost several
times what reading the page does. So the function is written out once for each identity schema, as text of
generated names and numbers alone: names of traits, ids and values are handed in as objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_ory import factors, user_parts
from tap_ory.factors import EXACT
from tap_ory.meaning import EACH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_ory.compiling import Wanted
    from tap_ory.meaning import Meaning, Path, Source
    from tap_ory.settings import Settings

#: The arguments of a derivation: the identity, then the decoded parts that sources may lie in.
ROOTS = {"traits": "t", "metadata_public": "m", "metadata_admin": "n"}


class _Function:
    """Lines of a function, and the objects that they name."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._lines: list[str] = []
        self._names: dict[Path, tuple[str, Wanted]] = {}
        self.objects: dict[str, Any] = {name: getattr(user_parts, name) for name in PARTS}
        self.objects.update({name: getattr(factors, name) for name in FACTORS})
        for root, name in ROOTS.items():
            place = wanted.members.get(root)
            if place and place.struct:
                struct = self.named("S", place.struct)
                self.line(f"if {name}.__class__ is not {struct}: {name} = {self.named('E', place.struct())}")
            if place:
                self._names[(root,)] = (name, place)

    def line(self, text: str) -> None:
        self._lines.append(text)

    def branch(self, condition: str, then: Iterable[str], otherwise: Iterable[str]) -> None:
        self._lines += [f"if {condition}:", *(f"    {line}" for line in then)]
        self._lines += ["else:", *(f"    {line}" for line in otherwise)]

    def named(self, kind: str, value: Any) -> str:
        """Hand in an object; return its name."""
        name = f"{kind}{len(self.objects)}"
        self.objects[name] = value
        return name

    def value(self, path: Path) -> str:
        """The name of the text (or None) at a path without EACH."""
        if path == ("external_id",):
            return "r.external_id"
        name, place = self._place(path)
        return name if place.is_text else f"text({name})"

    def flag(self, path: Path) -> str:
        return f"{self._place(path)[0]} is True"

    def values(self, sources: Iterable[Source]) -> str:
        """A list of all texts at the sources, elements of arrays included."""
        return f"[{', '.join(f'*{self._elements(path)}' if EACH in path else self.value(path) for path, _ in sources)}]"

    def first(self, *sources: Sequence[Source], otherwise: Sequence[str] = ("None",)) -> str:
        """The first text that is not empty."""
        parts = [
            f"next(filter(None, {self._elements(path)}), None)" if EACH in path else self.value(path)
            for group in sources
            for path, _ in group
        ]
        return " or ".join([*parts, *otherwise])

    def compile(self, name: str) -> Any:
        source = f"def {name}(r, t, m, n, p, o):\n" + "".join(f"    {line}\n" for line in self._lines)
        exec(compile(source, f"<{name}>", "exec"), self.objects)  # noqa: S102 - see the module's docstring
        return self.objects[name]

    def _place(self, path: Path) -> tuple[str, Wanted]:
        if path not in self._names:
            above, place = self._place(path[:-1])
            part = path[-1]
            name = f"v{len(self._names)}"
            if isinstance(part, int):
                expression = f"{above}[{part}] if {above}.__class__ is list and len({above}) > {part} else None"
                below = place.element
            elif part not in place.attributes:
                # The schema of a catalog says that nothing can be there.
                expression, below = "None", place.members[part]
            else:
                expression, below = f"{above}.{place.attributes[part]}", place.members[part]
                if len(path) > 2:  # noqa: PLR2004 - a root is always of its struct
                    expression += f" if {above}.__class__ is {self.named('S', place.struct)} else None"
            self.line(f"{name} = {expression}")
            self._names[path] = (name, below or place)
        return self._names[path]

    def _elements(self, path: Path) -> str:
        at = path.index(EACH)
        name, place = self._place(path[:at])
        if len(path) == at + 1 and place.element and place.element.is_text:
            return f"({name} if {name}.__class__ is list else NONE)"
        chain, below = [], place.element
        for part in path[at + 1 :]:
            if below is None or part not in below.attributes:
                return "NONE"
            chain.append((below.struct, below.attributes[str(part)]))
            below = below.members[str(part)]
        return f"([dig(e, {self.named('C', chain)}) for e in {name}] if {name}.__class__ is list else NONE)"


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
    "display_name": "display or username or email or login or r.id",
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
#: What the lines of a function may call.
PARTS = (
    "Email",
    "NONE",
    "account_type",
    "aliases",
    "dig",
    "emails",
    "phones",
    "status_of",
    "text",
)
FACTORS = ("second_factors", "sso_providers")


def derivation(meaning: Meaning, wanted: Wanted, user: Any, settings: Settings) -> Any:
    """Return the function that makes a `user` (a struct of any of the stream's fields) for identities of a schema.

    It takes the identity, its decoded traits, metadata_public and metadata_admin (None where they hold nothing
    that is wanted), the traits as they go out, and what did not fit of them.
    """
    credentials = bool(settings.credential_metadata)
    code = _Function(wanted)
    _addresses(code, meaning)
    _names(code, meaning)
    _logins(code, meaning, credentials=credentials)
    _account(code, meaning)
    _credentials(code, settings)
    code.objects["slug"] = settings.slug
    values = [FIELDS[name] for name in user.__struct_fields__]
    code.line(f"return {code.named('U', user)}({', '.join(values)})")
    return code.compile("derive")


def _override(meaning: Meaning, field: str) -> tuple[Source, ...]:
    return (meaning.overrides[field],) if field in meaning.overrides else ()


def _addresses(code: _Function, meaning: Meaning) -> None:
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
    elif len(sources) == 1 and EACH not in sources[0].path:
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


def _names(code: _Function, meaning: Meaning) -> None:
    for name, field, sources in (
        ("given", "first_name", meaning.first_names),
        ("family", "last_name", meaning.last_names),
        ("display", "display_name", meaning.display_names),
        ("username", "username", meaning.usernames),
        ("employee", "employee_id", meaning.employee_ids),
    ):
        code.line(f"{name} = {code.first(_override(meaning, field), sources)}")
        if sources or field in meaning.overrides:
            code.line(f"if {name} and {name}.isspace(): {name} = None")
    code.line('if not display: display = f"{given} {family}" if given and family else given or family')


def _logins(code: _Function, meaning: Meaning, *, credentials: bool) -> None:
    """What identifies by the schema and is no e-mail, else the e-mail; with no such schema, the user name first."""
    rest = ["email", "username"] if meaning.identifiers else ["username", "email"]
    last = "numbers[0] if numbers else None"
    code.line(f"login = {code.first(_override(meaning, 'login'), meaning.logins, otherwise=[*rest, f'({last})'])}")
    code.line("if login and login.isspace(): login = None")
    sources = meaning.identifiers
    if credentials:
        code.line(f"others = aliases(login, {code.values(sources)}, r.credentials)")
        code.line("if login is None and others: login = others.pop(0)")
    elif not sources:
        code.line("others = NONE")
    elif len(sources) == 1 and EACH not in sources[0].path:
        code.line(f"i = {code.value(sources[0].path)}")
        code.line("others = NONE if i is None or i == login else aliases(login, [i], None)")
    else:
        code.line(f"others = aliases(login, {code.values(sources)}, None)")


def _account(code: _Function, meaning: Meaning) -> None:
    """The setting for a field, the setting for the schema, a trait, the schema's name: in this order."""
    code.line('if r.state == "active": status, details = "enabled", None')
    code.line("else: status, details = status_of(r.state, r.state_changed_at)")
    usual = code.named("K", meaning.account_type)
    code.line(f"account = {usual}")
    sources = (*_override(meaning, "account_type"), *meaning.account_types)
    if sources or meaning.service_flags:
        code.line(f"said = {code.first(sources)}")
        code.line(f"flag = {' or '.join([*(code.flag(path) for path, _ in meaning.service_flags), 'False'])}")
        code.line(f"if said or flag: account = account_type(said, is_service=flag, otherwise={usual})")


def _credentials(code: _Function, settings: Settings) -> None:
    """Nothing is said of identities whose credentials the server does not tell (Kratos v1.0 tells none)."""
    code.line("mfa = methods = sso = providers = None")
    if settings.credential_metadata:
        exact = settings.credential_metadata == EXACT
        code.line("if r.credentials is not None:")
        code.line(f"    methods = second_factors(r.credentials, exact={exact}, code={settings.code_mfa_enabled})")
        code.line("    if methods is not None: mfa = bool(methods)")
        code.line("    sso, providers = sso_providers(r.credentials)")
