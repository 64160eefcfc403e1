"""A private certificate authority, and one TLS port for two servers, told apart by what the client offers in ALPN.

gRPC speaks h2 only. Whoever buys a token offers http/1.1 as well (Go's HTTP client beside h2, which is then what it
gets), or nothing.
"""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.ports import free_ports

RECORD_HEADER = 5


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """Files of a certificate for 127.0.0.1 and of the authority that it is from."""

    def __init__(self, directory: Path) -> None:
        authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        now = dt.datetime.now(dt.timezone.utc)

        def builder(subject: str) -> x509.CertificateBuilder:
            return (
                x509.CertificateBuilder()
                .subject_name(_name(subject))
                .issuer_name(_name("CA of the tests"))
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - dt.timedelta(days=1))
                .not_valid_after(now + dt.timedelta(days=1))
            )

        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        identifier = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
        authority = (
            builder("CA of the tests")
            .public_key(authority_key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(identifier, critical=False)
            .sign(authority_key, hashes.SHA256())
        )
        certificate = (
            builder("127.0.0.1")
            .public_key(key.public_key())
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
            )
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
            .sign(authority_key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        self._key = key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
        self._certificate = certificate.public_bytes(pem)
        self.ca_file = directory / "ca.pem"
        self.ca_file.write_bytes(authority.public_bytes(pem))
        self._both = directory / "server.pem"
        self._both.write_bytes(self._key + self._certificate)

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._both)
        return context

    def grpc_credentials(self) -> grpc.ServerCredentials:
        return grpc.ssl_server_credentials([(self._key, self._certificate)])


class Front:
    """Listens on one port and passes connections on: those that offer h2 alone to gRPC, others to the tokens."""

    def __init__(self, http_port: int, grpc_port: int) -> None:
        self._ports = {False: http_port, True: grpc_port}
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        # It is stopped and started again.
        [self.port] = free_ports()
        self.connections = 0
        self.start()

    def start(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        """Take no connection any more, and cut those that are there."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.stop()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            hello = self._client_hello(client)
            if not hello:
                return
            is_grpc = b"\x02h2" in hello and b"\x08http/1.1" not in hello
            with socket.create_connection(("127.0.0.1", self._ports[is_grpc])) as server:
                with self._lock:
                    self._open |= {client, server}
                    self.connections += is_grpc
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join()
                with self._lock:
                    self._open -= {client, server}

    def _client_hello(self, client: socket.socket) -> bytes:
        client.settimeout(10)
        try:
            while True:
                seen = client.recv(65_536, socket.MSG_PEEK)
                if not seen or len(seen) >= RECORD_HEADER + int.from_bytes(seen[3:RECORD_HEADER], "big"):
                    client.settimeout(None)
                    return seen
        except OSError:
            return b""


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
