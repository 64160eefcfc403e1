"""Whatever is selected, no request goes where secrets are: keys, login challenges, messages, onboarding links."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import pytest

from ory_reader.streams import STREAMS
from ory_sandbox import Sandbox
from ory_sandbox.console import PROJECT_ID
from tests.command import KEY, run_tap

#: Every path that a run may ask for. What is not here is never asked, be it a secret or not.
ASKED = [
    "/admin/identities",
    "/admin/schemas",
    "/schemas",
    "/admin/version",
    "/version",
    "/admin/sessions",
    "/admin/clients",
    "/admin/trust/grants/jwt-bearer/issuers",
    "/admin/oauth2/auth/sessions/consent",
    "/relation-tuples",
    "/namespaces",
    f"/projects/{PROJECT_ID}/organizations",
]
#: What must not be asked for, however a path is written: each of these answers something that nobody should hold.
NEVER = {
    "private signing keys": "/admin/keys/set",
    "login challenges": "/admin/oauth2/auth/requests/login",
    "consent challenges": "/admin/oauth2/auth/requests/consent",
    "tokens": "/admin/oauth2/introspect",
    "messages with codes": "/admin/courier/messages",
    "onboarding links": f"/projects/{PROJECT_ID}/organizations/1/onboarding-portal-links",
    "recovery links": "/admin/recovery/link",
}


def paths_of(sandbox: Sandbox) -> set[str]:
    return {unquote(urlsplit(each.target).path) for each in sandbox.requests.log}


@pytest.mark.parametrize("arguments", [["--discover"], ["--check"], ["--select", ",".join(STREAMS)]])
@pytest.mark.parametrize("manner", ["v1.3", "network"])
def test_all_streams_together_ask_for_lists_alone(manner: str, arguments: list[str]) -> None:
    with Sandbox(40, manner=manner) as sandbox:
        variables = {
            "BASE_URL": sandbox.url,
            "API_TOKEN": KEY,
            "OAUTH2_URL": sandbox.oauth2_url,
            "PERMISSIONS_URL": sandbox.permissions_url,
            "CREDENTIAL_METADATA": "exact",
            "ACCESS": "true",
        }
        if manner == "network":
            variables |= {"CONSOLE_URL": sandbox.url, "CONSOLE_TOKEN": "ory_wak_x", "PROJECT_ID": PROJECT_ID}
        run = run_tap(*arguments, environment={f"TAP_ORY_{name}": value for name, value in variables.items()})
        assert run.code == 0, run.stderr
        asked = paths_of(sandbox)
    assert len(asked) > 3
    allowed = [*ASKED, *(f"{path}/[0-9a-f-]{{36}}" for path in ("/admin/sessions",))]
    assert [path for path in asked if not any(re.fullmatch(each, path) for each in allowed)] == []
    assert [path for path in asked for never in NEVER.values() if path.startswith(never)] == []
    # The project's configuration, with the secrets of those whom its people sign in through.
    assert f"/projects/{PROJECT_ID}" not in asked
    assert {each.method for each in sandbox.requests.log} == {"GET"}
