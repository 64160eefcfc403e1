"""A command's settings out of its environment and its files, and what was written there for nobody."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from command_basics.values import UnreadableError, is_unset, read_value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

#: What is behind the name of a secret's variable where the value is the path of a file with the secret in it.
FILE_SUFFIX = "_FILE"
MAX_SECRET_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Reader:
    """Reads the settings of one command.

    `prefix` begins its variables, `error` is raised with a sentence for the user. `aliases` are variables of
    another prefix for the same settings; the command's own win. `foreign` are variables that others read, by
    their prefixes: never warned of, and with the aliases the names that a mistyped variable of that prefix is
    compared with. `has_files` where settings may also be in a file, under their names without the prefix: then
    warnings name them so.
    """

    prefix: str
    error: type[Exception]
    aliases: Mapping[str, str] = field(default_factory=dict)
    foreign: Mapping[str, Collection[str]] = field(default_factory=dict)
    has_files: bool = True

    def from_environment(self, environ: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings that variables give; an empty one gives none.

        Raises:
            Exception: `error`, if one cannot be read as what it is declared to be, or a secret's file cannot be read.
        """
        found: dict[str, Any] = {}
        for name, definition in schema["properties"].items():
            for variable in self._variables(name):
                text = environ.get(variable, "")
                if definition.get("secret") and (path := environ.get(variable + FILE_SUFFIX)):
                    if text:
                        self._refuse(variable, f"is set, and {variable}{FILE_SUFFIX} as well", "keep one of them")
                    text = self._secret(variable + FILE_SUFFIX, path)
                try:
                    value = read_value(text, definition)
                except UnreadableError as error:
                    self._refuse(variable, error.what, error.remedy)
                if not is_unset(value):
                    found[name] = value
                    break
        return found

    def from_mapping(self, given: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of a file or a form without what is unset; what is unreadable is left for validation."""
        properties = schema["properties"]
        found = {name: _read_or_keep(value, properties.get(name, {})) for name, value in given.items()}
        return {name: value for name, value in found.items() if not is_unset(value)}

    def unknown_variables(self, environ: Iterable[str], schema: Mapping[str, Any]) -> list[str]:
        """Return one warning for each variable of ours, or of an alias's prefix, that nothing reads."""
        warnings = []
        for prefix in dict.fromkeys((self.prefix, *self.foreign)):
            names = [name.removeprefix(prefix) for name in self._known(schema) if name.startswith(prefix)]
            known = [*names, *self.foreign.get(prefix, ())]
            # With an underscore more they are a runner's: Meltano's TAP_ORY__SELECT.
            given = [name.removeprefix(prefix) for name in environ if re.match(f"{prefix}(?!_)", name)]
            if prefix == self.prefix and self.has_files:
                warnings += unknown_settings(map(str.lower, given), [name.lower() for name in known])
            else:
                warnings += unknown_settings(given, known, prefix)
        return warnings

    def _known(self, schema: Mapping[str, Any]) -> Iterator[str]:
        for name, definition in schema["properties"].items():
            for variable in self._variables(name):
                yield variable
                if definition.get("secret"):
                    yield variable + FILE_SUFFIX

    def _variables(self, name: str) -> list[str]:
        return [self.prefix + name.upper(), *(alias for alias, setting in self.aliases.items() if setting == name)]

    def _secret(self, variable: str, path: str) -> str:
        try:
            with Path(path).open("rb") as file:
                text = file.read(MAX_SECRET_BYTES).decode().strip()
        except OSError as error:
            self._refuse(
                variable, f"names a file that cannot be read: {error.strerror}", "give the path of a text file"
            )
        except ValueError:
            self._refuse(variable, "names a file that is no text", "give the path of a text file")
        if not text:
            self._refuse(variable, "names a file that is empty", "write the secret into it")
        return text

    def _refuse(self, setting: str, what: str, remedy: str) -> NoReturn:
        msg = f"Setting {setting} {what}: {remedy}."
        raise self.error(msg)


def _read_or_keep(value: Any, definition: Mapping[str, Any]) -> Any:
    try:
        return read_value(value, definition)
    except UnreadableError:
        return value


def unknown_settings(given: Iterable[str], known: Collection[str], prefix: str = "") -> list[str]:
    """Return one warning for each setting that nothing reads, with the nearest known name; `prefix` begins both."""
    warnings = []
    for name in given:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"; did you mean {prefix + nearest[0]!r}?" if nearest else ""
            warnings.append(f"Unknown setting {prefix + name!r} is ignored{hint}")
    return warnings
