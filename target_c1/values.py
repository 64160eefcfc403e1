"""Single values: what is a text, an e-mail address, a moment. Knows C1's limits for them, and nothing of records."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Any

MAX_ADDRESS_BYTES = 254
MAX_LOCAL_BYTES = 64

#: What the closing line calls values that C1's messages, or their readers, cannot hold as they are.
TOO_LARGE = "numbers too large for C1 written as text"
TOO_DEEP = "objects nested too deep written as text"

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a1-\U0010ffff-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt ](?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d|60)(?:\.(\d{1,9})\d*)?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3]):?([0-5]\d))?",
    re.ASCII,
)
#: 0001-01-01 and 9999-12-31, what a protobuf Timestamp may hold.
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799

_HUMAN, _SERVICE, _SYSTEM = 1, 2, 3
_ACCOUNT_TYPES = {
    **dict.fromkeys(("human", "person"), _HUMAN),
    **dict.fromkeys(("service", "serviceaccount", "serviceuser", "bot", "robot"), _SERVICE),
    **dict.fromkeys(("machine", "machineaccount", "machineuser"), _SERVICE),
    **dict.fromkeys(("system", "systemaccount", "systemuser"), _SYSTEM),
}

#: Seconds since 1970 and nanoseconds.
Moment = tuple[int, int]


def count_texts(changed: dict[str, int], values: list[Any]) -> None:
    """Count integers and nested values that became text; one that stands in two places of a profile is one."""
    for value in {id(value): value for value in values}.values():
        reason = TOO_LARGE if isinstance(value, int) else TOO_DEEP
        changed[reason] = changed.get(reason, 0) + 1


def text(value: Any) -> str | None:
    """Return a text that is not blank, or an integer's digits; else None."""
    if type(value) is str:
        return value if value and not value.isspace() else None
    return str(value) if type(value) is int else None


@lru_cache(maxsize=256)
def account_type(word: str) -> int:
    """Return C1's number for what an account type is called, without regard to case and separators; 0 for none."""
    return _ACCOUNT_TYPES.get(re.sub(r"[^a-z]", "", word.lower()), 0)


def is_address(value: str) -> bool:
    """Tell whether C1 takes `value` as an e-mail address."""
    return bool(ADDRESS.fullmatch(value)) and _fits(value)


def parse_time(value: Any) -> Moment | None:
    """Return the moment of an RFC 3339 text (UTC if it names no offset), or None if it is none."""
    if value is None:
        return None
    match = _TIME.fullmatch(value) if type(value) is str else None
    if match is None:
        return None
    minute, second, fraction, sign, hours, minutes = match.groups()
    total = _seconds_until(minute)
    if total is None:
        return None
    total += int(second)
    if sign:
        offset = (int(hours) * 60 + int(minutes)) * 60
        total += offset if sign == "-" else -offset
    if not _FIRST_SECOND <= total <= _LAST_SECOND:
        return None
    return total, int(fraction.ljust(9, "0")) if fraction else 0


@lru_cache(maxsize=4096)
def _seconds_until(minute: str) -> int | None:
    """Return the seconds from 1970 to a minute (`2026-01-31T23:59`), or None if there is no such day."""
    try:
        days = date.fromisoformat(minute[:10]).toordinal() - date(1970, 1, 1).toordinal()
    except ValueError:
        return None
    return ((days * 24 + int(minute[11:13])) * 60 + int(minute[14:16])) * 60


def _fits(address: str) -> bool:
    if len(address) <= MAX_LOCAL_BYTES // 4:
        return True
    local, _, _ = address.rpartition("@")
    return len(address.encode()) <= MAX_ADDRESS_BYTES and len(local.encode()) <= MAX_LOCAL_BYTES


def why_invalid(address: str) -> str:
    """Say in a few words why C1 would not take what should be an e-mail address."""
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        return "no name or domain around an @"
    if not _fits(address):
        return "too long"
    return "malformed" if domain.isascii() else "a domain that is not in ASCII"
