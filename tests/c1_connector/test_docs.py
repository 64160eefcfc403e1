"""docs/c1.md, and what the connector tells of itself in C1's forms, say what the command does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from c1_connector.conventions import capabilities, config_schema
from c1_connector.hello import hello
from c1_connector.settings import SCHEMA, _parser, parse

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "c1.md").read_text()


def test_the_page_has_the_order_of_a_baton_connectors() -> None:
    order = ["Capabilities", "Gather Ory credentials", "Configure the Ory connector", "Configuration reference"]
    assert re.findall(r"(?m)^## (.+)$", PAGE)[:4] == order
    steps = re.findall(r"(?m)^###+ (.+)$", PAGE)
    assert [step.partition(":")[0] for step in steps][:5] == [
        "Step 1",
        "Step 2",
        "Secrets configuration",
        "Deployment configuration",
        "Step 3",
    ]


def test_the_table_lists_every_flag_and_variable_with_its_default() -> None:
    table = PAGE.split("## Configuration reference")[1].split("\nAll settings")[0]
    flags = {flag for action in _parser()._actions for flag in action.option_strings if flag.startswith("--")}
    assert set(re.findall(r"`(--[a-z0-9-]+)`", table)) == flags - {"--help", "--check", "--version"}
    named = set(re.findall(r"\[(BATON_\w+)\]", _parser().format_help()))
    assert set(re.findall(r"`(BATON_\w+)`", table)) == named | {"BATON_CONFIG_PATH"}
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if "`--" in line]
    shown = {name: default for names, _, default, _ in cells for name in re.findall(r"`BATON_(\w+)`", names)}
    for name, definition in SCHEMA["properties"].items():
        if default := definition.get("default"):
            assert shown[name.upper()] == str(default), name


@pytest.mark.parametrize(
    ("asked", "file"), [("config", "config_schema.json"), ("capabilities", "baton_capabilities.json")]
)
def test_what_the_command_tells_in_c1s_forms_lies_in_the_repository(asked: str, file: str) -> None:
    """If not: `ory-connector config > config_schema.json`, and likewise for the other."""
    told = subprocess.run([sys.executable, "-m", "c1_connector", asked], capture_output=True, text=True, check=True)
    assert told.stdout == (ROOT / file).read_text()


def test_the_schema_has_the_settings_of_a_connector_by_name_and_default() -> None:
    fields = {field["name"]: field for field in config_schema()["fields"]}
    # Those of C1's own connectors, as their files have them.
    assert fields["health-check"]["boolField"] == {}
    assert fields["health-check-port"]["intField"] == {"defaultValue": "8081"}
    assert fields["health-check-bind-address"]["stringField"] == {"defaultValue": "127.0.0.1"}
    assert fields["log-level"]["stringField"] == {"defaultValue": "info"}
    assert [name for name, field in fields.items() if field.get("isSecret")] == ["api-token"]
    assert [name for name, field in fields.items() if field.get("isRequired")] == ["base-url"]
    # Each is a flag, and by this name a setting of a file.
    assert {f"--{name}" for name in fields} <= {flag for action in _parser()._actions for flag in action.option_strings}


def test_the_capabilities_are_those_of_the_greeting() -> None:
    (told,) = capabilities()["resourceTypeCapabilities"]
    (greeted,) = hello(parse([], {})).connector_metadata.capabilities.resource_type_capabilities
    assert (told["resourceType"]["id"], told["resourceType"]["displayName"]) == (
        greeted.resource_type.id,
        greeted.resource_type.display_name,
    )
    (annotation,) = greeted.resource_type.annotations
    assert told["resourceType"]["annotations"] == [{"@type": annotation.type_url}]
    # In C1's enumerations the user's trait is 1, and CAPABILITY_SYNC is 2.
    assert (list(greeted.resource_type.traits), list(greeted.capabilities)) == ([1], [2])
    assert (told["resourceType"]["traits"], told["capabilities"]) == (["TRAIT_USER"], ["CAPABILITY_SYNC"])
