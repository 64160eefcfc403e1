"""What the closing line counts as changed, and what is said of users that come from raw identities."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.target_c1.support import activate, record, run_target, schema, state, user, whole_read


@pytest.mark.parametrize(("form", "people"), [("c1z", 1), ("json", 1), ("c1z", 1200)])
def test_the_closing_line_counts_every_number_that_became_text(form: str, people: int, tmp_path: Path) -> None:
    large = '{"a": 9007199254740993, "b": [-9007199254740995], "c": 12345678901234567890123, "d": %s}'
    lines: list[Any] = [json.dumps(record(user(0, profile={"email": "a@example.com"}))).encode() + b"\n"]
    for number in range(1, people + 1):
        line = json.dumps(record(user(number, profile="large"))).replace(
            '"large"', large % ("1e999" if people == 1 else 1)
        )
        # Beside the users, the same people as another stream has them: their values are not in the file.
        lines += [line.encode() + b"\n", line.replace('"users"', '"others"').encode() + b"\n"]
    done = run_target(
        [schema(), schema("others"), *lines, activate(), state(users={})], path=str(tmp_path / f"u.{form}")
    )
    assert done.code == 0, done.stderr
    expected = 4 if people == 1 else 3 * people
    assert f"Changed: {expected:,} numbers too large for C1 written as text." in done.logged("INFO")[-1]


def test_the_closing_line_counts_what_is_nested_too_deep(tmp_path: Path) -> None:
    deep = "[" * 60 + "]" * 60
    line = json.dumps(record(user(1, profile="deep"))).replace('"deep"', f'{{"a": {deep}, "b": {deep}}}').encode()
    done = run_target([schema(), line + b"\n", activate(), state(users={})], path=str(tmp_path / "u.c1z"))
    assert done.code == 0, done.stderr
    assert "Changed: 2 objects nested too deep written as text." in done.logged("INFO")[-1]


RAW = "These users come from the stream 'identities'"


@pytest.mark.parametrize(
    ("streams", "settings", "lost"),
    [
        (["identities"], {}, "account types, names, logins, second factors are guessed"),
        (["identities"], {"stream": "identities"}, "account types, names, logins, second factors are guessed"),
        (
            ["identities"],
            {"stream": "identities", "mapping": {"account_type": "service", "display_name": "/traits/nick"}},
            "where logins, second factors are guessed",
        ),
        (
            ["identities"],
            {
                "stream": "identities",
                "mapping": {"account_type": "human", "first_name": "/a", "login": "/b", "mfa_enabled": "/c"},
            },
            None,
        ),
        (["users"], {}, None),
        (["identities", "users"], {}, None),
        (["users", "identities"], {}, None),
        (["people"], {"stream": "people", "mapping": {"id": "/id"}}, None),
    ],
)
def test_raw_identities_are_warned_of_once(
    streams: list[str], settings: dict[str, Any], lost: str | None, tmp_path: Path
) -> None:
    messages = [each for stream in streams for each in whole_read([user(1), user(2)], stream)]
    done = run_target(messages, path=str(tmp_path / "users.c1z"), **settings)
    assert done.code == 0, done.stderr
    warnings = [line for line in done.logged("WARNING") if RAW in line]
    assert len(warnings) == (lost is not None)
    if lost:
        assert lost in warnings[0]
        assert "tap-ory --select users" in warnings[0]
        assert "meltano run tap-ory-users target-c1" in warnings[0]
