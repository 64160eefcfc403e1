"""Whose accounts the identities of a schema are where no trait says it: by the settings, or by the schema's id.

Knows words and settings; nothing of traits or records.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ory_reader.users.well_known_names import ACCOUNT_WORDS, ACCOUNTS, KINDS, OF_PEOPLE

if TYPE_CHECKING:
    from ory_reader.config.settings import Settings

BY_SETTING = "setting account_types"


def account_type_of(schema_id: str | None, settings: Settings) -> tuple[str, str]:
    """Return the account type of a schema's identities where no trait says otherwise, and why."""
    if schema_id is not None and schema_id in settings.account_types:
        return settings.account_types[schema_id], BY_SETTING
    words = [word for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", schema_id or "") if word != "v"]
    kind, said = _said_by([word.lower() for word in words])
    return (kind, f'"{said}" in the schema\'s id') if kind else ("human", "default")


def _said_by(words: list[str]) -> tuple[str, str]:
    """The account type that the words of a schema's id name, and by which of them; a word alone is mostly no name."""
    if len(words) == 1 and words[0] in KINDS:
        return KINDS[words[0]], words[0]
    for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False):
        if word not in KINDS and (kind := ACCOUNT_WORDS.get(word.removesuffix("s"), "human")) != "human":
            return kind, word
        if word in KINDS and after in ACCOUNTS and before not in OF_PEOPLE:
            return KINDS[word], f"{word} {after}"
    return "", ""
