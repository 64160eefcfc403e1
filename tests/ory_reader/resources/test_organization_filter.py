"""The filter by organization is obeyed, or nothing is published: a server that does not know it gives everybody."""

from __future__ import annotations

from typing import Any

import pytest

import ory_reader
from ory_reader.errors import AnswerError, SettingsError
from ory_sandbox import Sandbox
from tests.command import KEY, run_tap
from tests.servers import run_kratos

ORGANIZATION = "6f1c2ab4-3d0e-4c57-9a51-0c6f7f0f2c11"


def read(stream: str = "identities", **given: Any) -> list[dict[str, Any]]:
    project = ory_reader.settings(**given)
    records = ory_reader.decoder(stream, project)
    with ory_reader.open_read(project, stream=stream) as reading:
        found = [record for page in reading.pages() for record in records(page)]
    assert reading.whole
    return found


@pytest.mark.parametrize("stream", ["identities", "users"])
@pytest.mark.parametrize("size", [3, 500])
def test_a_server_that_knows_it_gives_the_members_alone(stream: str, size: int) -> None:
    with Sandbox(400, manner="network") as sandbox:
        members = {each["id"] for each in sandbox.identities if each["organization_id"] == ORGANIZATION}
        given = {"base_url": sandbox.url, "api_token": KEY, "page_size": size, "organization_id": ORGANIZATION.upper()}
        found = {record["id"] for record in read(stream, **given)}
        assert found == members
        assert 3 < len(found) < 100
        assert read(stream, **{**given, "organization_id": "00000000-0000-4000-8000-000000000000"}) == []


@pytest.mark.parametrize("release", ["v1.0.0", "v1.3.1"])
def test_a_real_server_that_does_not_know_it_publishes_nobody(release: Any) -> None:
    with run_kratos(release, 20) as kratos:
        environment = {"TAP_ORY_BASE_URL": kratos.admin_url, "TAP_ORY_ORGANIZATION_ID": ORGANIZATION}
        environment["TAP_ORY_PUBLIC_URL"] = kratos.public_url
        run = run_tap("--select", "identities,users", environment=environment)
    assert run.code == 1
    assert [message for message in run.messages if message["type"] in {"RECORD", "ACTIVATE_VERSION"}] == []
    (error,) = run.logged("ERROR")
    assert "organization_id" in error
    assert "do not know the filter" in error


def test_not_even_one_stranger_among_members_is_published() -> None:
    members = [{"organization_id": ORGANIZATION} for _ in range(5)]
    for stranger in (None, "00000000-0000-4000-8000-000000000000"):
        with (
            Sandbox([*members, {"organization_id": stranger, "traits": {"name": "\ud83d"}}], manner="v1.3") as sandbox,
            pytest.raises(AnswerError, match="organization_id"),
        ):
            read(base_url=sandbox.url, public_url=sandbox.public_url, organization_id=ORGANIZATION)


def test_what_is_asked_for() -> None:
    with Sandbox(3, manner="network") as sandbox:
        read(base_url=sandbox.url, api_token=KEY, consistency="strong", organization_id=ORGANIZATION)
        (asked,) = (each.target for each in sandbox.requests.log if each.target.startswith("/admin/identities"))
        assert "consistency=strong" in asked
        assert f"organization_id={ORGANIZATION}" in asked
        sandbox.requests.log.clear()
        read(base_url=sandbox.url, api_token=KEY)
        assert not [
            each for each in sandbox.requests.log if "consistency" in each.target or "organization" in each.target
        ]


@pytest.mark.parametrize("given", [{"organization_id": "acme"}, {"consistency": "some"}])
def test_values_that_cannot_be_right(given: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=next(iter(given))):
        ory_reader.settings(base_url="http://127.0.0.1:1", **given)
