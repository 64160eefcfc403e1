from __future__ import annotations

import pytest

from ory_sandbox import Sandbox
from ory_sandbox.ratelimit import Bucket, parse_windows
from tests.sandbox.client import fetch

LIST = "/admin/identities"


@pytest.mark.parametrize(
    ("authorization", "status", "message"),
    [
        ({}, 401, "Access credentials are invalid"),
        ({"Authorization": "Bearer "}, 401, "Access credentials are invalid"),
        ({"Authorization": "Basic ory_pat_right"}, 401, "Access credentials are invalid"),
        ({"Authorization": "Bearer ory_pat_wrong"}, 401, "Access credentials are invalid"),
        (
            {"Authorization": "Bearer ory_wak_right"},
            403,
            "Access credentials are not sufficient to access this resource",
        ),
    ],
)
def test_keys_that_are_not_let_in(authorization: dict[str, str], status: int, message: str) -> None:
    with Sandbox(3, manner="network", api_token="ory_pat_right") as sandbox:
        answer = fetch(sandbox.url, LIST, headers=authorization)
        assert answer.status == status
        assert answer.json["error"]["message"] == message
        assert answer.json["error"]["code"] == status
        assert fetch(sandbox.url, LIST, token="ory_pat_right").status == 200


def test_any_key_but_a_workspaces_is_let_in_by_default() -> None:
    with Sandbox(3, manner="network") as sandbox:
        assert fetch(sandbox.url, LIST, token="anything").status == 200
        assert fetch(sandbox.url, LIST, token="ory_wak_x").status == 403
        assert fetch(sandbox.url, LIST).status == 401


def test_self_hosted_servers_have_neither_keys_nor_limits() -> None:
    with Sandbox(3, rate_limit="1;w=60") as sandbox:
        answers = [fetch(sandbox.url, LIST) for _ in range(3)]
    assert {answer.status for answer in answers} == {200}
    assert not [name for answer in answers for name, _ in answer.headers if name.startswith("x-ratelimit")]


def test_one_bucket_for_identities_sessions_and_schemas() -> None:
    with Sandbox(3, manner="network", rate_limit="4;w=60,100;w=600") as sandbox:
        paths = [LIST, "/schemas", "/admin/sessions", f"{LIST}/x", LIST, "/schemas/staff"]
        # Not from this bucket: the version, and whoever has no key.
        fetch(sandbox.url, "/admin/version", token="key")
        fetch(sandbox.url, LIST)
        answers = [fetch(sandbox.url, path, token="key") for path in paths]
    assert [answer.status for answer in answers] == [200, 200, 200, 404, 429, 429]
    assert [answer.header("x-ratelimit-remaining") for answer in answers] == ["3", "2", "1", "0", "0", "0"]
    assert {answer.header("x-ratelimit-limit") for answer in answers} == {"4, 4;w=60, 100;w=600"}
    assert {answer.header("Retry-After") for answer in answers} == {None}
    assert all(0 < int(answer.header("x-ratelimit-reset") or 0) <= 60 for answer in answers)
    assert answers[-1].json["error"]["code"] == 429


class _Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_windows_empty_and_refill_each_by_itself() -> None:
    clock = _Clock()
    bucket = Bucket(parse_windows("2;w=1,3;w=60"), clock)

    def take() -> tuple[bool, list[str]]:
        granted, headers = bucket.take()
        return granted, [value for _, value in headers]

    assert take() == (True, ["2, 2;w=1, 3;w=60", "1", "1"])
    clock.now += 0.25
    assert take() == (True, ["2, 2;w=1, 3;w=60", "0", "1"])
    assert take() == (False, ["2, 2;w=1, 3;w=60", "0", "1"])
    clock.now += 0.75
    assert take() == (True, ["3, 2;w=1, 3;w=60", "0", "59"])
    clock.now += 1
    # The minute is what one has to wait for now.
    assert take() == (False, ["3, 2;w=1, 3;w=60", "0", "58"])
    clock.now += 58
    assert take()[0]


def test_of_two_empty_windows_the_later_one_is_told() -> None:
    bucket = Bucket(parse_windows("1;w=1,1;w=60"), _Clock())
    bucket.take()
    assert bucket.take()[1] == [
        ("x-ratelimit-limit", "1, 1;w=1, 1;w=60"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "60"),
    ]


@pytest.mark.parametrize("text", ["", "5", "5;w=0", "0;w=1", "x;w=1", "5;w=1,"])
def test_what_is_no_rate_limit(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|not a rate limit"):
        parse_windows(text)
