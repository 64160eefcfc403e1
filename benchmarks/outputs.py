"""`python -m benchmarks.outputs OTHER_BIN`: whether two checkouts write the same of the same people, byte for byte.

Each command of this checkout runs against one sandbox, and the same command out of `OTHER_BIN`, the `.venv/bin` of
another checkout. What says when a run was (times, versions made of them, ids of a sync) is masked, nothing else.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import zstandard

from ory_sandbox.sandbox import Sandbox

HERE = Path(sys.executable).parent
IDENTITIES = 1200
MASKS = [
    (re.compile(rb'"(time_extracted|started_at|ended_at)": ?"[^"]*"'), rb'"\1":""'),
    (re.compile(rb'"(version|emitted_at)": ?\d{9,}'), rb'"\1":0'),
    (re.compile(rb'"finished": ?\{[^}]*\}'), b'"finished":{}'),
    (re.compile(rb'"(replication_key_value|replication_key_signpost)": ?"[^"]*"'), rb'"\1":""'),
]
MAPS = {"identities": {"address": "md5(traits.get('email') or '')", "__filter__": "state == 'active'"}}
#: The settings of each run of the tap, beside base_url, and the streams that it selects.
RUNS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "identities": ({}, ["identities"]),
    "users": ({}, ["users"]),
    "identities and users": ({"credential_metadata": True}, ["identities", "users"]),
    "users, exact": ({"credential_metadata": "exact"}, ["users"]),
    "flattened": ({"flattening_enabled": True, "flattening_max_depth": 3}, ["identities", "users"]),
    "mapped": ({"stream_maps": MAPS}, ["identities"]),
    "without versions": ({"emit_activate_version_messages": False}, ["identities"]),
    "small pages": ({"page_size": 7}, ["identities"]),
}


def main() -> int:
    """Compare; the exit code is the number of runs that differ."""
    other = Path(sys.argv[1]).absolute()
    differing = 0
    for manner in ("v1.3", "v1.0"):
        with Sandbox(IDENTITIES, manner=manner) as sandbox, tempfile.TemporaryDirectory() as directory:
            for name, command in commands(sandbox.url, Path(directory)):
                outputs = [masked(output_of(bin_directory, command)) for bin_directory in (HERE, other)]
                same = outputs[0] == outputs[1]
                differing += not same
                size = len(outputs[0])
                sys.stdout.write(f"{'same' if same else 'DIFFERS'}: {manner} {name} ({size:,} bytes)\n")
                if not same:
                    sys.stdout.write(first_difference(*outputs))
    return differing


def commands(url: str, directory: Path) -> list[tuple[str, list[str]]]:
    """The commands by name, each without its directory; files that they need are written to `directory`."""
    base: dict[str, Any] = {"base_url": url, "concurrency": 1}
    config = _file(directory / "config.json", base)
    found = [
        ("--discover", ["tap-ory", "--config", config, "--discover"]),
        ("--explain-users", ["tap-ory", "--config", config, "--explain-users"]),
        ("--check", ["tap-ory", "--config", config, "--check"]),
        ("source-ory discover", ["source-ory", "discover", "--config", config]),
    ]
    for name, (settings, streams) in RUNS.items():
        own = _file(directory / f"{name}.json", {**base, **settings})
        catalog = _catalog(own, streams, directory / f"{name}.catalog.json")
        found.append((name, ["tap-ory", "--config", own, "--catalog", catalog]))
    incremental = _catalog(config, ["identities"], directory / "incremental.json", method="INCREMENTAL")
    found.append(("incremental", ["tap-ory", "--config", config, "--catalog", incremental]))
    discovered = json.loads(_last(output_of(HERE, ["source-ory", "discover", "--config", config]), b"CATALOG"))
    for mode in ("full_refresh", "incremental"):
        streams = [
            {"stream": each, "sync_mode": mode, "destination_sync_mode": "append"}
            for each in discovered["catalog"]["streams"]
            # What both checkouts have.
            if each["name"] in {"identities", "users"} and mode in each["supported_sync_modes"]
        ]
        configured = _file(directory / f"airbyte-{mode}.json", {"streams": streams})
        found.append((f"source-ory {mode}", ["source-ory", "read", "--config", config, "--catalog", configured]))
    users = directory / "users.jsonl"
    catalog = _catalog(config, ["users"], directory / "for-c1.json")
    users.write_bytes(output_of(HERE, ["tap-ory", "--config", config, "--catalog", catalog]))
    for kind in ("c1z", "csv", "json"):
        own = _file(directory / f"{kind}.json", {"path": str(directory / f"out.{kind}"), "format": kind})
        found.append((f"target-c1 {kind}", ["target-c1", "--config", own, "--input", str(users)]))
    found.append(("ory-connector", ["ory-connector", "--base-url", url, "--file", str(directory / "out.c1z")]))
    return found


def output_of(bin_directory: Path, command: list[str]) -> bytes:
    """What a command writes: to stdout, and where it makes a file, that file."""
    made = [Path(each) for each in command if each.endswith(".c1z")]
    if command[0] == "target-c1":
        made.append(Path(json.loads(Path(command[2]).read_text())["path"]))
    for path in made:
        path.unlink(missing_ok=True)
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "TAP_ORY_LOGLEVEL": "error"}
    done = subprocess.run(
        [bin_directory / command[0], *command[1:]],
        env=environment,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        message = f"{bin_directory / command[0]} ended with {done.returncode}: {done.stderr[-2000:].decode()}"
        raise RuntimeError(message)
    return done.stdout + b"".join(_content(path) for path in made)


def masked(output: bytes) -> bytes:
    """What two runs must have in common. Messages to people (LOG) and their order are not part of it."""
    lines = [line for line in output.splitlines() if not line.startswith(b'{"type":"LOG"')]
    text = b"\n".join(lines)
    for pattern, replacement in MASKS:
        text = pattern.sub(replacement, text)
    return text


def first_difference(one: bytes, two: bytes) -> str:
    """Where two outputs part, in a few lines."""
    at = next((n for n, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
    shown = [each[max(0, at - 200) : at + 200].decode(errors="replace") for each in (one, two)]
    return f"  at byte {at:,}\n  here:  {shown[0]}\n  there: {shown[1]}\n"


def _content(path: Path) -> bytes:
    """A file as bytes; of a .c1z its rows, without the ids and times of the sync."""
    if path.suffix != ".c1z":
        return path.read_bytes()
    database = zstandard.ZstdDecompressor(max_window_size=1 << 25).decompressobj().decompress(path.read_bytes()[5:])
    connection = sqlite3.connect(":memory:")
    connection.deserialize(database)
    lines = [repr(row) for row in connection.execute("select sql from sqlite_master order by name")]
    for table in ("v1_resource_types", "v1_resources", "v1_entitlements", "v1_grants"):
        cursor = connection.execute(f"select * from {table} order by id")
        names = [column[0] for column in cursor.description]
        kept = [n for n, name in enumerate(names) if name not in {"sync_id", "discovered_at"}]
        lines += [repr([row[n] for n in kept]) for row in cursor]
    lines += [repr(row) for row in connection.execute("select sync_type, sync_token, parent_sync_id from v1_sync_runs")]
    return "\n".join(lines).encode()


def _catalog(config: str, streams: list[str], path: Path, *, method: str = "FULL_TABLE") -> str:
    catalog = json.loads(output_of(HERE, ["tap-ory", "--config", config, "--discover"]))
    for stream in catalog["streams"]:
        root = next(each for each in stream["metadata"] if not each["breadcrumb"])
        root["metadata"]["selected"] = stream["tap_stream_id"] in streams
        stream["replication_method"] = method
        if method == "INCREMENTAL":
            stream["replication_key"] = "changed_at"
    return _file(path, catalog)


def _last(output: bytes, kind: bytes) -> bytes:
    return next(line for line in reversed(output.splitlines()) if line.startswith(b'{"type":"' + kind))


def _file(path: Path, content: object) -> str:
    path.write_text(json.dumps(content))
    return str(path)


if __name__ == "__main__":
    sys.exit(main())
