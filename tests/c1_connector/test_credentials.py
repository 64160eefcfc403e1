"""Access tokens: how long one is kept, and answers that hold none."""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests_mock

from c1_connector import credentials
from c1_connector.credentials import Credentials, TokenSource
from c1_connector.errors import C1Error
from c1_connector.logs import Secrets
from c1_connector.settings import parse
from tests.c1_connector.fake_c1 import FakeC1

NEVER_SEEN = "0123456789abcdef"


class Clock(SimpleNamespace):
    """Goes when it is told to."""

    def __init__(self) -> None:
        super().__init__(now=1000.0, time=time.time)

    def monotonic(self) -> float:
        return float(self.now)


@pytest.fixture
def tokens(c1: FakeC1) -> TokenSource:
    settings = parse([], c1.environment())
    assert settings.credentials
    return TokenSource(settings.credentials, settings.api_host, settings.ca_bundle, Secrets())


@pytest.mark.parametrize(("life", "kept"), [(3600, 3590), (12, 2), (5, 0)])
def test_a_token_is_kept_until_ten_seconds_before_it_expires(
    c1: FakeC1, tokens: TokenSource, monkeypatch: pytest.MonkeyPatch, life: int, kept: float
) -> None:
    clock = Clock()
    monkeypatch.setattr(credentials, "time", clock)
    c1.token_life = life
    first = tokens.authorization()
    if kept:
        clock.now += kept - 0.1
        assert tokens.authorization() == first
        clock.now += 0.1
    assert tokens.authorization() != first
    assert c1.count("token") == 2


def test_only_the_token_that_was_refused_is_bought_anew(c1: FakeC1, tokens: TokenSource) -> None:
    first = tokens.authorization()
    tokens.refuse(first)
    second = tokens.authorization()
    # Another call, sent with the first one, comes back later.
    tokens.refuse(first)
    assert tokens.authorization() == second != first


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "null",
        f'["{NEVER_SEEN}"]',
        "{}",
        '{"access_token": ""}',
        '{"access_token": 5}',
        f'{{"access_token": ["{NEVER_SEEN}"]}}',
        f'{{"access_token": "{NEVER_SEEN}\\n"}}',
        f'{{"access_token": "{NEVER_SEEN} \\u00e4"}}',
        f'{{"access_token": "{NEVER_SEEN}", "token_type": 5}}',
        f'{{"access_token": "{NEVER_SEEN}", "token_type": "two words"}}',
        f'{{"access_token": "{NEVER_SEEN}", "expires_in": "soon"}}',
        f'{{"access_token": "{NEVER_SEEN}", "expires_in": NaN}}',
        f'{{"access_token": "{NEVER_SEEN}", "expires_in": 1{"0" * 400}}}',
    ],
)
def test_an_answer_without_a_token_is_tried_again_and_not_shown(c1: FakeC1, tmp_path: Path, body: str) -> None:
    identity = Credentials("name@c1.example/suffix", "c1.example", c1.client_secret)
    tokens = TokenSource(identity, "c1.example:443", str(c1.ca), Secrets())
    with requests_mock.Mocker() as web:
        web.post("https://c1.example:443/auth/v1/token", text=body)
        with pytest.raises(C1Error, match="no access token") as refused:
            tokens.authorization()
    assert refused.value.code == 14
    assert NEVER_SEEN not in str(refused.value)
