"""A record becomes a C1 user: names, addresses, login, status and profile, by rules that hold for any stream.

Knows C1's limits (c1.connector.v2: ids and names 1 to 1024 bytes), nothing of its file formats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from target_c1.values import Moment, account_type, is_address, parse_time, text, why_invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_c1.mapping import Mapping, Record

MAX_BYTES = 1024
STATUS_NAMES = ("unspecified", "enabled", "disabled", "deleted")
UNSPECIFIED, ENABLED, DISABLED, DELETED = range(4)
ACCOUNT_TYPE_NAMES = ("unspecified", "human", "service", "system")

STATUSES: dict[Any, int] = {
    "enabled": ENABLED,
    "active": ENABLED,
    "disabled": DISABLED,
    "inactive": DISABLED,
    "suspended": DISABLED,
    "deleted": DELETED,
    True: ENABLED,
    False: DISABLED,
}


class User(msgspec.Struct, frozen=True):
    """A user as C1 knows one. All texts are valid, within C1's limits; None is unknown.

    The first of `emails` is the primary one. `status` and `account_type` are C1's numbers.
    """

    id: str
    display_name: str
    first_name: str | None
    last_name: str | None
    emails: list[str]
    login: str | None
    login_aliases: list[str]
    status: int
    status_details: str | None
    account_type: int
    employee_ids: list[str]
    created_at: Moment | None
    last_login: Moment | None
    mfa_enabled: bool | None
    sso_enabled: bool | None
    profile: dict[str, Any]


class Tally(msgspec.Struct):
    """What the closing line says was left out or changed: numbers by reason."""

    skipped_addresses: dict[str, int] = {}
    left_out: dict[str, int] = {}
    changed: dict[str, int] = {}

    def add(self, other: Tally) -> None:
        """Add another tally's numbers."""
        for name in self.__struct_fields__:
            for reason, number in getattr(other, name).items():
                count(getattr(self, name), reason, number)


def count(numbers: dict[str, int], reason: str, number: int = 1) -> None:
    """Add to the number of a reason."""
    numbers[reason] = numbers.get(reason, 0) + number


def address_texts(candidates: Iterable[Any]) -> list[Any]:
    """Return what may be the e-mail addresses, of texts and of objects that hold one beside other things."""
    return [
        (each.get("address") or each.get("value") or each.get("email")) if type(each) is dict else each
        for each in candidates
        # Phone numbers are among an identity's addresses.
        if type(each) is not dict or each.get("via", "email") == "email"
    ]


class UserReader:
    """Makes users out of records by one mapping, and keeps the tally."""

    def __init__(self, mapping: Mapping) -> None:
        """Take the compiled `mapping`."""
        self.tally = Tally()
        self._mapping = mapping
        one, many, flags = mapping.one, mapping.many, mapping.flags
        self._id, self._display_name = one["id"], one["display_name"]
        self._first_name, self._last_name, self._username = one["first_name"], one["last_name"], one["username"]
        self._email, self._emails = one["email"], many["emails"]
        self._login, self._identifiers, self._aliases = one["login"], many["identifiers"], many["login_aliases"]
        self._status, self._details, self._types = one["status"], one["status_details"], many["account_type"]
        self._employee_id, self._created_at, self._last_login = (
            many["employee_id"],
            one["created_at"],
            one["last_login"],
        )
        self._mfa, self._sso = flags["mfa_enabled"], flags["sso_enabled"]

    def read(self, record: Record) -> User | None:
        """Return the user of a record, or None (counted) if it has no id that C1 can take."""
        identifier = self._id(record)
        if type(identifier) is not str:
            identifier = text(identifier)
        if not identifier:
            count(self.tally.left_out, "no usable id")
            return None
        if len(identifier) > MAX_BYTES // 4 and len(identifier.encode()) > MAX_BYTES:
            count(self.tally.left_out, f"an id of more than {MAX_BYTES} bytes")
            return None
        first, last, username = (
            text(self._first_name(record)),
            text(self._last_name(record)),
            text(self._username(record)),
        )
        emails, invalid = self._addresses(record)
        primary = emails[0] if emails else None
        full = " ".join(filter(None, (first, last)))
        login, aliases = self._logins(record, username, primary)
        status, details = self._state(record)
        # In the order of the fields: by name it takes half as long again.
        return User(
            identifier,
            self._cut(text(self._display_name(record)) or full or username or primary or identifier),
            first,
            last,
            emails,
            login,
            aliases,
            status,
            details,
            next(filter(None, [account_type(word) for word in self._types(record) if type(word) is str]), 0),
            _texts(self._employee_id(record)),
            parse_time(self._created_at(record)),
            parse_time(self._last_login(record)),
            self._mfa(record),
            self._sso(record),
            self._profile(record, identifier, first, last, invalid),
        )

    def _addresses(self, record: Record) -> tuple[list[str], list[str]]:
        """Return the valid addresses, primary first and without repetition, and the texts that are none."""
        valid: list[str] = []
        invalid: list[str] = []
        seen: set[str] = set()
        folded_seen: set[str] = set()
        candidates = self._emails(record)
        primary = self._email(record)
        for address in address_texts(candidates if primary is None else (primary, *candidates)):
            if type(address) is not str:
                if address is not None:
                    count(self.tally.skipped_addresses, "not a text")
                continue
            if address in seen:
                continue
            seen.add(address)
            stripped = address.strip()
            folded = stripped.casefold()
            if not stripped or folded in folded_seen:
                continue
            folded_seen.add(folded)
            if is_address(stripped):
                valid.append(stripped)
            else:
                invalid.append(stripped)
                count(self.tally.skipped_addresses, why_invalid(stripped))
        return valid, invalid

    def _logins(self, record: Record, username: str | None, primary: str | None) -> tuple[str | None, list[str]]:
        """Return the login and its aliases.

        The login is the one that the mapping names, else the first identifier that is no e-mail address, else the
        username, else the primary address, else the first identifier.
        """
        identifiers = _texts(self._identifiers(record))
        aliases = _texts(self._aliases(record)) + identifiers
        login = text(self._login(record))
        if login is None:
            other = [each for each in identifiers if "@" not in each]
            login = (other and other[0]) or username or primary or (identifiers and identifiers[0]) or None
        if login is None or not aliases:
            return login, aliases
        kept: dict[str, str] = {}
        for each in aliases:
            kept.setdefault(each.casefold(), each)
        kept.pop(login.casefold(), None)
        return login, list(kept.values())

    def _state(self, record: Record) -> tuple[int, str | None]:
        """Return C1's status and, unless the user is enabled, the details; an unknown status becomes the details."""
        given = self._status(record)
        if type(given) is str:
            given = given.lower()
        status = STATUSES.get(given, UNSPECIFIED) if isinstance(given, (str, bool)) else UNSPECIFIED
        if status == ENABLED:
            return status, None
        details = text(self._details(record)) if status != UNSPECIFIED or given is None else text(given)
        if status == UNSPECIFIED and given is not None:
            count(self.tally.changed, "status that C1 does not have")
        return status, self._cut(details) if details else None

    def _profile(
        self, record: Record, identifier: str, first: str | None, last: str | None, invalid: list[str]
    ) -> dict[str, Any]:
        profile: dict[str, Any] = {}
        for spread in self._mapping.spread(record):
            if isinstance(spread, dict):
                for name, value in spread.items():
                    if isinstance(value, (str, int, float)) and name not in profile:
                        profile[name] = value
        for name, getter in self._mapping.profile:
            value = getter(record)
            if value is not None:
                profile[name] = value
        profile["user_id"] = identifier
        if first is not None:
            profile["first_name"] = first
        if last is not None:
            profile["last_name"] = last
        if invalid:
            profile["invalid_emails"] = invalid
        return profile

    def _cut(self, value: str) -> str:
        """Return `value` with at most `MAX_BYTES` bytes, cut between two characters."""
        if len(value) <= MAX_BYTES // 4:
            return value
        data = value.encode()
        if len(data) <= MAX_BYTES:
            return value
        count(self.tally.changed, f"name or detail cut to {MAX_BYTES} bytes")
        return data[:MAX_BYTES].decode(errors="ignore")


def _texts(values: list[Any]) -> list[str]:
    return [found for value in values if (found := text(value)) is not None] if values else []
