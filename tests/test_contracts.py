"""What is imported when the reader is: the contracts of pyproject.toml are about its own imports, this about all."""

import pkgutil
import subprocess
import sys
from pathlib import Path

import ory_reader

#: Of the shells alone: protocols of records, command lines, messages of C1.
FOREIGN = {"singer_sdk", "click", "google.protobuf", "grpc", "tap_ory", "source_ory", "c1_connector", "target_c1"}


def modules_after(*names: str) -> set[str]:
    """What a fresh interpreter has loaded when it has imported these, in our checkout's place."""
    told = "import importlib, sys; [*map(importlib.import_module, sys.argv[1:])]; print(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", told, *names], check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1]
    )
    return set(done.stdout.splitlines())


def test_the_reader_loads_no_protocol_of_records_and_no_command_line() -> None:
    rooms = [module.name for module in pkgutil.walk_packages(ory_reader.__path__, "ory_reader.")]
    assert len(rooms) > 40
    loaded = modules_after("ory_reader", *rooms)
    assert {"ory_reader.streams", "ory_reader.http.client", *rooms} <= loaded
    assert not loaded & FOREIGN
    assert FOREIGN & modules_after("tap_ory.tap")


def test_what_speaks_no_singer_loads_no_sdk_for_it() -> None:
    loaded = modules_after("source_ory.__main__", "source_ory.source", "c1_connector.command", "c1_connector.reading")
    assert "singer_sdk" not in loaded
    assert "ory_reader.project" in loaded
