"""Which trait is whose e-mail, login, name: the sources of a user's fields, per identity schema.

First by Ory's keyword on a trait (what it identifies, verifies, recovers), then by well-known names. Knows
shapes of traits and the settings of a project; nothing of records, of Singer or of HTTP.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from ory_reader.json_pointer import USABLE_NAME
from ory_reader.traits.paths import EACH, Path, normal
from ory_reader.traits.shapes import OPEN, Shape
from ory_reader.users.accounts import BY_SETTING, account_type_of
from ory_reader.users.well_known_names import (
    ACCOUNT_TYPE,
    BELOW_NAME,
    EMAIL,
    EMPLOYEE_ID,
    FIRST_NAME,
    FULL_NAME,
    GENERIC,
    LAST_NAME,
    NAME_OBJECT,
    OWN_OBJECT,
    PHONE,
    SERVICE_FLAG,
    SINGLE,
    USERNAME,
    value_names,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ory_reader.config.settings import Settings
    from ory_reader.config.user_fields import Pointer

INDEX = re.compile(r"\d{1,6}", re.ASCII)
#: Why a trait counts that a schema allows and does not declare.
UNDECLARED = "well-known name, undeclared"
#: Why a place counts where a schema says that something else than this is there.
OTHERWISE = "well-known name, of another shape"


class Source(NamedTuple):
    """Where a value of a user may come from, and why: a few words for people."""

    path: Path
    why: str


@dataclass(frozen=True)
class UserMapping:
    """The sources of each field for the identities of one schema; the first that has a value counts.

    `emails` and `phones` are read from all their sources, the first being the primary one. `logins` are the
    identifiers that are no e-mail, `identifiers` all of them. `overrides` are the settings' own, by field.
    """

    emails: tuple[Source, ...]
    phones: tuple[Source, ...]
    usernames: tuple[Source, ...]
    logins: tuple[Source, ...]
    identifiers: tuple[Source, ...]
    display_names: tuple[Source, ...]
    first_names: tuple[Source, ...]
    last_names: tuple[Source, ...]
    employee_ids: tuple[Source, ...]
    account_types: tuple[Source, ...]
    service_flags: tuple[Source, ...]
    overrides: Mapping[str, tuple[Source, ...]]
    account_type: str
    account_why: str

    def paths(self) -> Iterator[Path]:
        """Every path that is read."""
        for value in vars(self).values():
            groups = value.values() if isinstance(value, dict) else [value] if isinstance(value, tuple) else ()
            for source in chain.from_iterable(groups):
                yield source.path

    def places(self) -> dict[Path, bool]:
        """The places that may hold a value of another shape than is looked for there, and whether each is a name."""
        places: dict[Path, bool] = {}
        for path in self.paths():
            if path[0] != "traits":
                continue
            end = next((at for at, part in enumerate(path) if isinstance(part, int)), len(path))
            places.setdefault(path[:end], False)
            for at in range(1, end):
                name = _Trait(path[: at + 1], OPEN).name
                if name in NAME_OBJECT or (name in SINGLE and at < end - 1):
                    places[path[: at + 1]] = name in NAME_OBJECT
        places.pop(("traits",), None)
        return {path: is_name for path, is_name in places.items() if path not in self._flags}

    @property
    def _flags(self) -> set[Path]:
        return {source.path for source in self.service_flags}


def user_mapping_of(schema_id: str | None, shape: Shape | None, settings: Settings) -> UserMapping:
    """Return the sources for one identity schema; `shape` None is a schema that could not be read."""
    traits = [*_traits(GENERIC if shape is None or shape == OPEN else shape, ("traits",))]
    found = _sources(traits)
    if shape is not None and not shape.closed:
        # Traits beyond the declared ones are allowed: they count where no declared one does.
        found = {
            name: sources if any(source.why != OTHERWISE for source in sources) else (*sources, *_GENERIC_SOURCES[name])
            for name, sources in found.items()
        }
    rules = {**settings.user_fields[None], **settings.user_fields.get(schema_id, {})}
    account_type, why = account_type_of(schema_id, settings)
    if why == BY_SETTING:
        found |= {"account_types": (), "service_flags": ()}
    return UserMapping(
        **found,
        overrides={name: _override(_path(pointer, shape)) for name, pointer in rules.items()},
        account_type=account_type,
        account_why=why,
    )


class _Trait(NamedTuple):
    path: Path
    shape: Shape
    #: Whether the schema says that something else is there.
    otherwise: bool = False

    @property
    def name(self) -> str:
        """The normal name, in view of where the trait is: empty where it is not the person's own."""
        *parents, last = (normal(part) for part in self.path[1:] if isinstance(part, str))
        if parents and parents[-1] in SINGLE - NAME_OBJECT and last in value_names(parents[-1]):
            *parents, last = parents
        if not OWN_OBJECT.issuperset(parents):
            return ""
        return BELOW_NAME.get(last, last) if parents and parents[-1] in NAME_OBJECT else last

    def keyword(self, *names: str) -> Any:
        value: Any = self.shape.keyword
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    @property
    def identifies(self) -> list[str]:
        """The credentials that it identifies, for example password."""
        kinds = ("password", "webauthn", "code")
        return [kind for kind in kinds if self.keyword("credentials", kind, "identifier") is True]

    @property
    def vias(self) -> dict[str, Any]:
        return {
            "verification": self.keyword("verification", "via"),
            "recovery": self.keyword("recovery", "via"),
            "code": self.keyword("credentials", "code", "via"),
        }

    @property
    def is_email(self) -> bool:
        return "email" in self.vias.values() or self.shape.format in {"email", "idn-email"} or self.name in EMAIL

    @property
    def is_phone(self) -> bool:
        return self.is_called or self.shape.format == "tel" or self.name in PHONE

    @property
    def is_called(self) -> bool:
        """Whether Ory sends text messages to it."""
        return not {"sms", "phone"}.isdisjoint(map(str, self.vias.values()))

    def source(self, why: str = "") -> Source:
        """As a source, on account of the keyword unless `why` says otherwise."""
        words = [f"{kind} identifier" for kind in self.identifies]
        words += [use for use, via in self.vias.items() if via and use != "code"]
        return Source(self.path, OTHERWISE if self.otherwise else why or ", ".join(words) or "keyword")


def is_well_known(path: Path) -> bool:
    """Whether a path is that of a trait with a well-known name."""
    return _Trait(path, OPEN).name in SINGLE


def _traits(shape: Shape, path: Path) -> Iterator[_Trait]:
    """All traits that may have a value of their own, members of objects and elements of arrays included."""
    trait = _Trait(path, shape)
    if shape.types is None or not shape.types <= {"object", "array"}:
        yield trait
    elif len(path) > 1 and EACH not in path and trait.name in SINGLE | NAME_OBJECT:
        yield trait._replace(otherwise=True)
    for name, member in shape.properties.items():
        if USABLE_NAME.fullmatch(name):
            yield from _traits(member, (*path, name))
    if len(path) > 1 and EACH not in path and trait.name in NAME_OBJECT:
        for name in ("first", "last"):
            if name not in shape.properties:
                yield _Trait((*path, name), OPEN, otherwise=True)
    if EACH not in path and shape.types is not None and "array" in shape.types:
        yield from _traits(shape.items or OPEN, (*path, EACH))


def _sources(traits: list[_Trait]) -> dict[str, tuple[Source, ...]]:
    traits = [trait for trait in traits if any(isinstance(part, str) for part in trait.path[1:])]
    identifiers = [trait for trait in traits if trait.identifies]
    plain = [trait for trait in identifiers if not trait.is_email and not trait.is_phone]
    phones = [trait for trait in identifiers if trait.is_phone]
    named = [
        trait
        for trait in traits
        if trait.keyword("credentials", "passkey", "display_name") is True
        and not (trait.is_email or trait.is_phone or trait.identifies)
    ]
    return {
        "emails": _emails(traits),
        "phones": _unique(
            [trait.source() for trait in traits if trait.is_called],
            [trait.source("format tel") for trait in traits if trait.shape.format == "tel" and trait.name],
            _named(traits, PHONE),
        ),
        "usernames": _unique([trait.source() for trait in plain], _named(traits, USERNAME)),
        "logins": _unique([trait.source() for trait in [*plain, *phones]]),
        "identifiers": _unique([trait.source() for trait in identifiers]),
        "display_names": _unique(
            [trait.source("passkey display name") for trait in named],
            _named(traits, FULL_NAME),
        ),
        "first_names": _named(traits, FIRST_NAME),
        "last_names": _named(traits, LAST_NAME),
        "employee_ids": _named(traits, EMPLOYEE_ID),
        "account_types": _named(traits, ACCOUNT_TYPE, "well-known name, if it is a known word"),
        "service_flags": _named(traits, SERVICE_FLAG, "well-known name, service if true"),
    }


def _emails(traits: list[_Trait]) -> tuple[Source, ...]:
    """Who can sign in and verify by it, then who can recover, then verify; then names, then the format alone."""
    verified = [trait for trait in traits if trait.vias["verification"] == "email"]
    found = _unique(
        [trait.source() for trait in verified if trait.identifies],
        [trait.source() for trait in traits if trait.vias["recovery"] == "email"],
        [trait.source() for trait in verified],
        [trait.source() for trait in traits if trait.identifies and trait.is_email],
        _named(traits, EMAIL),
    )
    return found or _unique([trait.source("format email") for trait in traits if trait.is_email and trait.name])


def _named(traits: list[_Trait], names: frozenset[str], why: str = "well-known name") -> tuple[Source, ...]:
    return tuple(trait.source(why) for trait in traits if trait.name in names)


def _unique(*groups: Iterable[Source]) -> tuple[Source, ...]:
    by_path: dict[Path, Source] = {}
    for group in groups:
        for source in group:
            by_path.setdefault(source.path, source)
    return tuple(by_path.values())


def _override(path: Path) -> tuple[Source, ...]:
    """What a pointer leads to: the value there, or the elements of an array."""
    source = Source(path, "setting user_fields")
    return (source,) if EACH in path or len(path) == 1 else (source, Source((*path, EACH), OTHERWISE))


def _path(pointer: Pointer, shape: Shape | None) -> Path:
    """A pointer as a path: digits are an index unless the schema has an object there; an array means its elements."""
    path: list[str | int] = [pointer[0]]
    place = shape if shape and pointer[0] == "traits" else None
    for part in pointer[1:]:
        if INDEX.fullmatch(part) and not (place and place.is_object):
            path.append(int(part))
            place = place.items if place else None
        else:
            path.append(part)
            place = place.properties.get(part) if place else None
    if place and place.types == frozenset({"array"}):
        path.append(EACH)
    return tuple(path)


_GENERIC_SOURCES = {
    name: tuple(source._replace(why=UNDECLARED) for source in sources)
    for name, sources in _sources([*_traits(GENERIC, ("traits",))]).items()
}
