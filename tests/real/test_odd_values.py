"""Values that anybody who may write a trait can leave in a real Kratos: none of them costs a row, or changes."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.command import sync
from tests.real.server import Kratos, Release

ODD = {
    "half-a-pair": '"\\ud800"',
    "null-character": '"\\u0000"',
    "many-digits": "9" * 5000,
    "huge-exponent": "1e9999999999999999999999",
    "deep": "[" * 200 + "]" * 200,
    "precise": "0.1000000000000000055511151231257827021181583404541015625",
}


def exact(text: str | bytes) -> Any:
    """JSON with its numbers as they are written."""
    return json.loads(text, parse_float=str, parse_int=str)


@pytest.mark.parametrize("page_size", [7, 500], ids=["apart", "on one page"])
@pytest.mark.parametrize("release", ["v1.0.0", "v1.3.1"])
def test_odd_values_arrive_as_they_are(
    start_kratos: Callable[[Release, int], Kratos], release: Release, page_size: int
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
        # Half a surrogate pair is no text that a target could store.
        assert arrived == ("\ufffd" if name == "half-a-pair" else exact(value)), name
    mapped = sync({**settings, "stream_maps": {"identities": {"copy": "id"}}})
    assert mapped.count(b'"type":"RECORD"') == len(everybody)
