# SPDX-License-Identifier: Apache-2.0
"""The bus over TLS: to the right broker, or not at all."""

from __future__ import annotations

import datetime
import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from moc_meter import errors
from moc_meter.messaging import amqp
from moc_meter.tests.contract.buses import Far, numbered
from moc_meter.tests.servers.rabbitmq import RabbitMQ


def certificate(folder: Path, host: str) -> Path:
    """A certificate that trusts itself, and behind it its private key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None),
                           critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]),
                           critical=False)
            .sign(key, hashes.SHA256()))
    path = folder / f'{host}.pem'
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM)
                     + key.private_bytes(
                         serialization.Encoding.PEM,
                         serialization.PrivateFormat.PKCS8,
                         serialization.NoEncryption()))
    return path


class Front(socketserver.ThreadingTCPServer):
    """Speaks TLS to clients, and passes on what they say to a broker."""

    def __init__(self, chain: Path, broker_port: int) -> None:
        super().__init__(('127.0.0.1', 0), FrontHandler)
        self.broker_port = broker_port
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(chain)


class FrontHandler(socketserver.BaseRequestHandler):
    server: Front

    def handle(self) -> None:
        with socket.create_connection(
                ('127.0.0.1', self.server.broker_port)) as behind:
            try:
                with self.server.tls.wrap_socket(
                        self.request, server_side=True) as before:
                    _pass_on(before, behind)
            except OSError:
                return     # the client did not want us, as it should


def _pass_on(before: ssl.SSLSocket, behind: socket.socket) -> None:
    """Until one of them has ended."""
    while True:
        held = [before] if before.pending() else []
        ready = held or select.select([before, behind], [], [])[0]
        for end, other in ((before, behind), (behind, before)):
            if end in ready:
                words = end.recv(65536)
                if not words:
                    return
                other.sendall(words)


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    return certificate(tmp_path, 'localhost')


@pytest.fixture
def front(chain: Path, rabbitmq_server: RabbitMQ) -> Iterator[Front]:
    with Front(chain, rabbitmq_server.port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def url(front: Front, amqp_url: str, host: str) -> str:
    vhost = amqp_url.rpartition('/')[2]
    return f'amqps://guest:guest@{host}:{front.server_address[1]}/{vhost}'


def test_messages_go_to_and_fro_over_tls(front: Front, chain: Path,
                                         amqp_url: str) -> None:
    bus = amqp.connect(url=url(front, amqp_url, 'localhost'), timeout=60.0,
                       ssl_ca_file=chain, batch_seconds=0.05)
    sender, messages = bus.sender(), [*numbered(50), bytes(1_000_000)]
    with Far(bus.receiver()) as far:
        for message in messages:
            sender.send(message)
        far.has(messages)
    sender.close()
    assert far.messages == messages


def test_a_certificate_for_another_name_is_refused(
        front: Front, chain: Path, amqp_url: str) -> None:
    sender = amqp.connect(url=url(front, amqp_url, '127.0.0.1'), timeout=60.0,
                          ssl_ca_file=chain).sender()
    with pytest.raises(errors.BusUnavailable, match='mismatch'):
        sender.check()


def test_a_certificate_of_nobody_we_trust_is_refused(
        front: Front, tmp_path: Path, amqp_url: str) -> None:
    (tmp_path / 'other').mkdir()
    other = certificate(tmp_path / 'other', 'localhost')
    sender = amqp.connect(url=url(front, amqp_url, 'localhost'), timeout=60.0,
                          ssl_ca_file=other).sender()
    with pytest.raises(errors.BusUnavailable, match='VERIFY_FAILED'):
        sender.check()
