"""Which files are the project's own: what git knows or would take in; in an unpacked sdist, what was not made there."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def own_files() -> list[str]:
    """Return their paths from the top of the checkout."""
    if not (ROOT / ".git").exists():
        ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()}
        found = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
        return [str(path) for path in found if not ignored & set(path.parts)]
    told = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return [name for name in told.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
