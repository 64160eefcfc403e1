"""A real Ory Kratos whose admin port is below a path prefix: its identity schemas are found from there."""

from typing import Any

import pytest

from tests.command import records, sync
from tests.prefixing import prefixing
from tests.real.server import Release
from tests.real.test_users import document, trait
from tests.servers import run_kratos

KEY = "ory_pat_of-these-tests"


@pytest.mark.parametrize("release", ["v1.0.0", "v1.3.1"])
def test_the_schemas_are_found_from_below_a_path_prefix(release: Release) -> None:
    schemas = {"member": document("member", nick=trait())}
    with run_kratos(release, 0, schemas) as kratos, prefixing(kratos.admin_url) as proxy:
        kratos.create({"schema_id": "member", "traits": {"nick": "ada"}})

        def users(**config: Any) -> list[dict[str, Any]]:
            def select(tap: Any) -> None:
                for stream in tap.streams.values():
                    stream.selected = stream.name == "users"

            output = sync({"base_url": f"{proxy.url}kratos/", "api_token": KEY, **config}, prepare=select)
            return records(output)

        found = users()
        told = users(public_url=kratos.public_url)
        asked = [request.target.partition("?")[0] for request in proxy.asked]
    # By well-known names, nobody here could sign in.
    assert [user["login"] for user in found] == ["ada"]
    assert found == told
    assert asked.count("/kratos/admin/schemas") == 1
    assert "/kratos/schemas" not in asked
