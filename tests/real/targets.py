"""Programs that want dependencies of their own, such as Singer targets: each in a venv made once, pinned by hash.

`<name>.txt` beside this file lists what is installed; the venv lies in the checkout under `.cache/targets/`.
Knows nothing of what the programs do, nor of pytest.
"""

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
CACHE: Final = Path(__file__).parents[2] / ".cache" / "targets"
UV: Final = Path(sys.executable).with_name("uv")


class NotInstalledError(Exception):
    """A program could not be installed; the message says why."""


def venv(name: str) -> Path:
    """Return the venv with what `<name>.txt` lists, after making it if it is not there yet.

    Raises:
        NotInstalledError: without uv beside this Python, or if a package cannot be had.
    """
    requirements = HERE / f"{name}.txt"
    pins = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = CACHE / f"{name}-{pins}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        # Test processes that run at once wait here for the first of them. The lock ends with the file.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "installed").exists():
            _run("venv", "--quiet", "--clear", "--python", sys.executable, str(home))
            # The pinned list is all there is to install.
            python = str(home / "bin" / "python")
            _run(
                "pip",
                "install",
                "--quiet",
                "--no-deps",
                "--python",
                python,
                "--require-hashes",
                "-r",
                str(requirements),
            )
            (home / "installed").touch()
    return home


def _run(*arguments: str) -> None:
    if not UV.exists():
        msg = f"no uv beside {sys.executable}; `make test` installs it"
        raise NotInstalledError(msg)
    done = subprocess.run([UV, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"uv {arguments[0]} failed: {done.stderr[-2000:]}"
        raise NotInstalledError(msg)
