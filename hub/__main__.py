"""Writes what Meltano knows of our plugins: `python -m hub`, or `make plugins`, in the checkout.

    hub/tap-ory.yml, hub/target-c1.yml   plugin definitions as the Meltano Hub has them
    meltano.yml                          the same capabilities and settings, in this repository's own project

All of it comes from what the commands tell of themselves (`--about`) and from pyproject.toml.
"""

import json
import re
from importlib import metadata
from io import StringIO
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from ruamel.yaml import YAML

from command_basics.declared import marked
from ory_reader.config.declaration import Declaration
from tap_ory.tap import TapOry
from target_c1.target import TargetC1

ROOT = Path(__file__).parents[1]
#: Meltano's kinds by JSON type.
KINDS = {"number": "decimal", **{kind: kind for kind in ("integer", "boolean", "object", "array", "string")}}
FILES = marked(Declaration, "file")
PLUGINS: dict[str, tuple[type[TapOry | TargetC1], dict[str, Any]]] = {
    "extractors": (
        TapOry,
        {
            "label": "Ory",
            "description": "Identity infrastructure: Ory Network and self-hosted Ory Kratos",
            "domain_url": "https://www.ory.sh",
            "docs": "docs/meltano.md",
            "keywords": ["identity", "meltano_sdk"],
            "select": ["identities.*"],
        },
    ),
    "loaders": (
        TargetC1,
        {
            "label": "C1 (ConductorOne)",
            "description": "The users of any tap as the file that C1 imports",
            "domain_url": "https://www.c1.ai",
            "docs": "docs/target-c1.md",
            "keywords": ["file", "identity", "meltano_sdk"],
            "extra": "[c1]",
        },
    ),
}


def main() -> None:
    """Write each file anew."""
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")


def files() -> dict[Path, str]:
    """Return what each file has to say."""
    found = {}
    project = _yaml().load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    for kind, (plugin, own) in PLUGINS.items():
        defined = definition(plugin, own)
        found[ROOT / "hub" / f"{plugin.name}.yml"] = _dumped(defined)
        (ours,) = (each for each in project["plugins"][kind] if each["name"] == plugin.name)
        for part in ("capabilities", "settings_group_validation", "settings"):
            ours[part] = defined[part]
    return {**found, ROOT / "meltano.yml": _dumped(project)}


def definition(plugin: type[TapOry | TargetC1], own: dict[str, Any]) -> dict[str, Any]:
    """Return a plugin's definition; `own` is what the plugin cannot tell itself."""
    told = CliRunner().invoke(plugin.cli, ["--about", "--format", "json"], catch_exceptions=False).output
    about, project = json.loads(told[told.index("{") :]), metadata.metadata("tap-ory")
    repository = dict(each.split(", ") for each in project.get_all("Project-URL", []))["Repository"]
    pythons = re.findall(r"Python :: (3\.\d+)", "\n".join(project.get_all("Classifier", [])))
    return {
        "name": plugin.name,
        "namespace": plugin.name.replace("-", "_"),
        "variant": "tap-ory",
        "label": own["label"],
        "description": own["description"],
        "docs": f"{repository}/blob/main/{own['docs']}",
        "repo": repository,
        # Without a blank, at which Meltano would cut it.
        "pip_url": f"tap-ory{own.get('extra', '')}@git+{repository}@v{project['Version']}",
        "executable": plugin.name,
        "domain_url": own["domain_url"],
        "keywords": own["keywords"],
        "maintenance_status": "active",
        "quality": "unknown",
        "supported_python_versions": pythons,
        "log_parser": "singer-sdk",
        "capabilities": sorted(about["capabilities"]),
        **{name: own[name] for name in ("select",) if name in own},
        "settings_group_validation": [about["settings"]["required"]],
        "settings": [_setting(name, each) for name, each in about["settings"]["properties"].items()],
    }


def _setting(name: str, declared: dict[str, Any]) -> dict[str, Any]:
    first = declared["type"] if isinstance(declared["type"], str) else declared["type"][0]
    kind = "file" if name in FILES else "options" if "enum" in declared else KINDS[first]
    setting = {
        "name": name,
        "kind": kind,
        "label": declared["title"],
        "description": declared["description"],
    }
    if "default" in declared:
        setting["value"] = _word(declared["default"]) if kind == "options" else declared["default"]
    if kind == "options":
        words = [_word(each) for each in declared["enum"] if each is not None]
        setting["options"] = [{"label": word, "value": word} for word in words]
    if declared.get("secret"):
        setting["sensitive"] = True
    return setting


def _word(choice: Any) -> str:
    """A choice as the Hub wants it, which knows texts alone; our readers of settings take it for what it was."""
    return json.dumps(choice).strip('"')


def _yaml() -> YAML:
    yaml = YAML()
    yaml.width = 10_000  # it leaves blanks where it breaks lines
    return yaml


def _dumped(content: Any) -> str:
    text = StringIO()
    _yaml().dump(content, text)
    return text.getvalue()


if __name__ == "__main__":
    main()
