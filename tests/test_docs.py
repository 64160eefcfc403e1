"""README and docs say what the code does: each claim a machine can check is checked here."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ory_reader.config.declaration import CONFIG_SCHEMA
from ory_reader.http import error_messages
from ory_reader.streams import STREAMS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS: dict[str, Any] = CONFIG_SCHEMA["properties"]
#: What the SDK adds by itself; it documents them.
OF_THE_SDK = {"stream_maps", "stream_map_config", "faker_config", "flattening_enabled", "flattening_max_depth"}
OWN = [name for name in SETTINGS if not name.startswith(("flattening_", "stream_map", "faker_"))]


def table_rows(text: str) -> dict[str, list[str]]:
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    return {row[0].strip().strip("`"): [cell.strip() for cell in row[1:]] for row in rows}


def test_readme_lists_every_setting_and_no_other() -> None:
    settings_section = README.split("## Settings")[1].split("\n## ")[0]
    assert sorted(table_rows(settings_section)) == sorted(OWN)


@pytest.mark.parametrize("name", [name for name in OWN if "default" in SETTINGS[name]])
def test_readme_gives_the_default(name: str) -> None:
    default = SETTINGS[name]["default"]
    shown = table_rows(README.split("## Settings")[1].split("\n## ")[0])[name][0]
    assert shown.strip("`") == (str(default).lower() if isinstance(default, bool) else json.dumps(default))


def test_readme_names_the_settings_of_the_sdk() -> None:
    assert set(re.findall(r"`(\w+)`", README)) >= OF_THE_SDK & set(SETTINGS)


def test_readme_lists_every_stream() -> None:
    section = README.split("## The stream")[1].split("\n## ")[0]
    assert set(STREAMS) == {name for name in STREAMS if f"`{name}`" in section}


def test_make_commands_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`?\bmake (\w+)(?:`|   #)", README)) <= targets
    assert {"demo", "test", "lint", "bench", "help"} <= targets


def test_links_of_the_docs_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_sentences_of_the_readme_are_those_of_the_program() -> None:
    spoken = "".join(
        path.read_text(encoding="utf-8") for room in ("ory_reader", "tap_ory") for path in (ROOT / room).rglob("*.py")
    )
    section = README.split("## When it fails")[1].split("\n## ")[0]
    for sentence in re.findall(
        r"`([^`]+)`", "".join(line.split("|")[1] for line in section.splitlines() if "|" in line)
    ):
        for part in re.split(r" \.\.\. |answered \d+ ", sentence):
            assert not part or part in spoken or part in {"Unauthorized", "Forbidden", "Not Found"}, sentence
    assert error_messages.CUT_SHORT
