"""Holds lines from stdin against the published models of Airbyte's protocol. Runs beside those.

The models let unknown keys pass; a misspelt one must not, so those are looked for too. Prints how many messages of
each type there were, as JSON; ends with an error at the first that does not fit.
"""

import json
import sys
from collections import Counter

from airbyte_protocol.models import AirbyteMessage, AirbyteStateBlob  # type: ignore[import-not-found]
from pydantic import BaseModel


def unknown_keys(value: object) -> list[str]:
    if isinstance(value, list):
        return [key for each in value for key in unknown_keys(each)]
    if not isinstance(value, BaseModel) or isinstance(value, AirbyteStateBlob):
        return []
    members = [key for name in type(value).model_fields for key in unknown_keys(getattr(value, name))]
    return [*(value.model_extra or {}), *members]


counts: Counter[str] = Counter()
for line in sys.stdin.buffer:
    message = AirbyteMessage.model_validate_json(line, strict=False)
    if unknown := unknown_keys(message):
        sys.exit(f"unknown to the protocol: {unknown} in {line.decode()[:300]}")
    filled = message.model_dump(exclude_none=True)
    if len(filled) != 2:
        sys.exit(f"not one body: {line.decode()[:300]}")
    counts[message.type.value] += 1
sys.stdout.write(json.dumps(counts) + "\n")
