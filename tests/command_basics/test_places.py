"""Where an error nobody foresaw came from: a module's dotted name, as many files are called core.py."""

import json
import re

import pytest

from command_basics.exits import unforeseen
from command_basics.places import place_of


def test_a_place_is_a_module_and_a_line() -> None:
    with pytest.raises(ValueError, match="Expecting") as raised:
        json.loads("{")
    assert re.fullmatch(r"json\.decoder:\d+", place_of(raised.value))
    told = unforeseen(raised.value, "tap-ory")
    assert re.match(r"Unforeseen JSONDecodeError at json\.decoder:\d+\. This is a fault of tap-ory: ", told)


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert place_of(ValueError("text")) == "an unknown place"
