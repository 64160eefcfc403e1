"""What Meltano is told of our plugins: in the Hub's form, and nothing but what the commands tell of themselves."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft7Validator

import target_c1.settings
from hub.__main__ import files
from ory_reader.config.declaration import CONFIG_SCHEMA
from tap_ory.tap import TapOry
from target_c1.target import TargetC1

ROOT = Path(__file__).parents[2]
HUB = json.loads(Path(__file__).with_name("schema.json").read_text(encoding="utf-8"))
OURS = {*CONFIG_SCHEMA["properties"], *target_c1.settings.CONFIG_SCHEMA["properties"]}
PLUGINS = [("extractors", TapOry), ("loaders", TargetC1)]
#: Meltano's kinds by JSON type.
KINDS = {
    "string": {"string", "file"},
    "integer": {"integer"},
    "number": {"decimal"},
    "boolean": {"boolean"},
    "object": {"object"},
    "array": {"array"},
    "choice": {"options"},
}


def definition(plugin: type[TapOry | TargetC1]) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "hub" / f"{plugin.name}.yml").read_text(encoding="utf-8"))
    return found


def in_the_project(kind: str, plugin: type[TapOry | TargetC1]) -> dict[str, Any]:
    """The plugin in meltano.yml."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    found: dict[str, Any]
    (found,) = [each for each in project["plugins"][kind] if each["name"] == plugin.name]
    return found


@pytest.mark.parametrize("path", [ROOT / "hub/tap-ory.yml", ROOT / "hub/target-c1.yml", ROOT / "meltano.yml"], ids=str)
def test_meltano_is_told_what_the_commands_tell(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == files()[path], "run `make plugins`, and commit what it writes"


@pytest.mark.parametrize(("kind", "plugin"), PLUGINS)
def test_the_definitions_are_as_the_hub_wants_them(kind: str, plugin: type[TapOry | TargetC1]) -> None:
    schema = {**HUB, "allOf": [{"$ref": f"#/definitions/{kind}"}]}
    Draft7Validator.check_schema(schema)
    found = definition(plugin)
    assert [error.message for error in Draft7Validator(schema).iter_errors(found)] == []
    assert list(Draft7Validator(schema).iter_errors({**found, "setings": []}))
    # What the Hub's schema leaves to whoever writes one, and a user of Meltano misses.
    assert {"label", "description", "docs", "repo", "pip_url", "executable", "capabilities"} <= found.keys()
    assert all({"label", "description", "kind"} <= setting.keys() for setting in found["settings"])
    assert " " not in found["pip_url"]


def about(plugin: type[TapOry | TargetC1]) -> dict[str, Any]:
    """The settings as `--about --format json` tells them, the SDK's own among them."""
    run = CliRunner().invoke(plugin.cli, ["--about", "--format", "json"], catch_exceptions=False)
    told: dict[str, Any] = json.loads(run.output[run.output.index("{") :])["settings"]["properties"]
    return told


@pytest.mark.parametrize(("kind", "plugin"), PLUGINS)
@pytest.mark.parametrize("where", ["hub", "meltano.yml"])
def test_meltano_knows_every_setting(kind: str, plugin: type[TapOry | TargetC1], where: str) -> None:
    """Meltano's names, labels, kinds, secrets and values are ours: what it does not know it passes on as text."""
    found = definition(plugin) if where == "hub" else in_the_project(kind, plugin)
    settings, told = {setting["name"]: setting for setting in found["settings"]}, about(plugin)
    assert sorted(settings) == sorted(told)
    for name, setting in settings.items():
        assert setting["kind"] in KINDS[kind_of(told[name])], name
        assert name not in OURS or setting["label"] == told[name]["title"]
        assert setting.get("sensitive", False) == told[name].get("secret", False), name
        if setting["kind"] == "options":
            choices = [as_text(each) for each in told[name]["enum"] if each is not None]
            assert [each["value"] for each in setting["options"]] == choices
            assert setting.get("value") == as_text(told[name].get("default")), name
        else:
            assert setting.get("value") == told[name].get("default"), name


def as_text(choice: bool | str | None) -> str | None:  # noqa: FBT001
    """A choice, as the environment would say it: the Hub knows texts alone."""
    return json.dumps(choice) if isinstance(choice, bool) else choice


def kind_of(told: dict[str, Any]) -> str:
    (first, *_) = told["type"] if isinstance(told["type"], list) else [told["type"]]
    return "choice" if "enum" in told else str(first)


def test_the_projects_own_meltano_writes_somewhere_and_reports_nothing() -> None:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    assert project["default_environment"]
    assert project["send_anonymous_usage_stats"] is False
    assert in_the_project("loaders", TargetC1)["config"] == {"path": "output/users.c1z"}
