"""Certificates: ours to a server that wants to see one (mTLS), and the authorities that are trusted."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from ory_reader.config.settings import Settings
from ory_reader.config.tls import Authorities
from ory_reader.errors import SettingsError
from tests.certificates import self_signed
from tests.command import Finished, run_tap
from tests.scripted import ScriptedServer, reply

#: The name that `openssl rehash` gives to a certificate of the subject that `self_signed` makes.
SUBJECT_HASH = "0d001701.0"


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """The directory of our certificate and key."""
    (tmp_path / "ours").mkdir()
    self_signed(tmp_path / "ours")
    return tmp_path / "ours"


@contextmanager
def demanding(
    directory: Path, trusted: Path, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
) -> Iterator[ScriptedServer]:
    """A server that wants to see a certificate that `trusted` has signed; its own is `certificate.pem`."""
    directory.mkdir()
    _, context = self_signed(directory)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(trusted)
    context.minimum_version = context.maximum_version = version
    with ScriptedServer(lambda asked, number: reply(200, b"[]", X_Total_Count="0"), tls=context) as server:
        yield server


def check(server: ScriptedServer, directory: Path, *certificate: Path) -> Finished:
    names = ("TAP_ORY_CLIENT_CERTIFICATE", "TAP_ORY_CLIENT_KEY")
    shown = dict(zip(names, map(str, certificate), strict=False))
    environment = {"TAP_ORY_BASE_URL": server.url, "TAP_ORY_CA_BUNDLE": str(directory / "certificate.pem"), **shown}
    return run_tap("--check", environment=environment)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_certificate_is_shown_to_who_wants_one(tmp_path: Path, ours: Path, version: ssl.TLSVersion) -> None:
    theirs = tmp_path / "theirs"
    both = tmp_path / "both.pem"
    both.write_bytes((ours / "certificate.pem").read_bytes() + (ours / "key.pem").read_bytes())
    with demanding(theirs, ours / "certificate.pem", version) as server:
        assert check(server, theirs, ours / "certificate.pem", ours / "key.pem").code == 0
        assert check(server, theirs, both).code == 0
        none = check(server, theirs)
        stranger = check(server, theirs, theirs / "certificate.pem", theirs / "key.pem")
    (line,) = none.logged("ERROR")
    assert "wants to see a certificate (mTLS)" in line
    assert "set client_certificate and client_key" in line
    (line,) = stranger.logged("ERROR")
    assert "The server does not accept client_certificate" in line


def test_no_other_host_is_shown_the_certificate(tmp_path: Path, ours: Path) -> None:
    settings = Settings.from_config(
        {
            "base_url": "https://127.0.0.1:1",
            "client_certificate": str(ours / "certificate.pem"),
            "client_key": str(ours / "key.pem"),
            "http_headers": {"X-Key": "secret"},
        },
        "1",
    )
    assert settings.client_certificate
    other = settings.elsewhere("https://other.example.com")
    assert (other.client_certificate, other.client_key, other.http_headers, other.api_token) == (None, None, {}, None)


def encrypted(directory: Path) -> Path:
    key = serialization.load_pem_private_key((directory / "key.pem").read_bytes(), None)
    path = directory / "encrypted.pem"
    hidden = serialization.BestAvailableEncryption(b"passphrase")
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden))
    return path


def test_what_cannot_be_shown_is_one_line(tmp_path: Path, ours: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    self_signed(theirs)
    certificate, key = ours / "certificate.pem", ours / "key.pem"
    junk = tmp_path / "junk.pem"
    junk.write_text("nothing")
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.read_bytes() + encrypted(ours).read_bytes())
    for shown, hidden, what in (
        (None, key, "client_key is set without client_certificate"),
        (certificate, None, "client_certificate names a file without a certificate and its key: set client_key"),
        (tmp_path / "no", key, "client_certificate names "),
        (certificate, tmp_path / "no", "client_key names "),
        (certificate, theirs / "key.pem", "client_key is not the key of client_certificate"),
        (certificate, encrypted(ours), "client_key names a key that is encrypted"),
        (both, None, "client_certificate names a key that is encrypted"),
        (junk, key, "client_certificate and client_key are no certificate and its key"),
        (certificate, junk, "client_certificate and client_key are no certificate and its key"),
    ):
        given = {"client_certificate": shown and str(shown), "client_key": hidden and str(hidden)}
        with pytest.raises(SettingsError, match=f"^Setting {what}") as refused:
            Settings.from_config({"base_url": "https://127.0.0.1:1", **given}, "1")
        assert "\n" not in str(refused.value)
    with pytest.raises(SettingsError, match="client_certificate needs TLS: begin base_url with https://"):
        Settings.from_config(
            {"base_url": "http://127.0.0.1:1", "client_certificate": str(certificate), "client_key": str(key)}, "1"
        )


# Authorities


def test_the_order_in_which_authorities_win() -> None:
    every = {"REQUESTS_CA_BUNDLE": "r", "CURL_CA_BUNDLE": "c", "SSL_CERT_FILE": "f", "SSL_CERT_DIR": "d"}
    assert Authorities.find("b", every) == Authorities("b", None, "ca_bundle")
    assert Authorities.find(None, every) == Authorities("r", None, "REQUESTS_CA_BUNDLE")
    assert Authorities.find(None, {**every, "REQUESTS_CA_BUNDLE": ""}) == Authorities("c", None, "CURL_CA_BUNDLE")
    of_openssl = {name: value for name, value in every.items() if name.startswith("SSL")}
    assert Authorities.find(None, of_openssl) == Authorities("f", "d", "SSL_CERT_FILE")
    assert Authorities.find(None, {"SSL_CERT_FILE": "", "SSL_CERT_DIR": "d"}) == Authorities(
        directories="d", named_by="SSL_CERT_DIR"
    )
    assert Authorities.find(None, {"SSL_CERT_FILE": ""}) == Authorities()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ScriptedServer]:
    """Serves TLS with the certificate in tmp_path."""
    _, context = self_signed(tmp_path)
    with ScriptedServer(lambda asked, number: reply(200, b"[]", X_Total_Count="0"), tls=context) as running:
        yield running


def trusting(server: ScriptedServer, **variables: str) -> Finished:
    return run_tap("--check", environment={"TAP_ORY_BASE_URL": server.url, **variables})


def test_ssl_cert_file_holds(server: ScriptedServer, tmp_path: Path) -> None:
    assert trusting(server).code == 1
    assert trusting(server, SSL_CERT_FILE=str(tmp_path / "certificate.pem")).code == 0
    (line,) = trusting(server, SSL_CERT_FILE=str(tmp_path / "none.pem")).logged("ERROR")
    assert f"TLS to {server.host} failed: no certificate authorities are where SSL_CERT_FILE says" in line
    (tmp_path / "junk.pem").write_text("nothing")
    for variable in ("SSL_CERT_FILE", "TAP_ORY_CA_BUNDLE"):
        (line,) = trusting(server, **{variable: str(tmp_path / "junk.pem")}).logged("ERROR")
        assert f"{variable.replace('TAP_ORY_CA_BUNDLE', 'ca_bundle')} names a file that holds no certificate" in line


def test_ssl_cert_dir_holds_beside_the_file(server: ScriptedServer, tmp_path: Path) -> None:
    (tmp_path / "hashed").mkdir()
    (tmp_path / "hashed" / SUBJECT_HASH).write_bytes((tmp_path / "certificate.pem").read_bytes())
    directories = os.pathsep.join([str(tmp_path / "nowhere"), str(tmp_path / "hashed")])
    assert trusting(server, SSL_CERT_DIR=directories).code == 0
    both = {"SSL_CERT_DIR": directories, "SSL_CERT_FILE": DEFAULT_CA_BUNDLE_PATH}
    assert trusting(server, **both).code == 0
    (line,) = trusting(server, SSL_CERT_DIR=str(tmp_path / "nowhere")).logged("ERROR")
    assert "no certificate authorities are where SSL_CERT_DIR says" in line
