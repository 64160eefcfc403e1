"""The docs as a site: every page is in it, and every link and anchor leads somewhere."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def build(configuration: Path, place: Path) -> subprocess.CompletedProcess[str]:
    # What is quiet counts no warnings.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(configuration), "-d", str(place)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, capture_output=True, check=False, text=True, env=environment, timeout=120)


def test_it_is_built_without_a_warning(tmp_path: Path) -> None:
    done = build(ROOT / "mkdocs.yml", tmp_path)
    assert done.returncode == 0, done.stderr
    pages = {page.with_suffix(".html") for page in (ROOT / "docs").rglob("*.md")}
    assert all((tmp_path / page.relative_to(ROOT / "docs")).exists() for page in pages)
    first = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'href="reading.html"' in first
    assert "/blob/main/schemas/identities.json" in first
    # Whoever reads it tells nobody else.
    assert "fonts.googleapis" not in first


def test_a_link_that_leads_nowhere_ends_the_build(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text("# Home\n\n[gone](gone.md), [lost](#lost)\n")
    rules = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("validation:")[1].split("nav:\n  - ")[0]
    (tmp_path / "mkdocs.yml").write_text(f"site_name: x\nvalidation:{rules}")
    done = build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert done.returncode != 0
    assert "gone.md" in done.stderr
    assert "#lost" in done.stderr
