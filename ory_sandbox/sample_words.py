"""What people are made of: names, places, and the odd values that real projects have."""

from __future__ import annotations

# As written, and as it is in an e-mail address.
FIRST_NAMES = (
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
LAST_NAMES = (
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
    ("Yıldız", "yildiz"),  # noqa: RUF001 that letter is meant
)

DOMAINS = ("example.com", "example.org", "mail.example.net", "team.example.co.uk")
JOBS = ("Engineer", "Head of R&D", "Büroleitung", "Account Executive, EMEA", "Night nurse")
GROUPS: tuple[list[str], ...] = (
    [],
    ["staff"],
    ["maths", "engines"],
    ["a", "b", "c", "d"],
    ["sales:eu", "on-call"],
    ["<all>"],
)
SERVICES = ("backup", "ci", "metrics", "mailer", "terraform")
TAGS = ("work", "home")
PROVIDERS = ("github", "google", "microsoft")
ORGANIZATIONS = ("6f1c2ab4-3d0e-4c57-9a51-0c6f7f0f2c11", "b2f3d8de-7d51-4a3e-8f2b-5f0c2d9e4a77")
ADDRESSES = tuple(
    {
        "street": street,
        "postcode": postcode,
        "city": city,
        "country": country,
        "geo": {"lat": latitude, "lon": longitude},
    }
    for street, postcode, city, country, latitude, longitude in (
        ("1 Infinite Loop", "95014", "Cupertino", "US", 37.3318, -122.0302),
        ("Straße des 17. Juni 135", "10623", "Berlin", "DE", 52.5125, 13.3269),
        ("12 Rue de l'Église", "75015", "Paris", "FR", 48.8421, 2.2884),
        ("渋谷2丁目21-1", "150-8510", "東京", "JP", 35.6591, 139.7036),
        ("Flat 3, 5 King's Rd\nChelsea", "SW3 4RP", "London", "GB", 51.4894, -0.1644),
    )
)

# A dollar stands for the identity's number.
PUBLIC_METADATA: tuple[object, ...] = (
    {"employee_id": "E-$"},
    {"employee_id": "E-$", "plan": "pro", "seats": 5},
    {"n": 17},
    {"flags": {"beta": True, "ratio": 0.25}, "seen": []},
    {},
    [],
    ["a", 1],
    [{"group": "g-$", "role": "admin"}, None],
    "text",
    True,
)
ADMIN_METADATA: tuple[object, ...] = (
    {"note": "<a & b>"},
    {"crm": {"owner": "team-eu", "score": 0.5, "history": [{"at": "2024-02-29", "by": None}]}},
    {"imported_from": "legacy", "line": "$"},
    ["vip"],
    "text",
    False,
)
NUMBERS = ("17", "-3.5", "1e+30", "0")

# No password has this hash, no key this public half.
PASSWORD = {"hashed_password": "$2a$12$" + "abcdefghijklmnopqrstu" + "v" * 32}
RECOVERY_CODES = {"recovery_codes": [{"code": "a1b2c3d4"}, {"code": "e5f6g7h8"}]}
SECURITY_KEY = {
    "id": "c2VjdXJpdHkta2V5",
    "public_key": "cHVibGljLWtleQ==",
    "attestation_type": "none",
    "authenticator": {"aaguid": "AAAAAAAAAAAAAAAAAAAAAA==", "sign_count": 3, "clone_warning": False},
    "display_name": "Blue key",
    "added_at": "2023-05-04T09:30:00Z",
    "is_passwordless": False,
}
