"""Packages of npm for the tests that need a program of another world, at exact versions, in the checkout's cache."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

CACHE = Path(__file__).parents[2] / ".cache" / "npm"
SECONDS = 600


def installed(package: str, version: str) -> Path:
    """The directory of a package; skips the test where there is no npm, which in CI is an error."""
    if shutil.which("npm") is None:
        if os.environ.get("CI"):
            pytest.fail(f"CI needs npm for {package}")
        pytest.skip(f"no npm here to install {package} with")
    place = CACHE / f"{package}-{version}"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "complete").exists():
            install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(place)]
            done = subprocess.run([*install, f"{package}@{version}"], capture_output=True, timeout=SECONDS, check=False)
            assert done.returncode == 0, done.stderr.decode()
            (place / "complete").touch()
    return place / "node_modules" / package
