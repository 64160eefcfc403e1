"""README, docs and meltano.yml say what the code does: each claim a machine can check is checked here."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

import target_c1.settings
from ory_reader.config.declaration import CONFIG_SCHEMA
from ory_reader.http import error_messages
from tap_ory.tap import TapOry
from target_c1.target import TargetC1

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS: dict[str, Any] = CONFIG_SCHEMA["properties"]
OURS = {*SETTINGS, *target_c1.settings.CONFIG_SCHEMA["properties"]}
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
    shown = table_rows(README.split("## Settings")[1])[name][0]
    assert shown.strip("`") == (str(default).lower() if isinstance(default, bool) else json.dumps(default))


def test_readme_names_the_settings_of_the_sdk() -> None:
    assert set(re.findall(r"`(\w+)`", README)) >= OF_THE_SDK & set(SETTINGS)


def test_readme_lists_every_stream() -> None:
    streams = TapOry(validate_config=False).streams
    section = README.split("## The stream")[1].split("\n## ")[0]
    assert set(streams) == {name for name in streams if f"`{name}`" in section}


def test_make_commands_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`?\bmake (\w+)(?:`|   #)", README)) <= targets
    assert {"demo", "test", "lint", "bench", "help"} <= targets


def test_links_of_the_docs_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
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


def test_meltano_knows_every_setting() -> None:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    (tap,) = [plugin for plugin in project["plugins"]["extractors"] if plugin["name"] == "tap-ory"]
    compare(tap["settings"], about(TapOry))
    assert project["default_environment"]
    assert project["send_anonymous_usage_stats"] is False


def test_meltano_knows_every_setting_of_the_target() -> None:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    (target,) = [plugin for plugin in project["plugins"]["loaders"] if plugin["name"] == "target-c1"]
    # A loader has to write somewhere, and an empty mapping is none.
    compare(target["settings"], about(TargetC1), other_values={"path": "output/users.c1z", "mapping": {}})


def about(plugin: type[TapOry | TargetC1]) -> dict[str, Any]:
    """The settings as `--about --format json` tells them, the SDK's own among them."""
    run = CliRunner().invoke(plugin.cli, ["--about", "--format", "json"], catch_exceptions=False)
    told: dict[str, Any] = json.loads(run.output[run.output.index("{") :])["settings"]["properties"]
    return told


def compare(declared: list[dict[str, Any]], told: dict[str, Any], other_values: dict[str, Any] | None = None) -> None:
    """Meltano's names, labels, kinds, secrets and values are ours: what it does not know it passes on as text."""
    settings = {setting["name"]: setting for setting in declared}
    assert sorted(settings) == sorted(told)
    for name, setting in settings.items():
        assert setting["kind"] in KINDS[kind_of(told[name])], name
        assert name not in OURS or setting["label"] == told[name]["title"]
        assert setting.get("sensitive", False) == told[name].get("secret", False), name
        expected = {**told[name], **({"default": other_values[name]} if other_values and name in other_values else {})}
        assert setting.get("value") == expected.get("default"), name


#: Meltano's kinds by JSON type.
KINDS = {
    "string": {"string", "file"},
    "integer": {"integer"},
    "number": {"decimal"},
    "boolean": {"boolean"},
    "object": {"object"},
    "choice": {"options"},
}


def kind_of(definition: dict[str, Any]) -> str:
    (first, *_) = definition["type"] if isinstance(definition["type"], list) else [definition["type"]]
    return "choice" if "enum" in definition else str(first)


def test_wheel_brings_its_schemas(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    found = subprocess.run(
        [sys.executable, "-c", "import ory_reader.streams as s; print(s.SCHEMAS)"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "unpacked")},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    assert found == str(tmp_path / "unpacked" / "ory_reader" / "schemas")
    assert {path.name for path in Path(found).iterdir()} == {path.name for path in (ROOT / "schemas").glob("*.json")}
    assert (tmp_path / "unpacked" / "tap_ory" / "py.typed").exists()
