"""The commands that are measured: the tap and its peers, each as one would run it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.environments import bin_directory

PEERS = Path(__file__).parent / "peers"
#: A tap's settings must come from its configuration file alone.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith(("TAP_ORY_", "BATON_", "STOCK_TAP_"))
} | {"DO_NOT_TRACK": "1"}


class Contenders:
    """Builds commands; whatever files they need are in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def tap_ory(self, url: str, **settings: Any) -> list[str]:
        return [sys.executable, "-m", "tap_ory", "--config", self._config(url, **settings)]

    def tap_ory_of(self, url: str, *streams: str, **settings: Any) -> list[str]:
        """The tap with the catalog that selects these of its streams; it is discovered here and now."""
        command = self.tap_ory(url, **settings)
        discovered = self._directory / "discovered.json"
        measure.run([*command, "--discover"], output=discovered, environment=ENVIRONMENT)
        catalog = json.loads(discovered.read_bytes())
        for stream in catalog["streams"]:
            (root,) = (entry for entry in stream["metadata"] if not entry["breadcrumb"])
            root["metadata"]["selected"] = stream["tap_stream_id"] in streams
        return [*command, "--catalog", self._file(catalog)]

    def record_by_record(self, command: list[str]) -> list[str]:
        """The same command of the tap, the SDK's own way."""
        return [sys.executable, "-m", "benchmarks.peers.record_by_record", *command[3:]]

    def stock_tap(self, url: str, **settings: Any) -> list[str]:
        return [sys.executable, str(PEERS / "stock_tap.py"), "--config", self._config(url, **settings)]

    def floor(self, url: str) -> list[str]:
        return [sys.executable, str(PEERS / "floor.py"), url]

    def sessions(self, url: str) -> list[str]:
        """The tap's sessions."""
        return [*self.tap_ory(url), "--select", "sessions"]

    def sessions_floor(self, url: str) -> list[str]:
        return [sys.executable, str(PEERS / "sessions_floor.py"), url]

    def users_with(self, url: str, **settings: Any) -> list[str]:
        """The tap's users, of a project without identity schemas."""
        return [*self.tap_ory(url, identity_schemas=False, **settings), "--select", "users"]

    def tuples(self, url: str) -> list[str]:
        """The tap's relation tuples."""
        return [*self.tap_ory("http://127.0.0.1:1", permissions_url=url), "--select", "relation_tuples"]

    def tuples_floor(self, url: str) -> list[str]:
        return [sys.executable, str(PEERS / "tuples_floor.py"), url]

    def bare_requests(self, url: str) -> list[str]:
        return [sys.executable, str(PEERS / "bare_requests.py"), url]

    def dlt(self, url: str) -> list[str]:
        """Each run starts anew, in an empty directory, at `dlt_directory`."""
        shutil.rmtree(self.dlt_directory, ignore_errors=True)
        return [str(bin_directory("dlt") / "python"), str(PEERS / "dlt_rest.py"), url, str(self.dlt_directory)]

    @property
    def dlt_directory(self) -> Path:
        return self._directory / "dlt"

    def airbyte(self, url: str) -> list[str]:
        return [
            str(bin_directory("airbyte") / "source-declarative-manifest"),
            "read",
            "--config",
            self._config(url),
            "--catalog",
            str(PEERS / "airbyte_catalog.json"),
            "--manifest-path",
            str(PEERS / "airbyte_manifest.yaml"),
        ]

    def _config(self, url: str, **settings: Any) -> str:
        return self._file({"base_url": url, **settings})

    def _file(self, content: dict[str, Any]) -> str:
        with tempfile.NamedTemporaryFile("w", dir=self._directory, suffix=".json", delete=False) as file:
            json.dump(content, file)
        return file.name
