"""Turns what came back into one line for the user: what was tried, what came back, what to do.

Holds every sentence about the server. A sentence names the URL without its query and never holds the key,
text from a person's record, or the text of an exception (which may hold a proxy's password).
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import requests
import urllib3.exceptions

from ory_reader.config.http_headers import masked
from ory_reader.errors import AccessError, AnswerError, BadRequestError, TapOryError
from ory_reader.http import gateways

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ory_reader.config.settings import Settings

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_SERVER_WORDS = 200
_OLD_ADDRESS = "base_url seems to be Kratos' public port or an old address: set it to the admin address."
CUT_SHORT = "the answer was cut short or damaged on its way. Look at the network and at proxies."


@dataclass(frozen=True)
class Failure:
    """No answer came: the sentence, and whether trying again may help."""

    message: str
    retryable: bool


def explain_failure(url: str, error: requests.RequestException, settings: Settings) -> Failure:
    """Tell from a `requests` exception what kept the answer away."""
    host, name = urlsplit(url).netloc, urlsplit(url).hostname
    seconds = f"{settings.request_timeout:g} s"
    sentences: list[tuple[type[BaseException] | tuple[type[BaseException], ...], str]] = [
        (
            requests.exceptions.ConnectTimeout,
            f"no connection within {seconds}. Check base_url, firewalls and request_timeout.",
        ),
        (
            (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError),
            f"no answer within {seconds}. Lower page_size or raise request_timeout.",
        ),
        (
            (urllib3.exceptions.NameResolutionError, socket.gaierror),
            f"the name {name!r} does not resolve. Check base_url and DNS.",
        ),
        (ConnectionRefusedError, "connection refused. Check base_url (host and port) and that the server runs."),
        ((requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError), CUT_SHORT),
        (requests.exceptions.ConnectionError, "the connection broke. Check base_url and the network."),
    ]
    if _caused_by(error, (requests.exceptions.SSLError, ssl.SSLError)):
        return Failure(_tls_message(host, error, settings), retryable=False)
    if isinstance(error, requests.exceptions.ProxyError) and "Tunnel connection failed: 407" in str(error):
        return Failure(f"GET {url}: {gateways.PROXY_WANTS_USER}", retryable=False)
    if isinstance(error, requests.exceptions.ProxyError):
        sentence = f"GET {url}: the proxy did not connect to {host}. Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
        return Failure(sentence, retryable=True)
    if _caused_by(error, http.client.LineTooLong):
        sentence = (
            f"GET {url} answered with a longer header line than any of Ory's. Check base_url and proxies before it."
        )
        return Failure(sentence, retryable=False)
    for kinds, sentence in sentences:
        if _caused_by(error, kinds):
            return Failure(f"GET {url}: {sentence}", retryable=True)
    return Failure(f"GET {url}: no request can be made of it. Check base_url.", retryable=False)


def cut_short(url: str) -> str:
    """Say that an answer began and did not arrive whole."""
    return f"GET {url}: {CUT_SHORT}"


def explain_unavailable(url: str, status: int, server_words: str, wait: float | None) -> str:
    """Say that the server answered with a status that may go away by itself."""
    asked = f" and asked to wait {wait:.0f} s" if wait is not None else ""
    remedy = (
        "Other clients of the project use the same rate limit."
        if status == HTTPStatus.TOO_MANY_REQUESTS
        else "The server has a problem; its own log says more."
    )
    return f"GET {url} answered {_status_text(status)}{_in_words(server_words)}{asked}. {remedy}"


def explain_refusal(
    url: str, response: requests.Response, server_words: str, settings: Settings, body: bytes = b""
) -> TapOryError:
    """Return the error for an answer that trying again would not mend; of `body` nothing is told."""
    status = response.status_code
    if remedy := gateways.remedy(status, response.headers, body, settings):
        return AccessError(f"GET {url} answered {_status_text(status)}{_in_words(server_words)}. {remedy}")
    if status in REDIRECTS:
        location = masked(response.headers.get("Location", ""), settings.secrets)
        remedy = gateways.LOGIN_REMEDY if gateways.leads_to_login(response.headers) else ""
        return AccessError(_redirect_message(url, status, location, remedy))
    if status == HTTPStatus.OK:
        kind = _content_kind(masked(response.headers.get("Content-Type", ""), settings.secrets))
        return AnswerError(
            f"GET {url} answered 200 with {kind} instead of JSON. Check base_url: it must be the Ory Admin API, "
            "not a web page or a login proxy."
        )
    remedies = {
        HTTPStatus.UNAUTHORIZED: _key_remedy(settings, "It may be revoked, expired or of another project."),
        HTTPStatus.FORBIDDEN: _key_remedy(settings, "It must be a project API key, not a workspace key."),
        HTTPStatus.NOT_FOUND: (
            "Check base_url: it must be the Ory Admin API (https://slug.projects.oryapis.com/ or Kratos' admin "
            "port) with its path prefix, if any."
        ),
        HTTPStatus.BAD_REQUEST: "Check base_url; if it is right, the server does not know this request.",
    }
    usual = remedies.get(HTTPStatus(status) if status in list(HTTPStatus) else HTTPStatus.OK, "Check base_url.")
    refusal = BadRequestError if status == HTTPStatus.BAD_REQUEST else AccessError
    return refusal(f"GET {url} answered {_status_text(status)}{_in_words(server_words)}. {usual}")


def stated_reason(body: bytes) -> str:
    """What an error body says, to compare it with others: without ids, numbers and times. Never to be shown."""
    text = body[:10_000].decode(errors="replace")
    try:
        error = json.loads(text)["error"]
        text = json.dumps({key: error[key] for key in sorted(error) if key not in {"id", "request"}})
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+", "#", text.strip(), flags=re.IGNORECASE)


def server_message(body: bytes, secrets: Mapping[str, str]) -> str:
    """Return what Ory's error body says, shortened and without anything that could be personal or in `secrets`."""
    try:
        error = json.loads(body[:100_000])["error"]
        said = [error.get(key) for key in ("message", "reason")] if isinstance(error, dict) else [error]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    text = "; ".join(word for word in said if isinstance(word, str))
    text = masked(text, secrets)
    text = re.sub(r"\bory_\w+", "[key]", text)
    text = re.sub(r"\S+@\S+", "[address]", text)
    text = re.sub(r"\+?\d[\d ()-]{6,}\d", "[number]", text)
    text = re.sub(r"[^\x20-\x7e]+", " ", text)
    return text[:MAX_SERVER_WORDS].rstrip(" .")


def leads_nowhere(error: BaseException) -> bool:
    """Whether nobody is where a request was sent: no such name, or nothing that listens."""
    unknown = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
    return _caused_by(error, ConnectionRefusedError) or any(
        isinstance(each, socket.gaierror) and each.errno in unknown for each in _causes(error)
    )


def _redirect_message(url: str, status: int, location: str, remedy: str) -> str:
    here = urlsplit(url)
    answered = f"GET {url} answered {_status_text(status)}"
    try:
        target = urlsplit(urljoin(url, location))
    except ValueError:
        return f"{answered} to what is no address. Check base_url: it must be the Ory Admin API."
    if (target.scheme, target.netloc) != (here.scheme, here.netloc):
        shown = f"{target.scheme}://{target.hostname or ''}{f':{target.port}' if _port_is_shown(target) else ''}"
        return f"{answered} to another address, {shown}, which was not followed. {remedy or _OLD_ADDRESS}"
    if target.path == here.path:
        return (
            f"{answered} to itself, a redirect loop. Check serve.admin.base_url in the Kratos configuration, and "
            "that base_url is the admin address."
        )
    return (
        f"{answered} to {target.path[:100]}, which was not followed. "
        f"{remedy or 'Check base_url: the server expects another path.'}"
    )


def _port_is_shown(target: object) -> bool:
    try:
        return getattr(target, "port", None) is not None
    except ValueError:
        return False


def _tls_message(host: str, error: requests.RequestException, settings: Settings) -> str:
    reason = re.search(r"CERTIFICATE_VERIFY_FAILED\] certificate verify failed: ([^()]{1,80})", str(error))
    if reason:
        return (
            f"TLS to {host} failed: {reason[1].strip(' .')}. If the server has a private CA, set ca_bundle to its PEM "
            "file; else check the host in base_url."
        )
    if remedy := gateways.certificate_remedy(str(error), settings):
        return f"TLS to {host} failed. {remedy}"
    return f"TLS to {host} failed. Check the scheme, host and port in base_url, and ca_bundle."


def _content_kind(content_type: str) -> str:
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if "html" in kind:
        return "an HTML page"
    return "something else" if "json" in kind or not re.fullmatch(r"[\w.+-]+/[\w.+-]+", kind) else kind


def _key_remedy(settings: Settings, detail: str) -> str:
    if settings.api_token:
        return f"Check api_token. {detail}"
    return "Set api_token: this server wants a project API key."


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _in_words(server_words: str) -> str:
    return f" ({server_words})" if server_words else ""


def _caused_by(error: BaseException, kinds: type[BaseException] | tuple[type[BaseException], ...]) -> bool:
    """Whether one of `kinds` is in the chain of causes, where requests and urllib3 put the real one."""
    return any(isinstance(each, kinds) for each in _causes(error))


def _causes(error: BaseException) -> Iterator[object]:
    todo: list[object] = [error]
    for _ in range(20):
        if not todo:
            return
        current = todo.pop()
        yield current
        if isinstance(current, BaseException):
            todo += [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]
