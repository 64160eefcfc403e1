"""Who is speaking where it is not Ory: gateways and login proxies before the Admin API, told by their answers.

What they answer was seen on nginx 1.22 and oauth2-proxy 7.15, alone and as nginx's `auth_request`, and is in the
standards of HTTP for a proxy's 407. Nothing that they say is ever shown: it is compared with what is known.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ory_reader.config.settings import Settings

#: nginx's words for a request over mTLS without a certificate, with one that it does not trust, and without TLS.
NO_CERTIFICATE = b"No required SSL certificate was sent"
WRONG_CERTIFICATE = b"The SSL certificate error"
NO_TLS = b"The plain HTTP request was sent to HTTPS port"
#: Alerts of TLS about a client's certificate, as OpenSSL names them: none shown, and one that is not accepted.
ALERTS_NONE = r"ALERT_CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE"
ALERTS_WRONG = r"ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_\w+|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED|DECRYPT_ERROR)"
#: Where login proxies send a browser to: paths of oauth2-proxy, Authelia, Keycloak, GitHub, Google, Azure and Okta.
LOGIN = re.compile(r"(?i)/(oauth2?|login|log-in|signin|sign[_-]in|authorize|auth|sso|saml2?|cas)(/|$)")
LOGIN_REMEDY = (
    "It leads to a page to log in: a login proxy, such as oauth2-proxy, is before base_url. Let this path through "
    "there, set http_headers to what it accepts, or set base_url to the Admin API behind it."
)
PROXY_WANTS_USER = (
    "the proxy on the way wants a user and password (407). Put them into HTTPS_PROXY or HTTP_PROXY as "
    "http://user:password@host:port, or name the host in NO_PROXY."
)


def remedy(status: int, headers: Mapping[str, str], body: bytes, settings: Settings) -> str | None:
    """Say who it is that refused and what it wants; None where it may be Ory itself."""
    kind = headers.get("Content-Type", "").split(";")[0].strip().lower()
    scheme = headers.get("WWW-Authenticate", "").split(" ")[0].lower()
    if status == 407:  # noqa: PLR2004 - each status is named once, beside what it means
        return f"T{PROXY_WANTS_USER[1:]}"
    if status == 400 and "html" in kind:  # noqa: PLR2004
        return _of_nginx(body[:2000], settings)
    if status == 401 and scheme in {"basic", "digest", "negotiate", "ntlm"}:  # noqa: PLR2004
        return _wants_password(scheme, settings)
    if status in {401, 403} and ("html" in kind or body.strip() == b"{}"):
        return (
            "This is not Ory's answer but that of a gateway before it, such as a login proxy or a firewall. Let this "
            "path through there, or set http_headers to what it wants to see"
            f"{' now' if settings.http_headers else ''}."
        )
    return None


def leads_to_login(headers: Mapping[str, str]) -> bool:
    """Tell whether a redirect is a login proxy's, which would have a browser log in."""
    if "oauth2_proxy" in headers.get("Set-Cookie", ""):
        return True
    try:
        return bool(LOGIN.search(urlsplit(headers.get("Location", "")).path))
    except ValueError:
        return False


def certificate_remedy(error: str, settings: Settings) -> str | None:
    """Say what a server that broke off TLS wants of our certificate; None where it is not about that."""
    alert = error.upper().replace(" ", "_")
    if re.search(ALERTS_WRONG, alert) and settings.client_certificate:
        return _WRONG_CERTIFICATE
    if re.search(f"{ALERTS_NONE}|{ALERTS_WRONG}", alert) and not settings.client_certificate:
        return _NO_CERTIFICATE
    if "EOF_OCCURRED" in alert:
        # What is left of TLS 1.3's alert where the server closes before it has read the request.
        may = _WRONG_CERTIFICATE if settings.client_certificate else _NO_CERTIFICATE
        return f"The server broke it off. Check the scheme and port in base_url; if they are right: {may}"
    return None


_NO_CERTIFICATE = "The server wants to see a certificate (mTLS): set client_certificate and client_key."
_WRONG_CERTIFICATE = (
    "The server does not accept client_certificate: it must be signed by an authority that the server trusts, and not "
    "have expired."
)


def _of_nginx(body: bytes, settings: Settings) -> str | None:
    if NO_TLS in body:
        return "The port wants TLS: begin base_url with https://."
    if WRONG_CERTIFICATE in body or (NO_CERTIFICATE in body and settings.client_certificate):
        return _WRONG_CERTIFICATE
    return _NO_CERTIFICATE if NO_CERTIFICATE in body else None


def _wants_password(scheme: str, settings: Settings) -> str:
    if scheme != "basic":
        return f"A gateway before Ory wants {scheme.capitalize()}, which is not supported: let this path through there."
    if "authorization" in {name.lower() for name in settings.http_headers}:
        return "A gateway before Ory does not accept the user and password: check Authorization in http_headers."
    return (
        "A gateway before Ory wants a user and password, no key: set http_headers to "
        '{"Authorization": "Basic ..."} with the base64 of user:password, and no api_token.'
    )
