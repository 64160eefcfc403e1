"""One conversation a server and bucket: on one host they share connections, and no rate limit."""

from __future__ import annotations

from typing import Any

import pytest

from ory_reader.config.settings import Settings
from ory_reader.errors import SettingsError
from ory_reader.project import Project
from ory_reader.resources.identities import IDENTITIES
from ory_reader.resources.permission_namespaces import PERMISSION_NAMESPACES
from ory_reader.resources.sessions import SESSIONS
from ory_reader.resources.trust_issuers import TRUST_ISSUERS

NETWORK = {"base_url": "https://slug.projects.oryapis.com", "api_token": "ory_pat_x"}


def project(**config: Any) -> Project:
    return Project(Settings.from_config(config, "1"))


def test_on_one_host_each_bucket_has_a_rate_limit_and_all_share_connections() -> None:
    of = project(**NETWORK)
    apis = [of.api(each) for each in (IDENTITIES, TRUST_ISSUERS, PERMISSION_NAMESPACES)]
    assert len({id(api.rate_limiter) for api in apis}) == 3
    with apis[0]._session() as session:
        pass
    for api in apis[1:]:
        with api._session() as same:
            assert same is session
    # Identities and sessions take from the same bucket.
    assert of.api(SESSIONS) is of.api(IDENTITIES) is of.client


@pytest.mark.parametrize(
    ("more", "url", "token", "headers"),
    [
        ({"oauth2_url": "https://elsewhere.example"}, "https://elsewhere.example", None, {}),
        ({"oauth2_url": "https://elsewhere.example", "oauth2_token": "own"}, "https://elsewhere.example", "own", {}),
        ({"oauth2_url": "https://gateway.example/hydra"}, "https://gateway.example/hydra", "key", {"X-G": "word"}),
        (
            {"oauth2_url": "https://gateway.example/hydra/", "oauth2_token": "Bearer own"},
            *("https://gateway.example/hydra", "own", {"X-G": "word"}),
        ),
    ],
)
def test_a_key_and_headers_go_to_their_own_host_only(
    more: dict[str, Any], url: str, token: str | None, headers: dict[str, str]
) -> None:
    of = project(base_url="https://gateway.example/kratos", api_token="key", http_headers={"X-G": "word"}, **more)
    there = of.api(TRUST_ISSUERS).settings
    assert (there.base_url, there.api_token, there.http_headers) == (url, token, headers)


def test_without_an_address_a_list_is_refused_by_the_name_of_its_setting() -> None:
    with pytest.raises(SettingsError, match=r"Setting oauth2_url is missing.* trust_issuers is read from Ory Hydra"):
        project(base_url="http://127.0.0.1:4434").api(TRUST_ISSUERS)
