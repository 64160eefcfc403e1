"""Every list of a project is a stream of Airbyte's source: discovered with its key, and read to its end."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from ory_reader.streams import STREAMS
from ory_sandbox import Sandbox
from ory_sandbox.console import PROJECT_ID


def answers(*arguments: str) -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-m", "source_ory", *arguments], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_all_lists_are_discovered_and_read(tmp_path: Path) -> None:
    with Sandbox(60, manner="network") as sandbox:
        keys = {"api_token": "ory_pat_x", "console_token": "ory_wak_x", "project_id": PROJECT_ID}
        places = dict.fromkeys(("base_url", "oauth2_url", "permissions_url", "console_url"), sandbox.url)
        config, chosen = tmp_path / "config.json", tmp_path / "catalog.json"
        config.write_text(json.dumps({**keys, **places, "consent_subjects": '["nobody"]'}))
        (found,) = (
            each["catalog"] for each in answers("discover", "--config", str(config)) if each["type"] == "CATALOG"
        )
        listed = [
            name
            for name, stream in STREAMS.items()
            if name not in {"access_resources", "access_entitlements", "access_grants"}
        ]
        assert [stream["name"] for stream in found["streams"]] == listed
        for stream in found["streams"]:
            assert stream["source_defined_primary_key"] == [[name] for name in STREAMS[stream["name"]].key]
        modes = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
        chosen.write_text(json.dumps({"streams": [{"stream": stream, **modes} for stream in found["streams"]]}))
        told = answers("read", "--config", str(config), "--catalog", str(chosen))
        held = sandbox.holdings
    counts = Counter(each["record"]["stream"] for each in told if each["type"] == "RECORD")
    assert counts == {
        "identities": 60,
        "users": 60,
        "sessions": len(held.sessions),
        "identity_schemas": 4,
        "organizations": len(held.organizations),
        "relation_tuples": len({json.dumps(each) for each in held.tuples}),
        "oauth2_clients": len(held.clients),
        "permission_namespaces": len(held.namespaces),
        "trust_issuers": len(held.issuers),
    }
    statuses = [each["trace"]["stream_status"] for each in told if "stream_status" in each.get("trace", {})]
    complete = {each["stream_descriptor"]["name"] for each in statuses if each["status"] == "COMPLETE"}
    assert complete == {*listed}
