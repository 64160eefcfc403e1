"""What came back, in one line: which sentence, and that none of them tells the key or a person's data."""

import json
import ssl
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3.exceptions
from hypothesis import given
from hypothesis import strategies as st

from ory_reader.config.settings import Settings
from ory_reader.errors import AccessError, AnswerError
from ory_reader.http import error_messages
from tests.command import KEY

RECORDINGS = Path(__file__).parents[2] / "recordings"
URL = "http://127.0.0.1:4434/admin/identities"


def settings(**config: Any) -> Settings:
    return Settings.from_config({"base_url": "http://127.0.0.1:4434", "api_token": KEY, **config}, "1")


def answer(status: int, content_type: str = "application/json", location: str = "") -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.headers["Content-Type"] = content_type
    if location:
        response.headers["Location"] = location
    return response


def refusal(response: requests.Response, words: str = "", **config: Any) -> str:
    message = str(error_messages.explain_refusal(URL, response, words, settings(**config)))
    assert message.startswith(f"GET {URL} answered {response.status_code}")
    assert message.endswith(".")
    assert "\n" not in message
    assert KEY not in message
    return message


# What the server says


@pytest.mark.parametrize("version", ["v1.0.0", "v1.3.1", "v26.2.0"])
@pytest.mark.parametrize(
    ("name", "said"),
    [("not-found", "Unable to locate the resource"), ("bad-size", None), ("one-bad-row", None)],
)
def test_the_words_of_recorded_errors_are_told(version: str, name: str, said: str | None) -> None:
    _, _, body = (RECORDINGS / version / f"{name}.http").read_text().split("\n\n", 2)
    content = json.loads(body)
    if not isinstance(content, dict):
        # Up to v1.0 a bad size is no error.
        assert error_messages.server_message(body.encode(), {}) == ""
        return
    words = error_messages.server_message(body.encode(), {})
    assert words.startswith(said or content["error"]["message"][:20])
    assert len(words) <= error_messages.MAX_SERVER_WORDS


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error":{"message":"No.","reason":"Because."}}', "No.; Because"),
        (b'{"error":{"message":"No","reason":null,"debug":"secret"}}', "No"),
        (b'{"error":"plain"}', "plain"),
        (b'{"error":{"message":17}}', ""),
        (b'{"error":null}', ""),
        (b'{"error":["a"]}', ""),
        (b'["error"]', ""),
        (b'{"message":"no"}', ""),
        (b"", ""),
        (b"404 page not found", ""),
        (b"\xff\xfe", ""),
        (b"[" * 50_000, ""),
        (b'{"error":{"message":"a\\nb\\u001b[31m\\u2028c"}}', "a b [31m c"),
        (b'{"error":{"message":"' + b"x" * 500 + b'"}}', "x" * 200),
        (b'{"error":{"message":"' + b"x" * 200_000 + b'"}}', ""),
    ],
)
def test_only_the_words_of_ory_are_told_shortened_to_one_line(body: bytes, said: str) -> None:
    assert error_messages.server_message(body, {}) == said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("duplicate key (ada.lovelace+x@example.com) exists", "duplicate key [address] exists"),
        ("call +49 30 123456-78 now", "call [number] now"),
        ("key ory_pat_0123456789abc is gone", "key [key] is gone"),
        ("ory_st_abc, ory_apikey_x", "[key], [key]"),
        (f"Bearer {KEY} is wrong", "Bearer [api_token] is wrong"),
        (f"Bearer {KEY.upper()}", "Bearer [api_token]"),
        ("Bearer ory_pat_Zk3yMust%2BNever/BeSeen%3D1", "Bearer [api_token]"),
        ("Bearer ory_pat_Zk3yMust%2BNever%2FBeSeen%3D1", "Bearer [api_token]"),
        ("after 500 ms in 12 tries", "after 500 ms in 12 tries"),
    ],
)
def test_nothing_personal_and_no_key_is_told(text: str, told: str) -> None:
    body = json.dumps({"error": {"message": text}}).encode()
    assert error_messages.server_message(body, {KEY: "[api_token]"}) == told


@given(st.text(max_size=20), st.text(max_size=20))
def test_the_key_is_never_told(before: str, after: str) -> None:
    body = json.dumps({"error": {"message": before + KEY + after}}).encode()
    assert KEY.lower() not in error_messages.server_message(body, {KEY: "[api_token]"}).lower()


# What the answer means


def test_a_401_and_a_403_point_at_the_key() -> None:
    assert "Check api_token. It may be revoked" in refusal(answer(401), "Access credentials are invalid")
    assert "(Access credentials are invalid)" in refusal(answer(401), "Access credentials are invalid")
    assert "Set api_token: this server wants" in refusal(answer(401), api_token=None)
    assert "not a workspace key" in refusal(answer(403))


@pytest.mark.parametrize("status", [400, 404, 405, 410, 418, 451, 501, 505, 520, 999])
def test_every_other_refusal_points_at_the_address(status: int) -> None:
    assert "base_url" in refusal(answer(status))


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("http://127.0.0.1:4434/admin/identities", "to itself, a redirect loop"),
        ("/admin/identities?page_size=1", "to itself, a redirect loop"),
        ("", "to itself, a redirect loop"),
        ("/admin/identities/", "to /admin/identities/, which was not followed"),
        ("https://127.0.0.1:4434/admin/identities", "to another address, https://127.0.0.1:4434, which"),
        ("http://127.0.0.1:4433/x", "to another address, http://127.0.0.1:4433, which"),
        ("//evil.example/x", "to another address, http://evil.example, which"),
        ("https://u:p@evil.example/x", "to another address, https://evil.example, which"),
        ("http://evil.example:99999/", "to another address, http://evil.example, which"),
        ("http://[", "to what is no address"),
        (f"/login/{KEY}", "to /login/[api_token], which"),
        (f"https://{KEY}.example/", "to what is no address"),
        ("/" + "x" * 5000, f"to /{'x' * 99}, which"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_told_and_where_to(status: int, location: str, told: str) -> None:
    message = refusal(answer(status, location=location))
    assert told in message
    assert "base_url" in message
    assert KEY.lower() not in message.lower()


@pytest.mark.parametrize(
    ("content_type", "told"),
    [
        ("text/html; charset=utf-8", "an HTML page"),
        ("application/xhtml+xml", "an HTML page"),
        ("text/plain", "text/plain"),
        ("application/json", "something else"),
        ("", "something else"),
        ("a b\x1b[31m/c", "something else"),
        (f"text/{KEY}", "something else"),
    ],
)
def test_a_200_that_is_no_json_is_told(content_type: str, told: str) -> None:
    error = error_messages.explain_refusal(URL, answer(200, content_type), "", settings())
    assert isinstance(error, AnswerError)
    assert f"answered 200 with {told} instead of JSON" in str(error)
    assert KEY.lower() not in str(error).lower()
    assert isinstance(error_messages.explain_refusal(URL, answer(404), "", settings()), AccessError)


# What kept the answer away


def caused(outer: Exception, *causes: BaseException) -> Exception:
    """The exception as requests raises it, around what urllib3 raised."""
    current: BaseException = outer
    for cause in causes:
        current.__cause__ = cause
        current = cause
    return outer


@pytest.mark.parametrize(
    ("error", "told", "retryable"),
    [
        (requests.exceptions.ConnectTimeout(), "no connection within 60 s", True),
        (requests.exceptions.ReadTimeout(), "no answer within 60 s", True),
        (
            caused(requests.exceptions.ConnectionError(), urllib3.exceptions.ReadTimeoutError(None, "", "")),  # type: ignore[arg-type]
            "no answer within 60 s",
            True,
        ),
        (caused(requests.exceptions.ConnectionError(), ConnectionRefusedError()), "connection refused", True),
        (caused(requests.exceptions.ConnectionError(), ConnectionResetError()), "the connection broke", True),
        (requests.exceptions.ConnectionError(f"proxy http://u:{KEY}@h"), "the connection broke", True),
        (requests.exceptions.ChunkedEncodingError(), "cut short", True),
        (requests.exceptions.ContentDecodingError(), "cut short", True),
        (requests.exceptions.ProxyError(), "the proxy did not connect", True),
        (requests.exceptions.SSLError(), "TLS to 127.0.0.1:4434 failed", False),
        (requests.exceptions.InvalidURL(), "no request can be made of it", False),
        (requests.exceptions.InvalidHeader(KEY), "no request can be made of it", False),
    ],
)
def test_what_kept_the_answer_away(error: requests.RequestException, told: str, *, retryable: bool) -> None:
    failure = error_messages.explain_failure(URL, error, settings())
    assert told in failure.message
    assert failure.retryable is retryable
    assert KEY not in failure.message
    assert failure.message.endswith(".")
    assert ".." not in failure.message


def test_the_reason_of_a_failed_certificate_is_told() -> None:
    inner = ssl.SSLCertVerificationError(
        1,
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate is not valid for "
        "'localhost'. (_ssl.c:1006)",
    )
    failure = error_messages.explain_failure(URL, requests.exceptions.SSLError(inner), settings())
    assert "failed: Hostname mismatch, certificate is not valid for 'localhost'. If" in failure.message
    assert "ca_bundle" in failure.message


def test_an_endless_chain_of_causes_ends() -> None:
    one, other = requests.exceptions.ConnectionError(), ValueError()
    one.__cause__, other.__cause__ = other, one
    assert "the connection broke" in error_messages.explain_failure(URL, one, settings()).message


@pytest.mark.parametrize(("status", "wait"), [(429, 12.0), (503, None), (500, None)])
def test_an_unavailable_server_is_told_with_the_pause_it_asked_for(status: int, wait: float | None) -> None:
    message = error_messages.explain_unavailable(URL, status, "words", wait)
    assert message.startswith(f"GET {URL} answered {status} ")
    assert "(words)" in message
    assert ("asked to wait 12 s" in message) is (wait is not None)
    assert ("same rate limit" in message) is (status == 429)
