"""The people of the sandbox: made up, varied, and the same for the same seed.

Writes each of them as the server's JSON straight away, by template, because a million of them have to be
ready within seconds. What is random about somebody comes out of a hash of the seed and their id, so that
nobody depends on who came before. Knows nothing of pages, order or HTTP.
"""

from __future__ import annotations

import base64
import hashlib
import random
from typing import TYPE_CHECKING, NamedTuple

from ory_sandbox import words
from ory_sandbox.render import to_json, unpadded
from ory_sandbox.schemas import CUSTOMER, PERSON, PRESET, STAFF
from ory_sandbox.store import marked_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ory_sandbox.manners import Manner

_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
_HEX_OF_UUID = 32


def identity_ids(count: int, seed: int) -> list[str]:
    """That many version 4 UUIDs, evenly spread, in ascending order."""
    generator = random.Random(seed)
    numbers: set[int] = set()
    while len(numbers) < count:
        numbers.add(generator.getrandbits(128))
    return sorted(_uuid(f"{number:032x}") for number in numbers)


def _uuid(digits: str) -> str:
    variant = _VARIANT[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


class _Dice:
    """The randomness of one identity: UUIDs one after another, and numbers by their place."""

    __slots__ = ("_digits", "_next", "rolls")

    def __init__(self, seed: bytes, identity_id: str) -> None:
        digest = hashlib.shake_128(seed + identity_id.encode()).digest(168)
        self.rolls = digest[112:]
        self._digits = digest[:112].hex()
        self._next = 0

    def uuid(self) -> str:
        """The next of seven."""
        begin = self._next
        self._next = begin + _HEX_OF_UUID
        return _uuid(self._digits[begin : self._next])


class _Times(NamedTuple):
    """When things happened to one identity, up to the second, without a fraction or the Z."""

    created: str
    later: str


class _Contact(NamedTuple):
    """A person's ways of being reached, and their traits' JSON."""

    schema_id: str
    traits: str
    emails: tuple[str, ...]
    phone: str | None
    identifiers: tuple[str, ...]


class People:
    """Writes identities as a server of one manner serves them."""

    def __init__(self, manner: Manner, seed: int, public_url: str) -> None:
        """Write schema URLs below ``public_url``, which ends with a slash."""
        self._manner = manner
        self._seed = f"{seed}:".encode()
        self._schema_urls = {
            schema_id: f'"{schema_id}","schema_url":"{public_url}schemas/{unpadded(schema_id)}"'
            for schema_id in (PERSON, STAFF, CUSTOMER, PRESET)
        }

    def rows(self, identity_ids: list[str]) -> Iterator[tuple[bytes, bytes]]:
        """Each identity's row and its credentials (with marked configs, empty if it has none)."""
        count = len(identity_ids)
        for index, identity_id in enumerate(identity_ids):
            # By its place in ascending order, so that both orders of pages have the same people.
            number = index if count < 2 or identity_ids[0] < identity_ids[-1] else count - 1 - index
            row, credentials = self._identity(identity_id, number)
            yield row.encode(), credentials.encode()

    def _identity(self, identity_id: str, number: int) -> tuple[str, str]:
        dice = _Dice(self._seed, identity_id)
        rolls = dice.rolls
        day = (rolls[0] << 8 | rolls[1]) % words.DAYS_UP_TO_LATER
        time_of_day = words.TIMES_OF_DAY[(rolls[2] << 8 | rolls[3]) % len(words.TIMES_OF_DAY)]
        created = words.DAYS[day] + time_of_day
        later = words.DAYS[day + 1 + rolls[4]] + time_of_day
        times = _Times(created, later)
        contact = self._contact(rolls, number)
        inactive = rolls[5] < 18
        changed = later if inactive else created
        created_at = f"{created}{words.MICROS[rolls[6] << 2 | rolls[7] & 3]}Z"
        moved = self._manner.network and rolls[8] < 100
        updated_at = f"{later}{words.MICROS[rolls[9]]}Z" if moved else created_at
        # Rows from before the column existed have none.
        state_changed = "" if rolls[10] < 8 else f'"state_changed_at":"{changed}{words.NANOS[rolls[11]]}Z",'
        row = (
            f'{{"id":"{identity_id}",{self._external_id(rolls, number)}'
            f'"schema_id":{self._schema_urls[contact.schema_id]},'
            f'"state":"{"inactive" if inactive else "active"}",{state_changed}'
            f'"traits":{contact.traits},{self._addresses(dice, contact, times)}'
            f'"metadata_public":{self._metadata(words.PUBLIC_METADATA, rolls[12], number)},'
            f'"metadata_admin":{self._metadata(words.ADMIN_METADATA, rolls[13], number)},'
            f'"created_at":"{created_at}","updated_at":"{updated_at}"{self._organization_id(rolls)}}}'
        )
        return row, self._credentials(identity_id, rolls, contact, times)

    def _external_id(self, rolls: bytes, number: int) -> str:
        if self._manner.external_id and rolls[14] < 64:
            return f'"external_id":"hr-{number}",'
        return ""

    def _organization_id(self, rolls: bytes) -> str:
        if not self._manner.organization_id:
            return ""
        if self._manner.network and rolls[15] < 26:
            return f',"organization_id":"{words.ORGANIZATIONS[rolls[15] % len(words.ORGANIZATIONS)]}"'
        return ',"organization_id":null'

    def _metadata(self, kinds: tuple[str, ...], roll: int, number: int) -> str:
        """Any JSON value; null for most. Only the network's database can give numbers back."""
        if roll >= len(kinds) + len(words.NUMBERS):
            return "null"
        if roll >= len(kinds):
            return words.NUMBERS[roll - len(kinds)] if self._manner.network else "null"
        return kinds[roll].replace("$", str(number))

    def _contact(self, rolls: bytes, number: int) -> _Contact:
        kind = rolls[16]
        # Half of the clients that wrote the traits escaped what is not ASCII; the server keeps it as it was.
        names = words.ESCAPED_NAMES if rolls[17] & 1 else words.NAMES
        first, first_slug = names[0][rolls[18] % len(names[0])]
        last, last_slug = names[1][rolls[19] % len(names[1])]
        email = f"{first_slug}.{last_slug}{number}@{words.DOMAINS[rolls[20] % len(words.DOMAINS)]}"
        # Traits keep their case, addresses and identifiers are in lower case.
        written = email.capitalize() if rolls[21] < 40 else email
        if kind < 140:
            traits = self._person_traits(rolls, written, first, last)
            return _Contact(PERSON, traits, (email,), None, (email,))
        if kind < 180:
            newsletter = "true" if rolls[22] & 1 else "false"
            name = f'{{"first":"{first}","last":"{last}"}}'
            traits = f'{{"email":"{written}","name":{name},"newsletter":{newsletter}}}'
            return _Contact(PRESET, traits, (email,), None, (email,))
        if kind < 220:
            return self._customer(rolls, number, (written, email), (first, last))
        return self._staff(rolls, number, first_slug)

    def _person_traits(self, rolls: bytes, email: str, first: str, last: str) -> str:
        more = ""
        if rolls[22] < 128:
            more = f',"job_title":{words.JOBS[rolls[23] % len(words.JOBS)]}'
        if rolls[24] < 160:
            more += f',"groups":{words.GROUPS[rolls[25] % len(words.GROUPS)]}'
        if rolls[26] < 30:
            more += ',"manager":null'
        name = "" if rolls[27] < 12 else f',"name":{{"first":"{first}","last":"{last}"}}'
        return f'{{"email":"{email}"{name}{more}}}'

    def _customer(
        self,
        rolls: bytes,
        number: int,
        email: tuple[str, str],
        name: tuple[str, str],
    ) -> _Contact:
        written, address = email
        phone = f"+49151{number:08d}" if rolls[28] < 150 else None
        emails = (address, *(f"{tag}.{address}" for tag in words.TAGS[: rolls[29] % 3]))
        more = "".join(f'"{value}",' for value in emails[1:]).rstrip(",")
        calls = f'"phone":"{phone}",' if phone else ""
        traits = (
            f'{{"email":"{written}",{calls}"name":{{"given":"{name[0]}","family":"{name[1]}"}},'
            f'"address":{words.ADDRESSES[rolls[30] % len(words.ADDRESSES)]},'
            f'"more_emails":[{more}],"tags":{words.GROUPS[rolls[31] % len(words.GROUPS)]},'
            f'"orders":{rolls[32]},"balance":{rolls[33]}.50,"nickname":null}}'
        )
        identifiers = (phone, address) if phone else (address,)
        return _Contact(CUSTOMER, traits, emails, phone, identifiers)

    def _staff(self, rolls: bytes, number: int, slug: str) -> _Contact:
        if rolls[22] & 1:
            username = f"svc-{words.SERVICES[rolls[23] % len(words.SERVICES)]}-{number}"
            nested = '"service_account":true,"nested":{"deep":[1,{"x":null}]}'
            return _Contact(STAFF, f'{{"username":"{username}",{nested}}}', (), None, (username,))
        username = f"{slug}{number}"
        if rolls[24] < 32:
            username = f"{username}ë😀"
        phone = f',"phone":"+441632{number % 10**6:06d}"' if rolls[25] < 160 else ""
        return _Contact(STAFF, f'{{"username":"{username}"{phone}}}', (), None, (username,))

    def _addresses(self, dice: _Dice, contact: _Contact, times: _Times) -> str:
        """Both lists of addresses, each in the order of their ids, or nothing where they are empty."""
        if not contact.emails:
            return ""
        rolls = dice.rolls
        reached = [("email", email) for email in contact.emails]
        if contact.phone:
            reached.append((self._manner.phone, contact.phone))
        verifiable = []
        for index, (via, value) in enumerate(reached):
            at = f"{times.created}{words.MICROS[rolls[34 + index] << 2]}Z"
            fate = rolls[38 + index]
            if fate < 170:
                proof = f'true,"via":"{via}","status":"completed","verified_at":"{times.later}{words.NANOS[fate]}Z"'
            else:
                proof = f'false,"via":"{via}","status":"{"sent" if fate < 200 else "pending"}"'
            # Neither sending nor verifying moves an address's updated_at.
            verifiable.append(
                f'{{"id":"{dice.uuid()}","value":"{value}","verified":{proof},'
                f'"created_at":"{at}","updated_at":"{at}"}}',
            )
        at = f"{times.created}{words.MICROS[rolls[42] << 2 | 1]}Z"
        recovery = [
            f'{{"id":"{dice.uuid()}","value":"{value}","via":"email","created_at":"{at}","updated_at":"{at}"}}'
            for value in contact.emails
        ]
        return (
            f'"verifiable_addresses":[{",".join(sorted(verifiable))}],'
            f'"recovery_addresses":[{",".join(sorted(recovery))}],'
        )

    def _credentials(self, identity_id: str, rolls: bytes, contact: _Contact, times: _Times) -> str:
        """What the schema gives everybody, and what only some have set up, by type in alphabetical order."""
        identifiers = "[" + ",".join(f'"{identifier}"' for identifier in contact.identifiers) + "]"
        own = f'["{identity_id}"]'
        created_at = f"{times.created}{words.MICROS[rolls[44] << 2]}Z"
        updated_at = f"{times.later}{words.MICROS[rolls[45] << 2]}Z" if rolls[43] < 80 else created_at
        at = f'"created_at":"{created_at}","updated_at":"{updated_at}"'
        found = []
        social = rolls[46] < 60 and contact.schema_id != STAFF
        if contact.schema_id == PRESET and self._manner.sign_in_code:
            config = f'{{"addresses":[{{"channel":"email","address":"{contact.emails[0]}"}}]}}'
            found.append(("code", identifiers, config, 1))
        if rolls[47] < 20:
            found.append(("lookup_secret", own, words.RECOVERY_CODES, 0))
        if social:
            provider = words.PROVIDERS[rolls[48] % len(words.PROVIDERS)]
            subject = identity_id.replace("-", "")[:21]
            found.append(("oidc", f'["{provider}:{subject}"]', self._oidc(provider, subject), 0))
        # Listed even for those who only sign in through somebody else, or not at all.
        found.append(("password", identifiers, "{}" if social else words.PASSWORD_CONFIG, 0))
        if rolls[49] < 30:
            url = f'{{"totp_url":"otpauth://totp/Sandbox:{contact.identifiers[0]}?issuer=Sandbox"}}'
            found.append(("totp", own, url, 0))
        if contact.schema_id == PERSON:
            handle = base64.b64encode(bytes.fromhex(identity_id.replace("-", ""))).decode()
            keys = f'"credentials":[{words.SECURITY_KEY}],' if rolls[50] < 26 else ""
            found.append(("webauthn", identifiers, f'{{{keys}"user_handle":"{handle}"}}', 1))
        members = [
            f'"{kind}":{{"type":"{kind}","identifiers":{who},{marked_config(kind, config)}"version":{version},{at}}}'
            for kind, who, config, version in found
        ]
        return "{" + ",".join(members) + "}"

    def _oidc(self, provider: str, subject: str) -> str:
        tokens = {"initial_id_token": "", "initial_access_token": "", "initial_refresh_token": ""}
        link = tokens | {"subject": subject, "provider": provider}
        if self._manner.keyset:
            link["organization"] = ""
        return to_json({"providers": [link]})
