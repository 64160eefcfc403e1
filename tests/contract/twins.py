"""Two servers that hold the same are asked the same, and answer the same to the byte.

But for page tokens, which are each server's own: where one was given a token, the other is asked with the one that it
gave in its place.
"""

import re
from urllib.parse import quote, unquote

from tests.sandbox.client import Answer

_TOKEN = re.compile(r'(page_token=)([^&>"]+)|("next_page_token":")([^"]+)')
_FRAMING = re.compile("Content-Length: .*|Transfer-Encoding: .*")
_OF_A_DAY = ("Date", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


class Twins:
    """What is known of the tokens of both so far."""

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}

    def ours(self, target: str) -> str:
        """What to ask the sandbox where the other server was asked for `target`."""
        for theirs, ours in self._tokens.items():
            target = target.replace(f"page_token={quote(theirs)}", f"page_token={quote(ours)}")
        return target

    def compare(self, ours: Answer, theirs: Answer) -> None:
        """Both answers to one question are the same."""
        assert (ours.status, ours.reason) == (theirs.status, theirs.reason)
        found, wanted = _text(ours), _text(theirs)
        pairs = zip(_tokens(found), _tokens(wanted), strict=True)
        self._tokens |= {their: our for our, their in pairs if our != their}
        if "page_token" in found:
            # Tokens differ in length.
            found, wanted = _FRAMING.sub("", found), _FRAMING.sub("", wanted)
        assert _untold(found) == _untold(wanted)


def _text(answer: Answer) -> str:
    headers = [f"{name}: {value}" for name, value in answer.headers if name not in _OF_A_DAY]
    return "\n".join([*headers, answer.body.decode().rstrip("\n")])


def _tokens(text: str) -> list[str]:
    return [unquote(found[1]) or found[3] for found in _TOKEN.findall(text)]


def _untold(text: str) -> str:
    return _TOKEN.sub(lambda found: f"{found[1] or found[3]}TOKEN", text)
