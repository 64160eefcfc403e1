"""Makes the README the first page of the site, and lets links to files that are no pages lead to the repository."""

import re
from importlib import metadata
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
REPOSITORY = dict(each.split(", ") for each in metadata.metadata("tap-ory").get_all("Project-URL") or ())["Repository"]
_LINK = re.compile(r"(\]\()(?!https?://|#|mailto:)([^)#\s]+)")


def on_files(files: Files, config: Any) -> Files:
    """Add the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    files.append(File.generated(config, "index.md", content=_linked(text, ROOT)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let links that leave the pages lead to the repository."""
    if page.file.src_uri == "index.md":
        return markdown
    return _linked(markdown, (ROOT / "docs" / page.file.src_uri).parent)


def _linked(text: str, folder: Path) -> str:
    return _LINK.sub(lambda found: found[1] + _target(found[2], folder), text)


def _target(link: str, folder: Path) -> str:
    place = (folder / link).resolve()
    docs = ROOT / "docs"
    if place == ROOT / "README.md":
        return "../" * len((folder).relative_to(docs).parts) + "index.md"
    if place.is_relative_to(docs) and place.suffix in {".md", ".svg", ".png"}:
        return place.relative_to(docs).as_posix() if folder == ROOT else link
    kind = "tree" if place.is_dir() else "blob"
    return f"{REPOSITORY}/{kind}/main/{place.relative_to(ROOT).as_posix()}"
