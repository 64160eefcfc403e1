"""Environments of their own for peers whose dependencies would fight with ours, from hash-pinned requirements."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parent / ".cache" / "bench"


def bin_directory(name: str) -> Path:
    """Return where the programs of the environment of `{name}.txt` are, after making it if need be."""
    requirements = HERE / f"{name}.txt"
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = CACHE / f"{name}-{digest}"
    complete = home / "complete"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        # Processes that want it at once wait here for the first of them. The lock ends with the file.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            _install(requirements, home)
            complete.touch()
    return home / "bin"


def _install(requirements: Path, home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(home)], check=True)
    install = [*uv, "pip", "install", "--quiet", "--python", str(home)]
    subprocess.run([*install, "--require-hashes", "-r", str(requirements)], check=True)
