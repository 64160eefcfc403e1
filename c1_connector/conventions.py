"""What every baton connector tells of itself by `config` and `capabilities`: its settings, and what it can do.

The JSON forms of two messages of C1's connector SDK, `c1.config.v1.Configuration` and
`c1.connector.v2.ConnectorCapabilities`, as its connectors keep them in `config_schema.json` and
`baton_capabilities.json`. Settings that each connector has for its two sides with C1 are in neither.
"""

from __future__ import annotations

from typing import Any

from c1_connector.settings import ORY_FLAGS, SCHEMA, flag
from ory_reader.config.declaration import CONFIG_SCHEMA, Declaration
from target_c1.messages import SKIP_URL, USER_TYPE
from target_c1.settings import CONFIG_SCHEMA as TARGET_SCHEMA

#: Of whoever runs it, not of the project.
OPS = ("log_level", "health_check", "health_check_port", "health_check_bind_address")
KINDS = {"string": "stringField", "integer": "intField", "boolean": "boolField"}
SYNC = "CAPABILITY_SYNC"


def config_schema() -> dict[str, Any]:
    """Return the settings."""
    own = [_field(name, SCHEMA["properties"][name], isOps=True) for name in OPS]
    properties, required = CONFIG_SCHEMA["properties"], CONFIG_SCHEMA["required"]
    ory = [
        _field(
            name,
            properties[name],
            displayName=properties[name]["title"],
            placeholder=Declaration.__dataclass_fields__[name].metadata["examples"][0],
            isRequired=name in required,
            isSecret=properties[name].get("secret", False),
        )
        for name in ORY_FLAGS
    ]
    return {"fields": [*own, *ory], "displayName": "Ory"}


def capabilities() -> dict[str, Any]:
    """Return what it syncs, and that it does nothing else."""
    user = {
        "id": USER_TYPE,
        "displayName": TARGET_SCHEMA["properties"]["display_name"]["default"],
        "traits": ["TRAIT_USER"],
        "annotations": [{"@type": SKIP_URL}],
    }
    return {
        "@type": "type.googleapis.com/c1.connector.v2.ConnectorCapabilities",
        "resourceTypeCapabilities": [{"resourceType": user, "capabilities": [SYNC], "permissions": {}}],
        "connectorCapabilities": [SYNC],
        "credentialDetails": {},
    }


def _field(name: str, definition: dict[str, Any], **more: Any) -> dict[str, Any]:
    kinds = definition["type"]
    default = definition.get("default")
    rules = {"rules": {"isRequired": True}} if more.get("isRequired") else {}
    # Protocol Buffers' JSON leaves out what is empty or false, and has whole numbers of 64 bits as text.
    shown = {} if default in {None, "", False} else {"defaultValue": str(default)}
    return {
        "name": flag(name),
        "description": definition["description"],
        **{key: value for key, value in more.items() if value},
        KINDS[kinds if isinstance(kinds, str) else kinds[0]]: {**shown, **rules},
    }
