"""The commands that the pages of streams and of access show: each runs as it stands, where its servers are."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ory_sandbox import Sandbox
from tests.command import clean_environment

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [*sorted((DOCS / "streams").glob("*.md")), DOCS / "access.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_commands_run(page: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert blocks
    script = "set -euo pipefail\n" + "\n".join(blocks)
    with Sandbox(20) as sandbox:
        urls = {"BASE_URL": sandbox.url, "PERMISSIONS_URL": sandbox.permissions_url, "OAUTH2_URL": sandbox.oauth2_url}
        for shown, meant in (("4466", sandbox.permissions_url), ("4445", sandbox.oauth2_url)):
            script = script.replace(f"http://127.0.0.1:{shown}/", meant)
        variables = {f"TAP_ORY_{name}": url for name, url in urls.items()}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", script],
            env=clean_environment({**variables, "PATH": path}),
            capture_output=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr.decode()
    # Not each has rows here.
    assert b'"type":"ACTIVATE_VERSION"' in done.stdout
