"""The errors that a user is shown, each as one line: what was tried, what came back, what to do.

Knows nothing of HTTP or Singer. No message here may ever hold the API key or a person's data.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class TapOryError(Exception):
    """An error whose text is meant for the user; the program ends with exit code 1."""


class SettingsError(TapOryError):
    """A setting is missing, of the wrong type, or cannot be right."""


class AccessError(TapOryError):
    """The server was reached and refused, or is not the server that the settings mean.

    `status` is what it answered, `location` where a redirect leads, if that is why.
    """

    status: int = 0
    location: str = ""


class BadRequestError(AccessError):
    """The server refused this very request (400); its own words are in the text."""


class UnavailableError(TapOryError):
    """The server could not be reached or did not recover within the bounded retries."""


class IncompleteError(TapOryError):
    """The read ended, but not every identity could be read."""


class AnswerError(TapOryError):
    """The server answered something that is not a page of identities."""


@contextmanager
def in_terms(terms: Mapping[str, str]) -> Iterator[None]:
    """Let the errors of what is inside say `terms`' values for its keys: one sentence serves all lists and servers."""
    try:
        yield
    except TapOryError as error:
        text = str(error)
        for usual, meant in terms.items():
            text = text.replace(usual, meant)
        error.args = (text,)
        raise


def refuse(setting: str, what: str, remedy: str) -> NoReturn:
    """Say in one line what is wrong with a setting and what to do.

    Raises:
        SettingsError: always.
    """
    msg = f"Setting {setting} {what}: {remedy}."
    raise SettingsError(msg)
