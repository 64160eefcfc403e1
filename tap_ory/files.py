"""The JSON files of the command line: what cannot be read, or holds something else, is one line.

Knows nothing of what is in them.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import IO, NoReturn

from ory_reader.errors import SettingsError


def check_file(option: str, name: str) -> None:
    """Make sure that the file `name`, given to `option`, holds a JSON object.

    Raises:
        SettingsError: naming both.
    """
    try:
        with Path(name).open(encoding="utf-8") as file:
            checked(option, file)
    except OSError as error:
        _refuse(option, name, f"cannot be read: {error.strerror}")


def checked(option: str, file: IO[str]) -> IO[str]:
    """Return `file`, given to `option` and open, as what can be read once more; it holds a JSON object.

    Raises:
        SettingsError: naming both.
    """
    try:
        text = file.read()
        value = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            # What a target or the tap itself has printed: a state a line.
            more = f"holds more than one JSON value (the second is in line {error.lineno})"
            _refuse(option, file.name, f"{more}: keep one, of states the last")
        _refuse(option, file.name, f"is no JSON: {error.msg} in line {error.lineno}")
    except (UnicodeDecodeError, RecursionError):
        _refuse(option, file.name, "is no JSON")
    if not isinstance(value, dict):
        _refuse(option, file.name, "holds no JSON object")
    return io.StringIO(text)


def _refuse(option: str, name: str, what: str) -> NoReturn:
    msg = f"The file {name!r} given to {option} {what}."
    raise SettingsError(msg)
