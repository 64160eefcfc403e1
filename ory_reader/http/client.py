"""OryClient: one conversation with one Ory project. Session, key, TLS, retries, errors in plain words.

Knows nothing of pagination or Singer. Requests go to `base_url` and nowhere else: no redirect is followed,
so the key cannot reach another host. (Whoever has to look elsewhere makes another conversation of
`Settings.elsewhere`, which has no key.) Facts about the server's answers come from running Kratos v1.0.0,
v1.3.1 and v26.2.0 and from Ory's documentation.
"""

from __future__ import annotations

import copy
import logging
import random
from collections import deque
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import backoff
import requests

from command_basics import telemetry
from ory_reader.config.tls import is_loopback
from ory_reader.errors import AccessError, TapOryError, UnavailableError, in_terms
from ory_reader.http import error_messages
from ory_reader.http.decoders import read_body
from ory_reader.http.rate_limiter import MAX_SERVER_WAIT, TOO_MANY_REQUESTS, RateLimiter, server_wait
from ory_reader.http.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator, Mapping

    from ory_reader.config.settings import Settings

logger = logging.getLogger("tap-ory")

VERSION_PATH = "/admin/version"
RETRYABLE_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
#: Kratos on CockroachDB says this with a 400 when two transactions collide.
RETRYABLE_400 = "Unable to serialize access"
#: An answer larger than this is refused before it fills the memory.
MAX_BODY_BYTES = 256 * 1024 * 1024
#: The longest pause between two tries, in seconds; Ory's documentation advises this cap.
MAX_PAUSE = 30.0
#: Tries of one request: about ten minutes for a server that restarts, a few seconds for one that errs on
#: this very request, and hardly any before the first answer, when a setting is likely wrong.
TRIES, TRIES_500, TRIES_FIRST_CONTACT = 24, 6, 3


@dataclass(frozen=True)
class Response:
    """A successful answer: headers (case-insensitive) and the decoded body."""

    headers: Mapping[str, str]
    body: bytes


class RetryableError(UnavailableError):
    """Something that may go away by itself.

    `wait` is the pause in seconds that the server asked for, or None; `tries` bounds the attempts.
    """

    def __init__(self, message: str, *, wait: float | None = None, tries: int = TRIES, status: int = 0) -> None:
        """Keep what the retry loop needs; `status` is 0 where no answer came."""
        super().__init__(message)
        self.wait = wait
        self.tries = tries
        self.status = status


class InternalServerError(RetryableError):
    """The server answers 500: to this very request, as to a page that holds a row it cannot read, or to all.

    `reason` is what the body says, without what differs from answer to answer; empty if it says nothing. `link` is
    the Link header, which some servers send all the same.
    """

    reason = ""
    link: str | None = None


class OryClient:
    """GET requests to one Ory project. Safe to use from several threads: each request has a session to itself."""

    def __init__(
        self,
        settings: Settings,
        rate_limiter: RateLimiter | None = None,
        go_on: Callable[[], object] = lambda: None,
        terms: Mapping[str, str] | None = None,
    ) -> None:
        """Open nothing yet; the first request does. `go_on` is called before each: what it raises ends the read.

        `terms` are what errors say instead of the names of settings and servers that they would (see `in_terms`).
        """
        self.settings = settings
        self.rate_limiter = rate_limiter or RateLimiter()
        self.go_on = go_on
        self.terms = terms or {}
        self._idle: deque[Session] = deque()
        self._contacted = False
        parts = urlsplit(settings.base_url)
        sent = "api_token" if settings.api_token else "http_headers" if settings.http_headers else ""
        if sent and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            url = self.terms.get("base_url", "base_url")
            logger.warning(
                "%s is sent unencrypted to %s: use https in %s.", self.terms.get(sent, sent), parts.netloc, url
            )

    def beside(self, rate_limiter: RateLimiter) -> OryClient:
        """Return the same conversation under another rate limit: it shares the open connections."""
        other = copy.copy(self)
        other.rate_limiter = rate_limiter
        return other

    def __repr__(self) -> str:
        """Name the host only."""
        return f"OryClient({self.settings.base_url!r})"

    def get(
        self,
        path: str,
        params: Mapping[str, str | int | list[str]] | None = None,
        *,
        retry: bool = True,
        retry_500: bool = True,
        lasting: Collection[str] = (),
    ) -> Response:
        """Return the 200 answer to `base_url` + `path`.

        Retries what may go away by itself, for a bounded time; nothing without `retry`, no 500 without
        `retry_500`, and none with a reason that is known to last.

        Raises:
            AccessError: the server refused, or is not the one that the settings mean.
            UnavailableError: no answer within the bounded retries.
            AnswerError: an answer that the API never gives.
        """
        attempts = 0
        held = ExitStack()

        def attempt() -> Response:
            nonlocal attempts
            attempts += 1
            held.close()
            with in_terms(self.terms):
                return self._send(path, params or {})

        def give_up(error: Exception) -> bool:
            if not retry or not isinstance(error, RetryableError):
                return True
            if isinstance(error, InternalServerError) and (not retry_500 or error.reason in lasting):
                return True
            return attempts >= self._tries(error)

        def announce(details: Mapping[str, object]) -> None:
            error = details["exception"]
            logger.warning("%s Try %d follows in %.1f s.", error, attempts + 1, details["wait"])
            if isinstance(error, RetryableError) and error.status == TOO_MANY_REQUESTS:
                held.enter_context(self.rate_limiter.traffic.waiting())

        retrying = backoff.on_exception(
            _pauses,
            RetryableError,
            giveup=give_up,
            jitter=_jitter,
            on_backoff=announce,
            logger=None,
        )(attempt)
        with held:
            return retrying()

    def _tries(self, error: RetryableError) -> int:
        if (error.wait or 0) > MAX_SERVER_WAIT:
            return 1
        if self._contacted or error.status:
            return error.tries
        return min(error.tries, TRIES_FIRST_CONTACT)

    def _send(self, path: str, params: Mapping[str, str | int | list[str]]) -> Response:
        url = self.settings.base_url + path
        self.rate_limiter.wait_turn()
        answered = False
        try:
            self.go_on()
            with (
                telemetry.span(f"GET {path}", of_client=True) as span,
                self._session() as session,
                session.ask(url, params) as response,
            ):
                self._contacted = answered = True
                self.rate_limiter.learn(response.status_code, response.headers)
                if span:
                    span.set_attributes(
                        {"http.request.method": "GET", "http.response.status_code": response.status_code}
                    )
                body = read_body(response, seconds=10 * self.settings.request_timeout, most=MAX_BODY_BYTES)
        except requests.RequestException as error:
            raise self._no_answer(url, error) from error
        finally:
            if not answered:
                self.rate_limiter.forget()
        return self._judge(url, response, body)

    def _no_answer(self, url: str, error: requests.RequestException) -> TapOryError:
        failure = error_messages.explain_failure(url, error, self.settings)
        if failure.retryable:
            return RetryableError(failure.message)
        return UnavailableError(failure.message)

    def _judge(self, url: str, response: requests.Response, body: bytes) -> Response:
        status = response.status_code
        headers = response.headers
        if status == requests.codes.ok:
            first, last = body[:100].lstrip(b"\xef\xbb\xbf \t\r\n")[:1], body[-100:].rstrip()[-1:]
            # A page behind the last one of the schemas is `null`, as Go writes a list that nobody made.
            is_nil = url.endswith("/schemas") and body.strip() == b"null"
            if is_nil or (first, last) in {(b"[", b"]"), (b"{", b"}")}:
                return Response(headers, body)
            if first in {b"[", b"{"} or not (body or "Content-Length" in headers):
                # Without a Content-Length only the text itself tells that its end is missing.
                raise RetryableError(error_messages.cut_short(url), status=status)
        server_words = error_messages.server_message(body, self.settings.secrets)
        if status in RETRYABLE_STATUS or (status == requests.codes.bad_request and RETRYABLE_400 in server_words):
            wait = server_wait(headers) if status in {429, 503} else None
            sentence = error_messages.explain_unavailable(url, status, server_words, wait)
            if status == requests.codes.server_error:
                error = InternalServerError(sentence, tries=TRIES_500, status=status)
                error.reason, error.link = error_messages.stated_reason(body), headers.get("Link")
                raise error
            raise RetryableError(sentence, wait=wait, status=status)
        refusal = error_messages.explain_refusal(url, response, server_words, self.settings, body)
        if isinstance(refusal, AccessError):
            refusal.status, refusal.location = status, headers.get("Location", "")
        raise refusal

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """A session that no other thread uses meanwhile, with a connection that is open from before if there is one."""
        try:
            session = self._idle.pop()
        except IndexError:
            session = Session(self.settings)
        try:
            yield session
        finally:
            self._idle.append(session)


def _pauses() -> Generator[float, RetryableError, None]:
    """Yield the pause before the next try, in seconds: what the server asks for, else 0.5, 1, 2 ... 30."""
    error = yield 0.0
    pause = 0.5
    while True:
        error = yield pause if error.wait is None else error.wait
        pause = min(pause * 2, MAX_PAUSE)


def _jitter(seconds: float) -> float:
    """Lengthen a pause by up to a quarter and a tenth of a second, so that clients do not come back in step."""
    return seconds + random.uniform(0, 0.1 + seconds / 4)  # noqa: S311
