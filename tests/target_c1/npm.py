"""Packages of npm for the tests that need a program of another world, in the checkout's cache.

`packages/` has a lock file for each, with the version and hash of all that it needs; to renew one, change its
package.json and run `npm install --package-lock-only --omit-lockfile-registry-resolved` beside it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parent / "packages"
#: Resolved, as npm takes a place that is reached by a link for another package, which its lock file lacks.
CACHE = (Path(__file__).parents[2] / ".cache" / "npm").resolve()
SECONDS = 600


def installed(package: str) -> Path:
    """The directory of a package; skips the test where there is no npm, which in CI is an error."""
    if shutil.which("npm") is None:
        if os.environ.get("CI"):
            pytest.fail(f"CI needs npm for {package}")
        pytest.skip(f"no npm here to install {package} with")
    locked = (PACKAGES / package / "package-lock.json").read_bytes()
    place = CACHE / f"{package}-{hashlib.sha256(locked).hexdigest()[:12]}"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "complete").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(PACKAGES / package / name, place)
            install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(place)]
            done = subprocess.run(install, capture_output=True, timeout=SECONDS, check=False)
            assert done.returncode == 0, done.stderr.decode()
            (place / "complete").touch()
    return place / "node_modules" / package
