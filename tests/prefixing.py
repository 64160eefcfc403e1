"""A proxy that serves a host under a path prefix and strips that: `/kratos/admin/...` here is `/admin/...` there.

It answers 404 to what lies beside the prefix, and passes redirects on as they are, as nginx does with `proxy_redirect
off`. Knows nothing of identities.
"""

import http.client
from contextlib import closing
from urllib.parse import urlsplit

from tests.scripted import Asked, Pieces, ScriptedServer, head, reply

#: Headers that are of one connection, or that a server has set anew.
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "date"}


def prefixing(url: str, prefix: str = "kratos") -> ScriptedServer:
    """The proxy to the host at `url`, to be entered."""

    def replies(asked: Asked, _: int) -> Pieces:
        if not asked.target.startswith(f"/{prefix}/"):
            return reply(404, b"404 page not found\n", "text/plain")
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        with closing(connection):
            connection.request(asked.method, asked.target[len(prefix) + 1 :], headers=asked.headers)
            answer = connection.getresponse()
            body = answer.read()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP}
        return [head(answer.status, **kept, **{"Content-Length": str(len(body))}), body]

    return ScriptedServer(replies)
