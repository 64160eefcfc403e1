"""Values that anybody who may write a trait can leave in a real Kratos: none of them costs a row, or stops a target."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.command import sync
from tests.real.server import Kratos, Release
from tests.real.target_postgres import TargetPostgres

ODD = {
    "half-a-pair": '"\\ud800"',
    "null-character": '"\\u0000"',
    "null-character-in-a-key": '{"\\u0000":1}',
    "beyond-a-double": "1e400",
    "beyond-64-bits": "9223372036854775808",
    "many-digits": "9" * 5000,
    "huge-exponent": "1e9999999999999999999999",
    "deep": "[" * 200 + "]" * 200,
    "precise": "0.1000000000000000055511151231257827021181583404541015625",
}

#: What no target could store.
REPLACED: dict[str, Any] = {
    "half-a-pair": "\ufffd",
    "null-character": "\ufffd",
    "null-character-in-a-key": {"\ufffd": "1"},
}


def exact(text: str | bytes) -> Any:
    """JSON with its numbers as they are written."""
    return json.loads(text, parse_float=str, parse_int=str)


@pytest.mark.parametrize("page_size", [7, 500], ids=["apart", "on one page"])
@pytest.mark.parametrize("release", ["v1.0.0", "v1.3.1"])
def test_odd_values_arrive_as_they_are_and_stop_no_target(
    start_kratos: Callable[[Release, int], Kratos],
    target_postgres: Callable[[str], TargetPostgres],
    release: Release,
    page_size: int,
) -> None:
    kratos = start_kratos(release, 20)
    for name, value in ODD.items():
        body = f'{{"schema_id":"staff","traits":{{"username":"odd-{name}","employment":{{"odd":{value}}}}}}}'
        requests.post(f"{kratos.admin_url}admin/identities", data=body, timeout=10).raise_for_status()
    everybody = sorted(kratos.all_ids())
    assert len(everybody) == 20 + len(ODD)
    settings = {"base_url": kratos.admin_url, "page_size": page_size}
    messages = [exact(line) for line in sync(settings).splitlines()]
    found = [message["record"] for message in messages if message["type"] == "RECORD"]
    assert sorted(record["id"] for record in found) == everybody
    odd = {record["traits"]["username"][4:]: record["traits"] for record in found if "odd-" in str(record["traits"])}
    for name, value in ODD.items():
        arrived = odd[name]["employment"]["odd"]
        assert arrived == REPLACED.get(name, exact(value)), name
    (warehouse := target_postgres(f"odd_{release}_{page_size}".replace(".", "_"))).load(sync(settings))
    assert {row["id"] for row in warehouse.rows()} == set(everybody)
    mapped = sync({**settings, "stream_maps": {"identities": {"copy": "id"}}})
    assert mapped.count(b'"type":"RECORD"') == len(everybody)
