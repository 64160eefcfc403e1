"""What only Ory Network does: keys and rate limits. No real one is at hand, so this is the sandbox alone."""

import pytest
import requests

from ory_sandbox import Sandbox
from tests.servers import API_TOKEN

INVALID = "Access credentials are invalid"
INSUFFICIENT = "Access credentials are not sufficient to access this resource"
RATE_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


def ask(sandbox: Sandbox, key: str = API_TOKEN, path: str = "admin/identities") -> requests.Response:
    return requests.get(f"{sandbox.url}{path}", headers={"Authorization": f"Bearer {key}"} if key else {}, timeout=30)


@pytest.mark.parametrize(
    ("key", "code", "message"),
    [("", 401, INVALID), ("ory_pat_another", 401, INVALID), ("ory_wak_a-workspace", 403, INSUFFICIENT)],
)
def test_a_key_that_does_not_fit(key: str, code: int, message: str) -> None:
    with Sandbox(3, manner="network", api_token=API_TOKEN) as sandbox:
        response = ask(sandbox, key)
        assert response.status_code == code
        assert response.headers["Content-Type"] == "application/json"
        error = response.json()["error"]
        assert error["code"] == code
        assert message in error.values()
        assert ask(sandbox).ok


def test_the_limits_of_all_windows_are_in_the_headers() -> None:
    with Sandbox(3, manner="network", api_token=API_TOKEN, rate_limit="10;w=1,300;w=60") as sandbox:
        response = ask(sandbox)
        limit, remaining, reset = (response.headers[name] for name in RATE_HEADERS)
        assert limit == "10, 10;w=1, 300;w=60"
        assert remaining == "9"
        assert reset == "1"
        assert ask(sandbox).headers["x-ratelimit-remaining"] in {"8", "9"}


def test_one_bucket_for_all_that_is_read_from_identities_and_schemas() -> None:
    with Sandbox(3, manner="network", api_token=API_TOKEN, rate_limit="4;w=60") as sandbox:
        one = ask(sandbox).json()[0]["id"]
        assert ask(sandbox, path=f"admin/identities/{one}").ok
        assert ask(sandbox, path="schemas").ok
        assert ask(sandbox, path="admin/sessions").ok
        refused = ask(sandbox)
        assert refused.status_code == requests.codes.too_many_requests
        assert refused.headers["x-ratelimit-remaining"] == "0"
        assert 0 < int(refused.headers["x-ratelimit-reset"]) <= 60
        assert "Retry-After" not in refused.headers
        assert ask(sandbox, path="admin/version").ok


def test_self_hosted_servers_ask_for_no_key_and_limit_nothing() -> None:
    for manner in ("v1.0", "v1.3"):
        with Sandbox(3, manner=manner) as sandbox:
            response = ask(sandbox, key="")
            assert response.ok
            assert not any(name in response.headers for name in RATE_HEADERS)
