"""The README as a package index shows it, where a link to a file beside it leads nowhere."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

#: A link, or the place of a picture, that is relative.
RELATIVE = re.compile(r"(!?)(\[[^\]]*\])\((?!https?://|#)([^)]+)\)")


class AbsoluteLinks(MetadataHookInterface):
    """Sets the project's `readme`: README.md with each relative link made one into the repository, at this version."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Do so, from `version` and `urls`."""
        repository, version = metadata["urls"]["Repository"], metadata["version"]

        def absolute(link: re.Match[str]) -> str:
            picture, text, target = link.groups()
            return f"{picture}{text}({repository}/{'raw' if picture else 'blob'}/v{version}/{target})"

        text = RELATIVE.sub(absolute, Path(self.root, "README.md").read_text(encoding="utf-8"))
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
