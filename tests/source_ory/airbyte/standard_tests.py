"""Airbyte's standard tests of a source, over the command source-ory. Runs under the pytest of Airbyte's tools.

The CDK asks a Python object; this one asks the command. `SOURCE_ORY` in the environment names it.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from airbyte_cdk.models import (  # type: ignore[import-not-found]
    AirbyteMessageSerializer,
    ConfiguredAirbyteCatalogSerializer,
)
from airbyte_cdk.sources.source import Source  # type: ignore[import-not-found]
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase  # type: ignore[import-not-found]


class SourceOry(Source):  # type: ignore[misc]
    """The command, as the CDK sees a source."""

    def spec(self, logger: Any) -> Any:
        return only("spec", ask("spec"))

    def check(self, logger: Any, config: Any) -> Any:
        return only("connectionStatus", ask("check", config=config))

    def discover(self, logger: Any, config: Any) -> Any:
        return only("catalog", ask("discover", config=config))

    def read(self, logger: Any, config: Any, catalog: Any, state: Any = None) -> Iterable[Any]:
        yield from ask("read", config=config, catalog=ConfiguredAirbyteCatalogSerializer.dump(catalog))


def ask(command: str, **files: Any) -> Iterator[Any]:
    """Run the command and yield its messages; fail if it does."""
    with tempfile.TemporaryDirectory() as directory:
        arguments = []
        for option, value in files.items():
            path = Path(directory) / option
            path.write_text(json.dumps(value))
            arguments += [f"--{option}", str(path)]
        done = subprocess.run([os.environ["SOURCE_ORY"], command, *arguments], capture_output=True, check=False)
    for line in done.stdout.splitlines():
        yield AirbyteMessageSerializer.load(json.loads(line))
    if done.returncode:
        message = f"source-ory ended with {done.returncode}: {done.stderr.decode()}"
        raise RuntimeError(message)


def only(body: str, messages: Iterable[Any]) -> Any:
    (found,) = filter(None, (getattr(message, body) for message in messages))
    return found


class TestSourceOry(SourceTestSuiteBase):  # type: ignore[misc]
    """All of them, for the configurations that `acceptance-test-config.yml` beside this file lists."""

    connector = SourceOry
