"""Tables of 256 entries: a random byte picks one. How often people are one thing or another is said here.

Entries are pieces of an identity's JSON, or what decides about them.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeVar

from ory_sandbox import sample_words
from ory_sandbox.render import to_json
from ory_sandbox.schemas import CUSTOMER, PERSON, PRESET, STAFF

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

_BYTE = 256


def _table(choices: Sequence[T], share: int = _BYTE, otherwise: T | None = None) -> tuple[T, ...]:
    """Each choice about as often as the others, in so many of 256 entries; the rest is something else."""
    picked = [choices[index % len(choices)] for index in range(share)]
    rest = [] if otherwise is None else [otherwise] * (_BYTE - share)
    return (*picked, *rest)


def _quoted(names: Sequence[tuple[str, str]], *, ascii_only: bool) -> tuple[tuple[str, str], ...]:
    return _table([(to_json(name, ascii_only=ascii_only)[1:-1], slug) for name, slug in names])


SCHEMA = (*[PERSON] * 140, *[PRESET] * 40, *[CUSTOMER] * 40, *[STAFF] * 36)
STATE = _table(["inactive"], 18, "active")
# Rows from before that column existed have none.
HAS_STATE_CHANGE = _table([False], 8, otherwise=True)
UPDATED_LATER = _table([True], 100, otherwise=False)
CREDENTIALS_UPDATED_LATER = _table([True], 80, otherwise=False)

# Names, and what becomes of them in an e-mail address. Half of the clients that wrote the traits escaped what
# is not ASCII; the server keeps it as it was written.
FIRST_NAMES = (_quoted(sample_words.FIRST_NAMES, ascii_only=False), _quoted(sample_words.FIRST_NAMES, ascii_only=True))
LAST_NAMES = (_quoted(sample_words.LAST_NAMES, ascii_only=False), _quoted(sample_words.LAST_NAMES, ascii_only=True))
#: First and last names as above, and where everybody's or nobody's are ASCII.
NAMES = {
    "mixed": (FIRST_NAMES, LAST_NAMES),
    **{
        kind: tuple(
            (_quoted([name for name in names if name[0].isascii() is wanted], ascii_only=False),) * 2
            for names in (sample_words.FIRST_NAMES, sample_words.LAST_NAMES)
        )
        for kind, wanted in (("ascii", True), ("unicode", False))
    },
}
DOMAIN = _table(sample_words.DOMAINS)
# Traits keep the case in which an address was typed, the addresses themselves are in lower case.
TYPED_IN_CAPITALS = _table([True], 40, otherwise=False)

HAS_NAME = _table([False], 12, otherwise=True)
JOB_TITLE = _table([f',"job_title":{to_json(job)}' for job in sample_words.JOBS], 128, "")
GROUPS = _table([to_json(groups) for groups in sample_words.GROUPS])
GROUPS_MEMBER = _table([f',"groups":{groups}' for groups in GROUPS], 160, "")
MANAGER = _table([',"manager":null'], 30, "")
NEWSLETTER = _table(["true", "false"])
HAS_PHONE = _table([True], 150, otherwise=False)
MORE_EMAILS = _table([(), sample_words.TAGS[:1], sample_words.TAGS])
POSTAL_ADDRESS = _table(
    [to_json(address, ascii_only=bool(index % 2)) for index, address in enumerate(sample_words.ADDRESSES)],
)
SERVICE = _table([*sample_words.SERVICES], 128, "")
USERNAME_ENDING = _table(["ë😀"], 32, "")
EXTERNAL_ID = _table(['"external_id":"hr-$",'], 64, "")
ORGANIZATION = _table([f'"{name}"' for name in sample_words.ORGANIZATIONS], 26, "null")

PUBLIC_METADATA = _table([to_json(value) for value in sample_words.PUBLIC_METADATA], 90, "null")
ADMIN_METADATA = _table([to_json(value) for value in sample_words.ADMIN_METADATA], 54, "null")
# Where nothing else is; only the network's database gives numbers back as numbers.
NUMBER_AS_METADATA = _table(sample_words.NUMBERS, 6, "null")

# What became of an address: verified, sent a message, or nothing yet.
VERIFIED = _table([True], 170, otherwise=False)
UNVERIFIED_STATUS = _table(["sent", "pending", "pending"])

PROVIDER = _table([*sample_words.PROVIDERS], 60, "")
HAS_RECOVERY_CODES = _table([True], 20, otherwise=False)
HAS_TOTP = _table([True], 30, otherwise=False)
SECURITY_KEYS = _table([f'"credentials":[{to_json(sample_words.SECURITY_KEY)}],'], 26, "")

# Days between somebody's first and last change.
LATER_BY = range(1, 1 + _BYTE)
CREATED_WITHIN_DAYS = 1400
DAYS = tuple((date(2021, 3, 1) + timedelta(days=day)).isoformat() for day in range(CREATED_WITHIN_DAYS + LATER_BY.stop))
TIMES_OF_DAY = tuple(
    f"T{hour:02d}:{minute:02d}:{(hour * 7 + minute * 13) % 60:02d}" for hour in range(24) for minute in range(60)
)


def _fractions(digits: int) -> tuple[str, ...]:
    """Fractions of a second as Go writes them: trailing zeros trimmed, nothing for a whole second.

    One in sixteen is coarser than chance would have it.
    """
    generator = random.Random(digits)
    fractions = [f".{generator.randrange(10**digits):0{digits}d}" for _ in range(_BYTE)]
    fractions[::16] = [fraction[: generator.randrange(1, digits)] for fraction in fractions[::16]]
    return tuple(fraction.rstrip("0").rstrip(".") for fraction in fractions)


MICROSECONDS = _fractions(6)
NANOSECONDS = _fractions(9)
