"""A server that answers each path as a real one was recorded to, and with Kratos' 404 to all others."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from tests.scripted import Asked, Pieces, ScriptedServer, reply

RECORDINGS = Path(__file__).parents[2] / "recordings"


def recording(name: str) -> tuple[str, dict[str, str], bytes]:
    """The target of a recorded request; the headers of its answer, and the body."""
    request, head, body = (RECORDINGS / f"{name}.http").read_text(encoding="utf-8").split("\n\n", 2)
    headers = dict(line.split(": ", 1) for line in head.split("\n")[1:] if ": " in line)
    return request.split(" ")[1], headers, body.strip().encode()


def server_of(*names: str) -> ScriptedServer:
    """A server with the recordings of these names."""
    answers = {}
    for name in names:
        target, headers, body = recording(name)
        kept = {key: headers[key] for key in ("Link", "X-Total-Count") if key in headers}
        answers[urlsplit(target).path] = reply(200, body, **{key.replace("-", "_"): kept[key] for key in kept})

    def respond(request: Asked, number: int) -> Pieces:
        missing = reply(404, b"404 page not found", content_type="text/plain; charset=utf-8")
        return answers.get(urlsplit(request.target).path, missing)

    return ScriptedServer(respond)
