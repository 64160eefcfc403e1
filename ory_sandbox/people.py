"""The people of the sandbox: made up, varied, and the same for the same seed.

Writes each of them as the server's JSON straight away, by template, because a million of them have to be
ready within seconds. What is random about somebody comes out of a hash of the seed and their id, so that
nobody depends on who came before. Knows nothing of pages, order or HTTP.
"""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING, NamedTuple

from ory_sandbox import sample_data
from ory_sandbox.logins import Logins
from ory_sandbox.render import unpadded
from ory_sandbox.schemas import CUSTOMER, PERSON, PRESET, STAFF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ory_sandbox.server_profiles import Manner

_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
# An identity's random bytes: enough for seven UUIDs (of at most four addresses to verify, three to recover by),
# and a byte for everything that is left to chance, each with a place of its own.
_UUID_BYTES = 7 * 16
_RANDOM_BYTES = _UUID_BYTES + 48


def identity_ids(count: int, seed: int) -> list[str]:
    """That many version 4 UUIDs, evenly spread, in ascending order."""
    generator = random.Random(seed)
    ids: set[str] = set()
    while len(ids) < count:
        ids.add(_uuid(f"{generator.getrandbits(128):032x}"))
    return sorted(ids)


def _uuid(digits: str) -> str:
    variant = _VARIANT[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


class _Person(NamedTuple):
    """What is known of somebody before any JSON is written, but for their traits."""

    schema_id: str
    traits: str
    emails: tuple[str, ...]
    phone: str
    identifiers: tuple[str, ...]


class People:
    """Writes identities as a server of one manner serves them."""

    def __init__(self, manner: Manner, seed: int, public_url: str, names: str = "mixed") -> None:
        """Write schema URLs below ``public_url``, which ends with a slash; for ``names`` see `NAMES`."""
        self._manner = manner
        self._first_names, self._last_names = sample_data.NAMES[names]
        # Not only names are so, or the page as a whole would not be.
        self._encoding = ("ascii", "replace") if names == "ascii" else ("utf-8", "strict")
        self._seed = f"{seed}:".encode()
        self._logins = Logins(manner)
        self._schemas = {
            schema_id: f'"schema_id":"{schema_id}","schema_url":"{public_url}schemas/{unpadded(schema_id)}"'
            for schema_id in (PERSON, STAFF, CUSTOMER, PRESET)
        }
        metadata = sample_data.NUMBER_AS_METADATA if manner.network else ("null",) * len(sample_data.NUMBER_AS_METADATA)
        self._unset_metadata = metadata
        self._external_id = sample_data.EXTERNAL_ID if manner.external_id else ("",) * len(sample_data.EXTERNAL_ID)
        organization = sample_data.ORGANIZATION if manner.network else ("null",) * len(sample_data.ORGANIZATION)
        self._ending = tuple(f',"organization_id":{name}}}' if manner.organization_id else "}" for name in organization)

    def rows(self, numbered_ids: Iterator[tuple[int, str]]) -> Iterator[tuple[bytes, bytes]]:
        """Each identity's row and its ``credentials`` (with marked configs).

        Args:
            numbered_ids: Ids with a number each, which makes their addresses unique.
        """
        for number, identity_id in numbered_ids:
            yield self._identity(identity_id, number)

    def _identity(self, identity_id: str, number: int) -> tuple[bytes, bytes]:
        random_bytes = hashlib.shake_128(self._seed + identity_id.encode()).digest(_RANDOM_BYTES)
        rolls = random_bytes[_UUID_BYTES:]
        day = (rolls[0] << 8 | rolls[1]) % sample_data.CREATED_WITHIN_DAYS
        time_of_day = sample_data.TIMES_OF_DAY[(rolls[2] << 8 | rolls[3]) % len(sample_data.TIMES_OF_DAY)]
        created = sample_data.DAYS[day] + time_of_day
        later = sample_data.DAYS[day + sample_data.LATER_BY[rolls[4]]] + time_of_day
        created_at = f"{created}{sample_data.MICROSECONDS[rolls[5]]}Z"
        updated_at = created_at
        # Up to v1.3 nothing that happens to an identity moves it.
        if self._manner.network and sample_data.UPDATED_LATER[rolls[6]]:
            updated_at = f"{later}{sample_data.MICROSECONDS[rolls[7]]}Z"
        state = sample_data.STATE[rolls[8]]
        changed = ""
        if sample_data.HAS_STATE_CHANGE[rolls[9]]:
            moment = created if state == "active" else later
            changed = f'"state_changed_at":"{moment}{sample_data.NANOSECONDS[rolls[10]]}Z",'
        person = self._person(rolls, number)
        addresses = self._addresses(random_bytes, rolls, person, created, later) if person.emails else ""
        row = (
            f'{{"id":"{identity_id}",{self._external_id[rolls[11]]}{self._schemas[person.schema_id]},'
            f'"state":"{state}",{changed}"traits":{person.traits},{addresses}'
            f'"metadata_public":{self._metadata(sample_data.PUBLIC_METADATA[rolls[12]], rolls[13])},'
            f'"metadata_admin":{self._metadata(sample_data.ADMIN_METADATA[rolls[14]], rolls[15])},'
            f'"created_at":"{created_at}","updated_at":"{updated_at}"{self._ending[rolls[16]]}'
        ).replace("$", str(number))
        credentials = self._logins.credentials(
            identity_id,
            rolls[40:],
            person.schema_id,
            person.identifiers,
            (created, later),
        )
        return row.encode(*self._encoding), credentials.encode(*self._encoding)

    def _metadata(self, value: str, roll: int) -> str:
        return self._unset_metadata[roll] if value == "null" else value

    def _person(self, rolls: bytes, number: int) -> _Person:
        escaped = rolls[17] & 1
        first, first_slug = self._first_names[escaped][rolls[18]]
        last, last_slug = self._last_names[escaped][rolls[19]]
        schema_id = sample_data.SCHEMA[rolls[20]]
        if schema_id == STAFF:
            return self._staff(rolls, number, first_slug)
        email = f"{first_slug}.{last_slug}{number}@{sample_data.DOMAIN[rolls[21]]}"
        typed = email.upper() if sample_data.TYPED_IN_CAPITALS[rolls[22]] else email
        if schema_id == CUSTOMER:
            return self._customer(rolls, number, (typed, email), f'{{"given":"{first}","family":"{last}"}}')
        name = f',"name":{{"first":"{first}","last":"{last}"}}'
        if schema_id == PRESET:
            traits = f'{{"email":"{typed}"{name},"newsletter":{sample_data.NEWSLETTER[rolls[23]]}}}'
            return _Person(schema_id, traits, (email,), "", (email,))
        more = (
            f"{sample_data.JOB_TITLE[rolls[23]]}{sample_data.GROUPS_MEMBER[rolls[24]]}{sample_data.MANAGER[rolls[25]]}"
        )
        traits = f'{{"email":"{typed}"{name if sample_data.HAS_NAME[rolls[26]] else ""}{more}}}'
        return _Person(schema_id, traits, (email,), "", (email,))

    def _customer(self, rolls: bytes, number: int, email: tuple[str, str], name: str) -> _Person:
        typed, address = email
        phone = f"+49151{number:08d}" if sample_data.HAS_PHONE[rolls[23]] else ""
        more = tuple(f"{tag}.{address}" for tag in sample_data.MORE_EMAILS[rolls[24]])
        quoted = ",".join(f'"{value}"' for value in more)
        calls = f'"phone":"{phone}",' if phone else ""
        traits = (
            f'{{"email":"{typed}",{calls}"name":{name},"address":{sample_data.POSTAL_ADDRESS[rolls[25]]},'
            f'"more_emails":[{quoted}],"tags":{sample_data.GROUPS[rolls[26]]},'
            f'"orders":{rolls[27]},"balance":{rolls[28]}.50,"nickname":null}}'
        )
        return _Person(CUSTOMER, traits, (address, *more), phone, (phone, address) if phone else (address,))

    def _staff(self, rolls: bytes, number: int, slug: str) -> _Person:
        service = sample_data.SERVICE[rolls[21]]
        if service:
            username = f"svc-{service}-{number}"
            more = ',"service_account":true,"nested":{"deep":[1,{"x":null}]}'
        else:
            username = f"{slug}{number}{sample_data.USERNAME_ENDING[rolls[22]]}"
            more = f',"phone":"+441632{number % 10**6:06d}"' if sample_data.HAS_PHONE[rolls[23]] else ""
        return _Person(STAFF, f'{{"username":"{username}"{more}}}', (), "", (username,))

    def _addresses(self, random_bytes: bytes, rolls: bytes, person: _Person, created: str, later: str) -> str:
        """Both lists of addresses, each in the order of their ids."""
        digits = random_bytes[:_UUID_BYTES].hex()
        reached = [("email", email) for email in person.emails]
        if person.phone:
            reached.append((self._manner.phone, person.phone))
        verifiable = []
        for index, (via, value) in enumerate(reached):
            at = f"{created}{sample_data.MICROSECONDS[rolls[29 + index]]}Z"
            fate = rolls[33 + index]
            # Neither sending nor verifying moves an address's updated_at.
            proof = f'false,"via":"{via}","status":"{sample_data.UNVERIFIED_STATUS[fate]}"'
            if sample_data.VERIFIED[fate]:
                moment = f"{later}{sample_data.NANOSECONDS[fate]}Z"
                proof = f'true,"via":"{via}","status":"completed","verified_at":"{moment}"'
            verifiable.append(
                f'{{"id":"{_uuid(digits[index * 32 :])}","value":"{value}","verified":{proof},'
                f'"created_at":"{at}","updated_at":"{at}"}}',
            )
        at = f"{created}{sample_data.MICROSECONDS[rolls[37]]}Z"
        recovery = [
            f'{{"id":"{_uuid(digits[(4 + index) * 32 :])}","value":"{value}","via":"email",'
            f'"created_at":"{at}","updated_at":"{at}"}}'
            for index, value in enumerate(person.emails)
        ]
        return (
            f'"verifiable_addresses":[{",".join(sorted(verifiable))}],'
            f'"recovery_addresses":[{",".join(sorted(recovery))}],'
        )
