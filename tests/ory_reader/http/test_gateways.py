"""Who is speaking where it is not Ory. The answers are what nginx 1.22 and oauth2-proxy 7.15 were seen to answer."""

import pytest

from ory_reader.config.settings import Settings
from ory_reader.errors import TapOryError
from ory_reader.http.client import OryClient
from ory_reader.resources.identities import IDENTITIES
from tests.command import KEY, run_tap
from tests.scripted import ScriptedServer, always, head, reply

NGINX = (
    "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n{more}"
    "<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
)
GITHUB = "https://github.com/login/oauth/authorize?approval_prompt=force&client_id=x&response_type=code"
FORBIDDEN = b'{"error":{"code":403,"status":"Forbidden","message":"Access credentials are not sufficient"}}'


def nginx(status: int, title: str, more: str = "", **headers: str) -> list[bytes]:
    body = NGINX.format(title=title, more=more and f"<center>{more}</center>\r\n").encode()
    named = {"Server": "nginx/1.22.1", "Content-Type": "text/html", "Content-Length": str(len(body))}
    return [head(status, **named, **{name.replace("_", "-"): value for name, value in headers.items()}), body]


def refusal(answer: list[bytes], **config: object) -> str:
    with ScriptedServer(lambda asked, number: answer) as server:
        api = OryClient(Settings.from_config({"base_url": server.url, **config}, "1"))
        with pytest.raises(TapOryError) as told:
            api.get(IDENTITIES.path)
    assert len(server.asked) == 1
    assert "\n" not in str(told.value)
    assert "api_token. It" not in str(told.value)
    return str(told.value)


def test_basic_authentication_is_told_from_a_key_that_is_wrong() -> None:
    wanted = nginx(401, "401 Authorization Required", WWW_Authenticate='Basic realm="Ory"')
    for config in ({}, {"api_token": KEY}):
        told = refusal(wanted, **config)
        assert "A gateway before Ory wants a user and password" in told
        assert 'http_headers to {"Authorization": "Basic ..."}' in told
    told = refusal(wanted, http_headers={"Authorization": "Basic x"})
    assert "does not accept the user and password: check Authorization in http_headers" in told


def test_another_way_to_log_in_is_named() -> None:
    assert "Negotiate, which is not supported" in refusal(nginx(401, "401", WWW_Authenticate="Negotiate"))


def test_a_refusal_in_html_is_not_orys() -> None:
    for status in (401, 403):
        told = refusal(nginx(status, f"{status} Forbidden"), api_token=KEY)
        assert "not Ory's answer but that of a gateway before it" in told
        assert "http_headers" in told
    # oauth2-proxy to whoever wants JSON.
    assert "a gateway before it" in refusal(list(reply(401, b"{}")), api_token=KEY)
    # Ory's own words are of Ory.
    with always(*reply(403, FORBIDDEN)) as server, pytest.raises(TapOryError, match="Check api_token") as told_by_ory:
        OryClient(Settings.from_config({"base_url": server.url, "api_token": KEY}, "1")).get(IDENTITIES.path)
    assert "gateway" not in str(told_by_ory.value)


def test_nginx_wants_a_certificate() -> None:
    none = nginx(400, "400 No required SSL certificate was sent", "No required SSL certificate was sent")
    assert "wants to see a certificate (mTLS): set client_certificate and client_key" in refusal(none)
    wrong = nginx(400, "400 The SSL certificate error", "The SSL certificate error")
    assert "does not accept client_certificate" in refusal(wrong)
    plain = nginx(
        400, "400 The plain HTTP request was sent to HTTPS port", "The plain HTTP request was sent to HTTPS port"
    )
    assert "begin base_url with https://" in refusal(plain)
    other = nginx(400, "400 Request Header Or Cookie Too Large", "Request Header Or Cookie Too Large")
    assert "Check base_url" in refusal(other)


@pytest.mark.parametrize(
    "headers",
    [
        {"Location": GITHUB, "Set-Cookie": "_oauth2_proxy_csrf=abc; Path=/; HttpOnly"},
        {"Location": "/oauth2/start?rd=/admin/identities"},
        {"Location": "/oauth2/sign_in"},
        {"Location": "https://auth.example.com/?rd=x", "Set-Cookie": "_oauth2_proxy_csrf=abc"},
        {"Location": "https://sso.example.com/realms/x/protocol/openid-connect/auth?client_id=x"},
        {"Location": "https://login.microsoftonline.com/x/oauth2/v2.0/authorize?x"},
    ],
)
def test_a_login_proxy_is_told_from_kratos_public_port(headers: dict[str, str]) -> None:
    told = refusal([head(302, **headers, **{"Content-Length": "0"})])
    assert "which was not followed. It leads to a page to log in: a login proxy" in told
    assert "http_headers" in told
    assert "public port" not in told
    assert "client_id" not in told


def test_a_proxy_that_wants_a_password_is_told_on_http() -> None:
    told = refusal(nginx(407, "407 Proxy Authentication Required", Proxy_Authenticate='Basic realm="proxy"'))
    assert "The proxy on the way wants a user and password (407)" in told
    assert "HTTP_PROXY" in told


def test_a_proxy_that_wants_a_password_is_told_on_https_and_not_asked_again() -> None:
    with ScriptedServer(lambda asked, number: reply(407, b"", Proxy_Authenticate="Basic")) as proxy:
        environment = {"TAP_ORY_BASE_URL": "https://ory.example.com", "HTTPS_PROXY": f"http://u:secret@{proxy.host}"}
        run = run_tap("--check", environment=environment)
    (line,) = run.logged("ERROR")
    assert "the proxy on the way wants a user and password (407)" in line
    assert len(proxy.asked) == 1
    assert "secret" not in run.stderr
