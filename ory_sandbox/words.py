"""What people are made of: names, places, dates, and the odd values that real projects have.

Everything is ready-made JSON, or what goes between the quotes of JSON strings, escaped as Go's encoder does.
"""

from __future__ import annotations

import random
from datetime import date, timedelta

from ory_sandbox.render import to_json

_Names = tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]

# As written, and as it is in an e-mail address.
_FIRST = (
    ("Ada", "ada"),
    ("Alan", "alan"),
    ("Anaïs", "anais"),
    ("Barbara", "barbara"),
    ("Chidi", "chidi"),
    ("Edsger", "edsger"),
    ("Grace", "grace"),
    ("Jürgen", "juergen"),
    ("José", "jose"),
    ("Katherine", "katherine"),
    ("Linus", "linus"),
    ("Łukasz", "lukasz"),
    ("Margaret", "margaret"),
    ("Mei-Ling", "mei-ling"),
    ("Nguyễn", "nguyen"),
    ("Ольга", "olga"),
    ("Priya", "priya"),
    ("Søren", "soren"),
    ("Tim", "tim"),
    ("محمد", "mohammed"),
    ("美咲", "misaki"),
    ("Zoë 😀", "zoe"),
)
_LAST = (
    ("Achebe", "achebe"),
    ("D'Angelo", "dangelo"),
    ("Dvořák", "dvorak"),
    ("García Márquez", "garcia"),
    ("Hamilton", "hamilton"),
    ("Hopper", "hopper"),
    ("Иванова", "ivanova"),
    ("Johnson & Co", "johnson"),
    ("Lovelace", "lovelace"),
    ("Nakamura", "nakamura"),
    ("O'Brien", "obrien"),
    ("Patel", "patel"),
    ("Smith <contractor>", "smith"),
    ('The "Kid" Wong', "wong"),
    ("Turing", "turing"),
    ("van der Berg", "vanderberg"),
    ("Weiß", "weiss"),
    ("Yılmaz", "yilmaz"),
)


def _quoted(names: tuple[tuple[str, str], ...], *, ascii_only: bool) -> tuple[tuple[str, str], ...]:
    return tuple((to_json(name, ascii_only=ascii_only)[1:-1], slug) for name, slug in names)


NAMES: _Names = (_quoted(_FIRST, ascii_only=False), _quoted(_LAST, ascii_only=False))
ESCAPED_NAMES: _Names = (_quoted(_FIRST, ascii_only=True), _quoted(_LAST, ascii_only=True))

DOMAINS = ("example.com", "example.org", "mail.example.net", "team.example.co.uk")
SERVICES = ("backup", "ci", "metrics", "mailer", "terraform")
TAGS = ("work", "home")
PROVIDERS = ("github", "google", "microsoft")
ORGANIZATIONS = ("6f1c2ab4-3d0e-4c57-9a51-0c6f7f0f2c11", "b2f3d8de-7d51-4a3e-8f2b-5f0c2d9e4a77")
JOBS = tuple(
    map(to_json, ("Engineer", "Head of R&D", "Büroleitung", "Account Executive, EMEA", "Night nurse")),
)
GROUPS = tuple(
    map(
        to_json,
        ([], ["staff"], ["maths", "engines"], ["a", "b", "c", "d"], ["sales:eu", "on-call"], ["<all>"]),
    ),
)
ADDRESSES = tuple(
    to_json(
        {
            "street": street,
            "postcode": postcode,
            "city": city,
            "country": country,
            "geo": {"lat": latitude, "lon": longitude},
        },
        ascii_only=bool(number % 2),
    )
    for number, (street, postcode, city, country, latitude, longitude) in enumerate(
        (
            ("1 Infinite Loop", "95014", "Cupertino", "US", 37.3318, -122.0302),
            ("Straße des 17. Juni 135", "10623", "Berlin", "DE", 52.5125, 13.3269),
            ("12 Rue de l'Église", "75015", "Paris", "FR", 48.8421, 2.2884),
            ("渋谷2丁目21-1", "150-8510", "東京", "JP", 35.6591, 139.7036),
            ("Flat 3, 5 King's Rd\nChelsea", "SW3 4RP", "London", "GB", 51.4894, -0.1644),
        ),
    )
)

# A dollar stands for the identity's number. Past the ends of these and of NUMBERS there is only null.
PUBLIC_METADATA = (
    '{"employee_id":"E-$"}',
    '{"employee_id":"E-$","plan":"pro","seats":5}',
    '{"n":$}',
    '{"flags":{"beta":true,"ratio":0.25},"seen":[]}',
    "{}",
    "[]",
    '["a",1]',
    '[{"group":"g-$","role":"admin"},null]',
    '"text"',
    "true",
) * 9
ADMIN_METADATA = (
    '{"note":"\\u003ca \\u0026 b\\u003e"}',
    '{"crm":{"owner":"team-eu","score":$,"history":[{"at":"2024-02-29","by":null}]}}',
    '{"imported_from":"legacy","line":$}',
    '["vip"]',
    '"text"',
    "false",
) * 9
NUMBERS = ("17", "-3.5", "1e+30", "0")

_MONTHS_OF_DAYS = 1400
_LATEST_CHANGE = 256
DAYS_UP_TO_LATER = _MONTHS_OF_DAYS
DAYS = tuple(
    (date(2021, 3, 1) + timedelta(days=day)).isoformat() for day in range(_MONTHS_OF_DAYS + _LATEST_CHANGE + 1)
)
TIMES_OF_DAY = tuple(
    f"T{hour:02d}:{minute:02d}:{(hour * 7 + minute * 13) % 60:02d}" for hour in range(24) for minute in range(60)
)


def _fractions(digits: int, count: int) -> tuple[str, ...]:
    """Fractions of a second as Go writes them: trailing zeros trimmed, nothing for a whole second."""
    generator = random.Random(digits)
    # One in sixteen is as coarse as chance has it, down to a whole second.
    texts = [
        f".{generator.randrange(10**digits):0{digits}d}"[: generator.randrange(1, digits + 2) if n % 16 == 0 else None]
        for n in range(count)
    ]
    return tuple(text.rstrip("0").rstrip(".") for text in texts)


MICROS = _fractions(6, 1024)
NANOS = _fractions(9, 256)

PASSWORD_CONFIG = to_json({"hashed_password": "$2a$12$" + "abcdefghijklmnopqrstu" + "v" * 32})
RECOVERY_CODES = to_json({"recovery_codes": [{"code": "a1b2c3d4"}, {"code": "e5f6g7h8"}]})
SECURITY_KEY = to_json(
    {
        "id": "c2VjdXJpdHkta2V5",
        "public_key": "cHVibGljLWtleQ==",
        "attestation_type": "none",
        "authenticator": {"aaguid": "AAAAAAAAAAAAAAAAAAAAAA==", "sign_count": 3, "clone_warning": False},
        "display_name": "Blue key",
        "added_at": "2023-05-04T09:30:00Z",
        "is_passwordless": False,
    },
)
